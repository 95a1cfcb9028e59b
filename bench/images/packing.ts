// Compresses bytes of a file as an engine compresses a layer: gzip at level 6, zstd at level 3.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';

export type Packing = 'gzip' | 'zstd';

const CHUNK = 1024 * 1024;
/** pigz writes one gzip member like gzip, on all cores; neither command adds names or times. */
const COMMANDS: Readonly<Record<Packing, readonly [string, ...string[]]>> = {
  gzip: ['pigz', '-n', '-6', '-c'],
  zstd: ['zstd', '-q', '-3', '-c'],
};
/** Node's zlib has zstd since 22.15. */
const { createZstdCompress } = zlib as { createZstdCompress?: () => Transform };
const LIBRARY: Readonly<Record<Packing, (() => Transform) | undefined>> = {
  gzip: () => zlib.createGzip({ level: 6, chunkSize: CHUNK }),
  zstd: createZstdCompress,
};

export interface Range {
  readonly file: string;
  readonly start: number;
  readonly size: number;
}

type Put = (piece: Buffer) => void;

export const canPack = (packing: Packing): boolean => hasCommand(packing) || LIBRARY[packing] !== undefined;

const hasCommand = (packing: Packing) =>
  spawnSync(COMMANDS[packing][0], ['--version'], { stdio: 'ignore' }).status === 0;

export async function packRange({ file, start, size }: Range, packing: Packing, put: Put): Promise<void> {
  const source = createReadStream(file, { start, end: start + size - 1, highWaterMark: CHUNK });
  const putAll = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) put(piece);
  };
  if (!hasCommand(packing)) {
    await pipeline(source, LIBRARY[packing]!(), putAll);
    return;
  }
  const [command, ...args] = COMMANDS[packing];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  await Promise.all([pipeline(source, child.stdin), putAll(child.stdout)]);
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}
