import { isObject, type Json, own } from '../spec/json.js';

/** The claims of a SLSA provenance, without its parameters: build arguments may hold secrets. */
export interface Provenance {
  /** The builder's ID; null where the document does not say: BuildKit leaves it empty outside of CI. */
  readonly builder: string | null;
  readonly buildType: string | null;
  /** The source that it was built from, with its revision: `https://…/repo@commit`. */
  readonly source: string | null;
  /** The first ones. */
  readonly materials: readonly Material[];
  /** How many there are. */
  readonly materialCount: number;
  /** RFC 3339, as stated. */
  readonly started: string | null;
  readonly finished: string | null;
}

export interface Material {
  readonly uri: string | null;
  /** `sha256:…`, `sha1:…`; null where none is given. */
  readonly digest: string | null;
}

/** Materials that are kept of one provenance. */
const MOST = 500;

/** Whether a predicate type is that of SLSA's provenance. */
export const isProvenanceType = (type: string | null): boolean =>
  /^https:\/\/slsa\.dev\/provenance\//.test(type ?? '') || type === 'https://in-toto.io/Provenance/v0.1';

/**
 * SLSA provenance, version 0.1, 0.2 and 1. https://slsa.dev/spec/v1.1/provenance, https://slsa.dev/spec/v0.2/provenance
 * @returns null for a predicate that is no object
 */
export function readProvenance(predicate: Json | undefined): Provenance | null {
  if (!isObject(predicate)) return null;
  return own(predicate, 'buildDefinition') === undefined ? version0(predicate) : version1(predicate);
}

const at = (value: Json | undefined, ...keys: readonly string[]): Json | undefined =>
  keys.reduce<Json | undefined>((found, key) => (isObject(found) ? own(found, key) : undefined), value);

function text(value: Json | undefined, ...keys: readonly string[]): string | null {
  const found = at(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : null;
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

function version0(predicate: Json): Provenance {
  const config = at(predicate, 'invocation', 'configSource') ?? at(predicate, 'recipe');
  const uri = text(config, 'uri');
  return {
    builder: text(predicate, 'builder', 'id'),
    buildType: text(predicate, 'buildType') ?? text(predicate, 'recipe', 'type'),
    source: uri === null ? buildkitSource(at(predicate, 'metadata')) : withRevision(uri, digestOf(config)),
    ...materialsOf(listOf(at(predicate, 'materials'))),
    started: text(predicate, 'metadata', 'buildStartedOn'),
    finished: text(predicate, 'metadata', 'buildFinishedOn'),
  };
}

function version1(predicate: Json): Provenance {
  const definition = at(predicate, 'buildDefinition');
  const details = at(predicate, 'runDetails');
  const materials = listOf(at(definition, 'resolvedDependencies'));
  return {
    builder: text(details, 'builder', 'id'),
    buildType: text(definition, 'buildType'),
    source:
      statedSource(at(definition, 'externalParameters'), materials) ??
      buildkitSource(at(details, 'metadata')),
    ...materialsOf(materials),
    started: text(details, 'metadata', 'startedOn'),
    finished: text(details, 'metadata', 'finishedOn'),
  };
}

/** GitHub's workflow, BuildKit's configSource, or the source of a build type with one. */
function statedSource(parameters: Json | undefined, materials: readonly Json[]): string | null {
  const workflow = text(parameters, 'workflow', 'repository');
  if (workflow !== null)
    return withRevision(workflow, digestOf(materials[0]) ?? text(parameters, 'workflow', 'ref'));
  const config = at(parameters, 'configSource') ?? at(parameters, 'source');
  const uri = text(config, 'uri') ?? text(parameters, 'source');
  return uri === null ? null : withRevision(uri, digestOf(config));
}

/** BuildKit notes the repository of a local build context beside the provenance. */
function buildkitSource(metadata: Json | undefined): string | null {
  const vcs =
    at(metadata, 'https://mobyproject.org/buildkit@v1#metadata', 'vcs') ??
    at(metadata, 'buildkit_metadata', 'vcs');
  const source = text(vcs, 'source');
  return source === null ? null : withRevision(source, text(vcs, 'revision'));
}

/** A revision that the URI has already is not repeated. */
function withRevision(uri: string, revision: string | null): string {
  const plain = revision?.replace(/^(?:sha1|sha256|gitCommit):/, '') ?? '';
  return plain === '' || uri.includes(plain) ? uri : `${uri}@${plain}`;
}

function digestOf(value: Json | undefined): string | null {
  const digests = at(value, 'digest');
  const [first] = isObject(digests) ? Object.entries(digests) : [];
  return first === undefined || typeof first[1] !== 'string' ? null : `${first[0]}:${first[1]}`;
}

const materialsOf = (all: readonly Json[]) => ({
  materials: all
    .slice(0, MOST)
    .map((one): Material => ({ uri: text(one, 'uri') ?? text(one, 'name'), digest: digestOf(one) })),
  materialCount: all.length,
});
