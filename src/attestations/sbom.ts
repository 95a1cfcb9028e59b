import { type ParsedPurl, parsePurl } from '../packages/purl.js';
import { isObject, type Json, own } from '../spec/json.js';
import { jsonOf } from '../spec/json-text.js';

export type SbomFormat = 'spdx' | 'cyclonedx' | 'syft';

/** A package that an SBOM lists. */
export interface SbomPackage {
  readonly name: string;
  readonly version: string | null;
  /** null where the SBOM gives none, or one that is no package URL. */
  readonly purl: ParsedPurl | null;
}

/** A bill of materials, as far as it can be read. */
export interface Sbom {
  readonly format: SbomFormat;
  /** `2.3`, `1.6`; null where the document does not say. */
  readonly version: string | null;
  /** The software that it lists, without the image itself, its distribution and single files. */
  readonly packages: readonly SbomPackage[];
  /** Whether there are more than are read. */
  readonly isCut: boolean;
}

/** Packages of one SBOM that are read; the largest known have some ten thousand. */
const MOST = 200_000;
/** Nesting of components in components, and of the JSON of an SBOM that is a text in a statement. */
const DEEPEST = 100;

/** Recognises an SBOM by its own fields, whatever its media type says. @returns null for any other document */
export function readSbom(document: Json | undefined): Sbom | null {
  if (!isObject(document)) return null;
  if (textOf(document, 'bomFormat') === 'CycloneDX') return cyclonedx(document);
  if (textOf(document, 'spdxVersion') !== null) return spdx2(document);
  const graph = own(document, '@graph');
  const vocabulary = textOf(document, '@context') ?? '';
  if (Array.isArray(graph) && vocabulary.includes('spdx.org/rdf/3')) return spdx3(graph, vocabulary);
  const isSyft =
    Array.isArray(own(document, 'artifacts')) && textOf(own(document, 'descriptor'), 'name') === 'syft';
  return isSyft ? syft(document) : null;
}

/**
 * The SBOM in the predicate of a statement. cosign 1 put a document into `Data`, as text or as an object; BuildKit and
 * cosign 2 have it as the predicate itself.
 */
export function sbomOfPredicate(predicate: Json | undefined): Sbom | null {
  const data = isObject(predicate) ? own(predicate, 'Data') : undefined;
  if (typeof data === 'string') return readSbom(jsonOf(Buffer.from(data), DEEPEST));
  return readSbom(predicate) ?? readSbom(data);
}

/** The format that a predicate type or a media type promises; null for one that is no SBOM's. */
export function sbomFormatOf(type: string | null): SbomFormat | null {
  if (type === null) return null;
  if (/^https:\/\/spdx\.dev\/Document|^(?:text|application)\/spdx\b/.test(type)) return 'spdx';
  if (/^https:\/\/cyclonedx\.org\/|^application\/vnd\.cyclonedx\b/.test(type)) return 'cyclonedx';
  return /^https:\/\/syft\.dev\/bom|^application\/vnd\.syft\b/.test(type) ? 'syft' : null;
}

function textOf(value: Json | undefined, key: string): string | null {
  const found = isObject(value) ? own(value, key) : undefined;
  return typeof found === 'string' && found !== '' ? found : null;
}

function listIn(value: Json | undefined, key: string): readonly Json[] {
  const found = isObject(value) ? own(value, key) : undefined;
  return Array.isArray(found) ? found : [];
}

function packageOf(name: string | null, version: string | null, purl: string | null): SbomPackage | null {
  const parsed = purl === null ? null : parsePurl(purl);
  const shown = name ?? parsed?.name ?? null;
  return shown === null ? null : { name: shown, version: version ?? parsed?.version ?? null, purl: parsed };
}

const sbomOf = (format: SbomFormat, version: string | null, all: readonly (SbomPackage | null)[]): Sbom => ({
  format,
  version,
  packages: all.filter(entry => entry !== null).slice(0, MOST),
  isCut: all.length > MOST,
});

