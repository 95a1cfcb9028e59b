import { digestKind } from './digest.js';
import { type FieldProblem, Fields, type Json, pointer } from './json.js';

import type { Platform } from './platform.js';

/**
 * A content descriptor: what, how big, under which digest.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  /** JSON pointer to the descriptor in its document. */
  readonly pointer: string;
  readonly mediaType: string | null;
  /** null when missing or malformed: such a descriptor points nowhere. */
  readonly digest: string | null;
  /** The value that the field has instead, for messages. */
  readonly digestText: string;
  /** Bytes. */
  readonly size: number | null;
  readonly urls: readonly string[];
  readonly annotations: ReadonlyMap<string, string>;
  /** The content itself, decoded from base64. */
  readonly data: Uint8Array | null;
  readonly artifactType: string | null;
  readonly platform: Platform | null;
}

/** With the value `true` it marks an entry of an index whose layers are compressed with zstd (containers/image). */
export const ZSTD_MARK = 'io.github.containers.compression.zstd';

const KEYS = ['mediaType', 'digest', 'size', 'urls', 'annotations', 'data', 'artifactType', 'platform'];
const PLATFORM_KEYS = ['architecture', 'os', 'os.version', 'os.features', 'variant'];

export function parseDescriptor(
  value: Json | undefined,
  at: string,
  problems: FieldProblem[],
): Descriptor | null {
  const fields = Fields.of(value, at, problems);
  if (fields === null) return null;
  fields.checkCase(KEYS);
  return {
    pointer: at,
    mediaType: fields.string('mediaType', 'required'),
    digest: parseDigest(fields),
    digestText: String(fields.any('digest') ?? '(no digest)'),
    size: fields.size('size', 'required'),
    urls: fields.strings('urls') ?? [],
    annotations: fields.stringMap('annotations') ?? new Map(),
    data: parseData(fields),
    artifactType: fields.string('artifactType'),
    platform: parsePlatformField(fields),
  };
}

export function parseDescriptors(fields: Fields, key: string, problems: FieldProblem[]): Descriptor[] {
  return (fields.array(key) ?? [])
    .map((item, i) => parseDescriptor(item, pointer(fields.at, key, i), problems))
    .filter(descriptor => descriptor !== null);
}

function parseDigest(fields: Fields): string | null {
  const digest = fields.string('digest', 'required');
  if (digest === null || digestKind(digest) !== 'malformed') return digest;
  fields.problem(
    pointer(fields.at, 'digest'),
    'a digest such as sha256:<64 hex digits>',
    JSON.stringify(digest),
  );
  return null;
}

function parseData(fields: Fields): Uint8Array | null {
  const text = fields.string('data');
  if (text === null) return null;
  // No group is repeated: the pattern would run out of stack at some megabytes.
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return Buffer.from(text, 'base64');
  }
  fields.problem(pointer(fields.at, 'data'), 'base64 (RFC 4648 section 4)', 'text that is not base64');
  return null;
}

/** `architecture` and `os` are REQUIRED where a platform stands at all (image-index.md). */
function parsePlatformField(fields: Fields): Platform | null {
  const platform = fields.object('platform');
  if (platform === null) return null;
  platform.checkCase(PLATFORM_KEYS);
  return {
    os: platform.string('os', 'required') ?? '',
    architecture: platform.string('architecture', 'required') ?? '',
    variant: platform.string('variant') || null,
    osVersion: platform.string('os.version') || null,
  };
}
