import { bzip2 } from './bzip2.js';
import type { Codec, Compression } from './codec.js';
import { gzip } from './gzip.js';
import { xz } from './xz.js';
import { zstd } from './zstd.js';

/** A new compression is one file and one entry here. */
export const codecs: readonly Codec[] = [gzip, zstd, xz, bzip2];

export function sniff(head: Uint8Array): Compression {
  return codecs.find(codec => codec.matches(head))?.name ?? 'none';
}

export function codecFor(name: Codec['name']): Codec {
  const found = codecs.find(codec => codec.name === name);
  if (found === undefined) throw new Error(`no codec is registered for ${name}`);
  return found;
}

/** Makes `open` usable, for all compressions or for those named. WebAssembly takes some milliseconds to compile. */
export async function loadCodecs(
  names: readonly Compression[] = codecs.map(codec => codec.name),
): Promise<void> {
  await Promise.all(codecs.filter(codec => names.includes(codec.name)).map(codec => codec.load()));
}
