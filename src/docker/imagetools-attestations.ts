import { readDocument } from '../scan/document.js';
import type { Json } from '../spec/json.js';
import { decode } from '../template/index.js';
import { ANY, mapOf, STRING, sliceOf, struct, type Value } from '../template/types.js';
import { fetchBlob, isStored, type Store, troubleOf } from './manifest-store.js';
import type { DescriptorRaw, ManifestRaw } from './manifest-types.js';

/** buildx util/imagetools/loader.go */
export const SBOM = struct('imagetools.sbomStub', [
  { name: 'SPDX', type: ANY, omitEmpty: true },
  { name: 'AdditionalSPDXs', type: sliceOf(ANY), omitEmpty: true },
]);
export const PROVENANCE = struct('imagetools.provenanceStub', [{ name: 'SLSA', type: ANY, omitEmpty: true }]);
export const SBOM_MAP = mapOf(SBOM);
export const PROVENANCE_MAP = mapOf(PROVENANCE);

/** What attestations say, as raw structs; null where they say nothing of the kind. */
export interface Attested {
  readonly raw: Readonly<Record<string, unknown>> | null;
  /** Statements that cannot be read. */
  readonly troubles: readonly string[];
}

const SPDX = 'https://spdx.dev/Document';
const SLSA = 'https://slsa.dev/provenance/';

/** The first SPDX document, and those of further scans. */
export function sbomOf(store: Store, attestations: readonly ManifestRaw[]): Attested {
  const layers = attestations.flatMap(manifest => statements(manifest, type => type === SPDX));
  const { predicates, troubles } = readPredicates(store, layers);
  const [first, ...more] = predicates;
  return { raw: first === undefined ? null : { SPDX: first, AdditionalSPDXs: more }, troubles };
}

/** The first provenance of the last attestation that has one. */
export function provenanceOf(store: Store, attestations: readonly ManifestRaw[]): Attested {
  const layers = attestations.flatMap(manifest =>
    statements(manifest, type => type.startsWith(SLSA)).slice(0, 1),
  );
  const { predicates, troubles } = readPredicates(store, layers);
  const last = predicates.at(-1);
  return { raw: last === undefined ? null : { SLSA: last }, troubles };
}

/** As the pattern `application/vnd\.in-toto\..*\+dsse`, which would look for its end from each of many beginnings. */
function isEnvelope(mediaType: string): boolean {
  const start = mediaType.indexOf(IN_TOTO);
  return start >= 0 && mediaType.includes('+dsse', start + IN_TOTO.length);
}

const IN_TOTO = 'application/vnd.in-toto.';

function statements({ Layers }: ManifestRaw, fits: (predicateType: string) => boolean): DescriptorRaw[] {
  return (Layers ?? []).filter(({ MediaType = '', Annotations }) => {
    const inToto = MediaType === 'application/vnd.in-toto+json' || isEnvelope(MediaType);
    return inToto && fits(Annotations?.get('in-toto.io/predicate-type') ?? '');
  });
}

const STATEMENT = struct('struct', [{ name: 'Predicate', type: ANY, json: 'predicate' }]);
const ENVELOPE = struct('struct', [{ name: 'Payload', type: STRING, json: 'payload' }]);

function readPredicates(store: Store, layers: readonly DescriptorRaw[]) {
  const predicates: (Value | null)[] = [];
  const troubles: string[] = [];
  for (const { Digest = '', MediaType = '' } of layers) {
    const found = fetchBlob(store, Digest, MediaType);
    const trouble = troubleOf(found);
    if (trouble !== null) troubles.push(trouble);
    if (!isStored(found)) continue;
    const statement = isEnvelope(MediaType) ? openEnvelope(found.value) : found.value;
    if (statement === undefined) troubles.push(`${found.path}: no statement in its envelope`);
    else predicates.push((decode(STATEMENT, statement) as { Predicate?: Value | null }).Predicate ?? null);
  }
  return { predicates, troubles };
}

/** https://github.com/secure-systems-lab/dsse/blob/master/envelope.md. Signatures are not checked here. */
function openEnvelope(value: Json): Json | undefined {
  const { Payload = '' } = decode(ENVELOPE, value) as { Payload?: string };
  return readDocument('', Buffer.from(Payload, 'base64')).value;
}
