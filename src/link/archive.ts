import { isOver } from '../containers/deadline.js';
import type { Member } from '../containers/source.js';
import { type Role, refusals } from '../decoding/refusals.js';
import type { LimitName, Limits } from '../limits.js';
import { type Document, firstValue, notJsonText } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import { type ImageConfig, parseConfig } from '../spec/config.js';
import type { Descriptor } from '../spec/descriptor.js';
import { type FieldProblem, type Json, lastSegment, pointer, typeName } from '../spec/json.js';

import { normalPath } from '../tar/path.js';
import type { Claim, Location } from './graph.js';
import { type FindingCode, type FindingData, Observations, observe, type Severity } from './observation.js';

/** A scan seen from the layout's root, with the claims and observations that linking collects. */
export class ScannedArchive {
  readonly claims: Claim[] = [];
  readonly referenced = new Set<string>();
  /** Blobs that writers are known to leave behind and no reader needs. */
  readonly leftovers = new Set<string>();
  readonly observations: Observations;
  private readonly read = new Set<Member>();
  private readonly looked = new Set<Document>();
  private readonly configs = {
    oci: new Map<Document, ImageConfig | null>(),
    docker: new Map<Document, ImageConfig | null>(),
  };
  private readonly spent = { manifests: 0, descriptors: 0, names: 0, linkedBytes: 0 };
  /** Limits that have been reported: once reached, they hold for everything that follows, and are reported once. */
  private readonly full = new Set<LimitName>();

  constructor(
    readonly scan: Scan,
    /** Folder of the layout, with a trailing slash, or empty. */
    readonly root: string,
    readonly limits: Limits,
    /** When no more images are looked at. */
    private readonly deadline = Number.POSITIVE_INFINITY,
  ) {
    this.observations = new Observations(limits);
  }

  /** Whether the limits allow one more image, manifest or index, at this place. */
  mayVisit(at: Location): boolean {
    return !this.isLate(at) && this.spend('manifests', 1, at);
  }

  /**
   * Whether the limits allow reading a document. The first time is free; a document that cannot be read costs nothing.
   */
  mayLook(document: Document, at: Location): boolean {
    if (!this.looked.has(document)) {
      this.looked.add(document);
      return true;
    }
    return this.spend('linkedBytes', document.bytes?.length ?? 0, at);
  }

  /** Whether the limits allow a document that lists `count` layers or manifests. */
  mayList(count: number, at: Location): boolean {
    return this.spend('descriptors', count, at);
  }

  private isLate(at: Location): boolean {
    if (this.full.has('manifests') || !isOver(this.deadline)) return false;
    const { seconds } = this.limits;
    this.observe('limit-reached', at, { limit: 'seconds', value: seconds, seen: null });
    this.spent.manifests = this.limits.manifests;
    this.full.add('manifests');
    return true;
  }

  /** Whether the limits allow `count` more names. */
  mayName(count: number, at: Location): boolean {
    return this.spend('names', count, at);
  }

  private spend(limit: keyof typeof this.spent, count: number, at: Location): boolean {
    const value = this.limits[limit];
    if (this.spent[limit] + count <= value) {
      this.spent[limit] += count;
      return true;
    }
    // Whatever exceeds the limit is skipped.
    if (!this.full.has(limit)) this.observe('limit-reached', at, { limit, value, seen: null });
    if (limit === 'manifests' || limit === 'names') this.full.add(limit);
    return false;
  }

  /** The full path of a path that a document gives. */
  path(relative: string): string {
    return this.root + normalPath(relative);
  }

  /** The file at a path that a document gives, through links. It counts as referenced, and so do the links. */
  file(relative: string): Member | null {
    const path = this.path(relative);
    const member = this.scan.file(path);
    if (member !== null) {
      this.referenced.add(path);
      this.referenced.add(member.path);
    }
    return member;
  }

  has(relative: string): boolean {
    return this.scan.file(this.path(relative)) !== null;
  }

  /** A document that another one refers to. Parts of it that readers interpret differently are reported once. */
  document(member: Member): Document {
    const document = this.scan.document(member);
    if (!this.read.has(member)) {
      this.read.add(member);
      this.oddities(document);
    }
    return document;
  }

  private oddities({ path, oddities }: Document): void {
    for (const at of oddities.duplicates) {
      const key = lastSegment(at);
      this.observe('key-duplicate', { path, pointer: at }, { key, repeated: oddities.duplicateCount });
    }
    const at = { path, pointer: null };
    if (!oddities.utf8) this.observe('text-not-unicode', at, { kind: 'bytes' });
    if (oddities.halfCharacters) this.observe('text-not-unicode', at, { kind: 'escapes' });
  }