/** Purposes and types of what is listed beside software. */
const NO_SOFTWARE: ReadonlySet<string> = new Set([
  'CONTAINER',
  'OPERATING_SYSTEM',
  'OPERATING-SYSTEM',
  'FILE',
  'container',
  'operating-system',
  'operatingSystem',
  'file',
]);

/** https://spdx.github.io/spdx-spec/v2.3 */
function spdx2(document: Json): Sbom {
  const described = new Set<Json | null>([
    ...listIn(document, 'documentDescribes'),
    ...listIn(document, 'relationships')
      .filter(one => textOf(one, 'relationshipType') === 'DESCRIBES')
      .filter(one => textOf(one, 'spdxElementId') === 'SPDXRef-DOCUMENT')
      .map(one => textOf(one, 'relatedSpdxElement')),
  ]);
  const packages = listIn(document, 'packages').slice(0, MOST + 1);
  // An SBOM of a file system may describe each of its packages: then these are what it lists.
  const isRoot = described.size === 1 && packages.length > 1;
  const all = packages.map(one => {
    const isImage = isRoot && described.has(textOf(one, 'SPDXID'));
    if (isImage || NO_SOFTWARE.has(textOf(one, 'primaryPackagePurpose') ?? '')) return null;
    const purl = listIn(one, 'externalRefs').find(reference => textOf(reference, 'referenceType') === 'purl');
    return packageOf(textOf(one, 'name'), textOf(one, 'versionInfo'), textOf(purl, 'referenceLocator'));
  });
  return sbomOf('spdx', textOf(document, 'spdxVersion')?.replace(/^SPDX-/, '') ?? null, all);
}

/** https://spdx.github.io/spdx-spec/v3.0.1 */
function spdx3(graph: readonly Json[], vocabulary: string): Sbom {
  const roots = new Set<Json | null>(
    graph
      .filter(one => /(?:^|_)Sbom$|^SpdxDocument$/.test(textOf(one, 'type') ?? ''))
      .flatMap(one => listIn(one, 'rootElement')),
  );
  const packages = graph.filter(one => textOf(one, 'type') === 'software_Package').slice(0, MOST + 1);
  const all = packages.map(one => {
    const isImage = packages.length > 1 && roots.has(textOf(one, 'spdxId'));
    if (isImage || NO_SOFTWARE.has(textOf(one, 'software_primaryPurpose') ?? '')) return null;
    const purl = textOf(one, 'software_packageUrl');
    return packageOf(textOf(one, 'name'), textOf(one, 'software_packageVersion'), purl);
  });
  return sbomOf('spdx', /\/rdf\/(3[\d.]*\d)\//.exec(vocabulary)?.[1] ?? '3', all);
}

/** https://cyclonedx.org/docs/1.6/json. Components may hold components. */
function cyclonedx(document: Json): Sbom {
  const all: (SbomPackage | null)[] = [];
  const within = (value: Json, depth: number) =>
    [...listIn(value, 'components')].reverse().map(component => ({ component, depth }));
  for (const pending = within(document, 1); pending.length > 0 && all.length <= MOST; ) {
    const { component, depth } = pending.pop()!;
    const [group, name] = [textOf(component, 'group'), textOf(component, 'name')];
    const full = group === null || name === null ? name : `${group}/${name}`;
    const isOther = NO_SOFTWARE.has(textOf(component, 'type') ?? '');
    all.push(isOther ? null : packageOf(full, textOf(component, 'version'), textOf(component, 'purl')));
    if (depth < DEEPEST) for (const one of within(component, depth + 1)) pending.push(one);
  }
  return sbomOf('cyclonedx', textOf(document, 'specVersion'), all);
}

/** https://github.com/anchore/syft/tree/main/schema/json */
function syft(document: Json): Sbom {
  const all = listIn(document, 'artifacts')
    .slice(0, MOST + 1)
    .map(one => packageOf(textOf(one, 'name'), textOf(one, 'version'), textOf(one, 'purl')));
  const schema = isObject(document) ? own(document, 'schema') : undefined;
  return sbomOf('syft', textOf(schema, 'version'), all);
}
