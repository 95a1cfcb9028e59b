// Archives for fault injection: one that workers read, and one with a long report.
import { createCipheriv } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assemble, image, layer, layerOf } from '../support/image.js';
import { dockerSave25, skopeoOci } from '../support/layouts.js';
import { toTar, toZip } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const MiB = 1024 * 1024;

/** More than a file that is read at once. */
const DATA_BYTES = 1.1 * MiB;

/** A small archive with everything that is written in its own way. */
export const smallArchive = async (): Promise<string> =>
  save('small.tar', await toTar(dockerSave25(await smallImage())));

/** The same as a zip of an OCI layout. */
export const zippedArchive = async (): Promise<string> =>
  save('hello.zip', toZip(skopeoOci(await smallImage())));

async function smallImage() {
  const files = { 'etc/motd': 'hello', 'etc/empty': '', 'srv/data': new Uint8Array(DATA_BYTES) };
  const entries = [
    { path: 'etc/link', type: 'symlink', link: 'motd' },
    { path: 'etc/hard', type: 'link', link: 'etc/motd' },
  ] as const;
  const one = await image({ layers: [{ files, entries }, { files: { 'etc/motd': 'goodbye' } }] });
  return { image: one, tags: ['small:1'] };
}

/** The small archive as one gzip stream, which is no smaller. */
export const gzippedArchive = async (): Promise<string> =>
  save('hello.tar.gz', gzipSync(readFileSync(await smallArchive()), { level: 0 }));

/** Two uncompressed layers, both large enough for worker threads. */
export async function largeArchive(): Promise<string> {
  const layers = ['a', 'b'].map(name => ({
    files: { [name]: new Uint8Array(17 * MiB).fill(name.charCodeAt(0)) },
  }));
  return save('large.tar', await toTar(dockerSave25({ image: await image({ layers }), tags: ['large:1'] })));
}

/** The same with compressed layers; one is so large that two threads process it. */
export async function packedArchive(): Promise<string> {
  const layers = await Promise.all(
    (
      [
        ['a', 28],
        ['b', 8],
      ] as const
    ).map(async ([name, size]) => {
      const { tar } = await layer({ files: { [name]: noise(name, size * MiB) } });
      return layerOf(tar, gzipSync(tar, { level: 1 }), 'gzip');
    }),
  );
  const { configBytes } = await image({ layers: layers.map(({ tar }) => ({ tar })) });
  const packed = { image: assemble(configBytes, layers), tags: ['packed:1'] };
  return save('packed.tar', await toTar(skopeoOci(packed)));
}

/** Bytes that do not compress, the same each time. */
function noise(seed: string, length: number): Uint8Array {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return new Uint8Array(cipher.update(Buffer.alloc(length)));
}

/** Thousands of small files: a listing that is longer than the buffer of a pipe. */
export async function manyArchive(): Promise<string> {
  const names = Array.from({ length: 2500 }, (_, i) => `srv/data/directory-${i % 50}/file-number-${i}`);
  const files = Object.fromEntries(names.map(name => [name, name]));
  const config = { config: { Env: names } };
  const one = await image({ layers: [{ files }], config });
  return save('many.tar', await toTar(dockerSave25({ image: one, tags: ['many:1'] })));
}

function save(name: string, bytes: Uint8Array): string {
  const path = join(temporary('faults'), name);
  writeFileSync(path, bytes);
  return path;
}