  /** An image's config, worked out once: several images may share one. */
  config(document: Document, oci = false): ImageConfig | null {
    const known = this.configs[oci ? 'oci' : 'docker'];
    if (!known.has(document)) {
      known.set(document, document.value === undefined ? null : parseConfig(document.value, oci));
    }
    return known.get(document)!;
  }

  observe<C extends FindingCode>(code: C, at: Location, data: FindingData[C], severity?: Severity): void {
    this.observations.add(observe(code, at, data, severity));
  }

  /**
   * Reads a document that must be JSON.
   * @returns undefined, and a finding, when it is not
   */
  json(member: Member): Json | undefined {
    const { value, error } = this.document(member);
    const at = { path: member.path, pointer: null };
    if (error?.kind === 'limit')
      this.observe('limit-reached', at, { limit: error.limit, value: error.value, seen: error.actual });
    else if (error?.kind === 'unreadable') this.observe('unreadable', at, { reason: error.reason });
    else if (error !== null) this.observe('json-invalid', at, { reason: notJsonText(error) });
    return value;
  }

  /**
   * Reads manifest.json as docker and crane do, which stop after its first value. Bytes behind that value are a
   * finding.
   * @returns undefined, and a finding, where not even that is JSON
   */
  firstJson(member: Member): Json | undefined {
    const first = firstValue(this.document(member));
    if (first === null) return this.json(member);
    const bytes = first.rest === 1 ? '1 byte follows' : `${first.rest} bytes follow`;
    const reason = `${bytes} its value, which docker and crane ignore, and for which podman and skopeo refuse the file`;
    this.observe('json-invalid', { path: member.path, pointer: null }, { reason });
    return first.value;
  }

  /** Reports a config that is not a JSON object: without one there is no image. */
  notAnObject(member: Member): void {
    const { value } = this.document(member);
    if (value === undefined) return;
    const at = { path: member.path, pointer: '' };
    this.observe('field-invalid', at, { expected: 'an object', actual: typeName(value) }, 'error');
  }

  /** Reports the faults of a document's fields, with the engines that refuse the document for them. */
  documentProblems(path: string, role: Role, problems: readonly FieldProblem[]): void {
    const member = this.scan.file(path);
    const found = member === null ? [] : refusals(this.scan.document(member), role);
    const refused = new Map(found.map(problem => [problem.pointer, problem]));
    const judged = problems.map((problem): FieldProblem => {
      const engines = problem.keys === undefined ? refused.get(problem.pointer)?.engines : undefined;
      if (engines === undefined) return problem;
      refused.delete(problem.pointer);
      return { ...problem, grave: true, engines };
    });
    this.fieldProblems(path, [...judged, ...refused.values()]);
  }

  fieldProblems(path: string, problems: readonly FieldProblem[]): void {
    for (const { pointer: at, expected, actual, grave, keys, engines } of problems) {
      const place = { path, pointer: at };
      if (keys === undefined) {
        const data = { expected, actual, ...(engines !== undefined && { engines: [...engines] }) };
        this.observe('field-invalid', place, data, grave ? 'error' : undefined);
      } else {
        const data = { keys: [...keys], expected: [expected] };
        this.observe('key-case', place, data, grave ? 'error' : 'warning');
      }
    }
  }

  /** Records the claims of a descriptor about a member: digest, size and inline data. */
  claim(member: Member, descriptor: Descriptor, path: string): void {
    const by = (field: string): Location => ({ path, pointer: pointer(descriptor.pointer, field) });
    const { digest, size, data } = descriptor;
    if (digest !== null) this.claims.push({ kind: 'digest', member, by: by('digest'), value: digest });
    if (size !== null) this.claims.push({ kind: 'size', member, by: by('size'), value: size });
    if (data !== null && digest !== null) {
      this.claims.push({ kind: 'inline-data', member, by: by('data'), value: data, digest });
    }
  }

  /** Reports that the documents which list the images would have followed the point where the archive is cut. */
  observeLostDocuments(): void {
    const files = this.scan.members.filter(member => member.type === 'file').length;
    this.observe('documents-missing', { path: '', pointer: null }, { files });
  }
}

/** Whether the archive is cut or damaged, so that members may have been lost. */
export const isCut = ({ problems }: Scan): boolean =>
  problems.some(p =>
    ['tar-truncated', 'tar-header', 'outer-compression', 'end-marker-missing'].includes(p.kind),
  );
