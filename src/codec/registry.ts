import { bzip2 } from './bzip2.js';
import type { Codec } from './codec.js';
import { gzip } from './gzip.js';
import { xz } from './xz.js';
import { zstd } from './zstd.js';

/** Every compression, in the order in which magic bytes are tried. A new codec is one file and one line here. */
export const codecs = [gzip, zstd, xz, bzip2] as const;

export type CodecName = (typeof codecs)[number]['name'];

/** How a layer or a whole archive is compressed: decided by magic bytes, never by name or media type. */
export type Compression = 'none' | CodecName;

/** Threads pass a compression to each other as its index in this list. */
export const compressions: readonly Compression[] = ['none', ...codecs.map(({ name }) => name)];

/** The compression of a stream that begins with `head`; `none` where no codec recognises it. */
export function sniff(head: Uint8Array): Compression {
  return codecs.find(codec => codec.matches(head))?.name ?? 'none';
}

/** @throws Error for a name that no codec has */
export function codecFor(name: string): Codec<CodecName> {
  const found = codecs.find(codec => codec.name === name);
  if (found === undefined) throw new Error(`no codec is registered for ${name}`);
  return found;
}

/** Makes `open` usable, for all compressions or for those named. WebAssembly takes some milliseconds to compile. */
export async function loadCodecs(names: readonly Compression[] = compressions): Promise<void> {
  await Promise.all(codecs.filter(codec => names.includes(codec.name)).map(codec => codec.load()));
}
