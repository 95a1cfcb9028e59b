// The parts of an archive that are under a claim: where a changed byte must be reported, and where it need not.
import { type Finding, InputError } from '../../src/commands.js';
import { textOf } from './digest.js';
import { isFile, type Member } from './members.js';

const BLOCK = 512;

/** The result of a reading: its findings, or the error. */
export type Outcome = readonly Finding[] | InputError;

const keyOf = ({ code, at, data }: Finding) => JSON.stringify([code, at, data]);

/** True if a reading reports something that the undamaged archive does not have. */
export function tells(outcome: Outcome, whole: Outcome): boolean {
  if (outcome instanceof InputError) return true;
  const known = new Set((whole as readonly Finding[]).map(keyOf));
  return outcome.some(finding => !known.has(keyOf(finding)));
}

// Parts that no claim covers. Kept as small as possible: every other byte must be covered.

/** Files whose content is not claimed and not read. */
const FREE_FILES = /(^|\/)VERSION$|^version$/;
/** podman's v1 files: their IDs are podman's own, and nothing refers to their content. They must still be JSON. */
const FREE_JSON = /^[0-9a-f]{64}\/json$/;

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into here, whatever they are
type Json = any;

interface Descriptor {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
  readonly size?: unknown;
}

/** The claims of a document that no digest covers. The rest of it is free text. */
function claimsOf(path: string, document: Json): unknown {
  const bytes = ({ digest, size }: Descriptor) => ({ digest, size });
  switch (path) {
    case 'index.json':
      // Free: annotations, an absent platform, and an absent mediaType. Names are compared if two documents have them.
      return {
        ...pick(document, 'schemaVersion'),
        manifests: document.manifests?.map((entry: Descriptor) => ({
          ...bytes(entry),
          ...pick(entry, 'mediaType'),
        })),
      };
    case 'manifest.json':
      // Free in skopeo's: media types. In Docker's: absent LayerSources, or ones with an unknown media type.
      return Array.isArray(document)
        ? document.map(item => pick(item, 'Config', 'RepoTags', 'Layers'))
        : {
            ...pick(document, 'schemaVersion'),
            config: document.config && bytes(document.config),
            layers: document.layers?.map(bytes),
          };
    default:
      return document;
  }
}

function pick(value: Json, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map(key => [key, value?.[key]]));
}

/** White space between tokens, and free text. */
function sameClaims(path: string, before: Uint8Array, after: Uint8Array): boolean {
  const claims = (bytes: Uint8Array) => {
    try {
      return JSON.stringify(claimsOf(path, JSON.parse(textOf(bytes))));
    } catch {
      return null;
    }
  };
  const [was, is] = [claims(before), claims(after)];
  return is !== null && (was === is || FREE_JSON.test(path));
}

export function contentIsOutside(row: string, path: string, before: Uint8Array, after: Uint8Array): boolean {
  if (FREE_FILES.test(path)) return true;
  const unclaimed = ['index.json', 'manifest.json', 'oci-layout', 'repositories'].includes(path);
  return (unclaimed || (row === 'F' && FREE_JSON.test(path))) && sameClaims(path, before, after);
}

/** The checksum field may be padded with zeros, spaces or NULs without changing the header's meaning. */
function headerIsOutside(before: Uint8Array, after: Uint8Array, at: number): boolean {
  const sum = (block: Uint8Array) => /^[ \0]*([0-7]+)[ \0]*$/.exec(textOf(block.subarray(148, 156)))?.[1];
  const [was, is] = [sum(before), sum(after)].map(digits => digits && Number.parseInt(digits, 8));
  return at >= 148 && at < 156 && is !== undefined && was === is;
}

export interface Region {
  readonly kind: 'header' | 'content' | 'padding' | 'end';
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** The regions in the tar of these members, whose names all fit into one header. */
export function regionsOf(members: readonly Member[], length: number): Region[] {
  const regions: Region[] = [];
  let start = 0;
  const add = (kind: Region['kind'], path: string, size: number) => {
    regions.push({ kind, path, start, end: start + size });
    start += size;
  };
  for (const member of members) {
    const size = isFile(member) ? member.bytes.length : 0;
    add('header', member.path, BLOCK);
    add('content', member.path, size);
    add('padding', member.path, -size & (BLOCK - 1));
  }
  add('end', '', length - start);
  return regions;
}

export const isOutside = (
  row: string,
  region: Region,
  before: Uint8Array,
  after: Uint8Array,
  at: number,
): boolean =>
  region.kind === 'header'
    ? headerIsOutside(before, after, at)
    : region.kind === 'content' && contentIsOutside(row, region.path, before, after);
