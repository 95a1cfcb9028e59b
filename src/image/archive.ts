import type { Document } from '../scan/document.js';
import type { Scan } from '../scan/scan.js';
import { normalPath } from '../source/path.js';
import type { Member } from '../source/source.js';
import type { Descriptor } from '../spec/descriptor.js';
import type { FieldProblem } from '../spec/fields.js';
import { type Json, pointer, typeName } from '../spec/json.js';
import type { Claim, Place } from './graph.js';
import {
  type FindingCode,
  type FindingData,
  type Observation,
  observe,
  type Severity,
} from './observation.js';

/** A scan seen from the layout's root, and what linking gathers on the way. */
export class Archive {
  readonly claims: Claim[] = [];
  readonly referenced = new Set<string>();
  readonly observations: Observation[] = [];

  constructor(
    readonly scan: Scan,
    /** Folder of the layout, with a trailing slash, or empty. */
    readonly root: string,
  ) {}

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

  document(member: Member): Document {
    return this.scan.document(member);
  }

  observe<C extends FindingCode>(code: C, at: Place, data: FindingData[C], severity?: Severity): void {
    this.observations.push(observe(code, at, data, severity));
  }

  /**
   * Reads a document that must be JSON.
   * @returns undefined, and a finding, when it is not
   */
  json(member: Member): Json | undefined {
    const { value, error } = this.document(member);
    const at = { path: member.path, pointer: null };
    if (error?.kind === 'limit')
      this.observe('limit-reached', at, { limit: error.limit, value: error.value });
    else if (error?.kind === 'unreadable') this.observe('unreadable', at, { reason: error.reason });
    else if (error !== null) this.observe('json-invalid', at, { reason: error.reason });
    return value;
  }

  /** A config must be an object; without one there is no image to speak of. */
  notAnObject(member: Member): void {
    const { value } = this.document(member);
    if (value === undefined) return;
    const at = { path: member.path, pointer: '' };
    this.observe('field-invalid', at, { expected: 'an object', actual: typeName(value) }, 'error');
  }

  fieldProblems(path: string, problems: readonly FieldProblem[]): void {
    for (const { pointer: at, expected, actual, grave } of problems) {
      this.observe('field-invalid', { path, pointer: at }, { expected, actual }, grave ? 'error' : undefined);
    }
  }

  /** Writes down what a descriptor says about a member. */
  claim(member: Member, descriptor: Descriptor, path: string): void {
    const by = (field: string): Place => ({ path, pointer: pointer(descriptor.pointer, field) });
    const { digest, size, data } = descriptor;
    if (digest !== null) this.claims.push({ kind: 'digest', member, by: by('digest'), value: digest });
    if (size !== null) this.claims.push({ kind: 'size', member, by: by('size'), value: size });
    if (data !== null && digest !== null) {
      this.claims.push({ kind: 'inline-data', member, by: by('data'), value: data, digest });
    }
  }
}
