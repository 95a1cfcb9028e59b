// Shared by the codec tests: bytes to compress, native tools that compress them, and a run of our decoders.
import { execFileSync } from 'node:child_process';
import * as zlib from 'node:zlib';
import { test } from 'uvu';
import { type Codec, CodecError, type Decoder, type Sink, type StreamShape } from '../../src/codec/codec.js';
import { codecFor, loadCodecs } from '../../src/codec/registry.js';
import { zstdBy } from '../../src/codec/zstd.js';
import { nodeZstd, webAssemblyZstd } from '../../src/codec/zstd-decoders.js';
import { hasCommand } from '../support/compression.js';
import { testWhen } from '../support/corpus.js';

export interface Outcome {
  readonly bytes: Buffer;
  readonly shape: StreamShape;
  readonly error: CodecError | null;
}

/** A small generator with a seed, so that failures are reproducible. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Words, zeros, runs and noise, which the formats encode differently. */
export function sample(length: number, seed = 1): Buffer {
  const next = random(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const kind = Math.floor(next() * 4);
    const end = Math.min(length, at + 1 + Math.floor(next() * 3000));
    if (kind === 1) bytes.fill(Math.floor(next() * 256), at, end);
    if (kind === 2) for (let i = at; i < end; i += 1) bytes[i] = Math.floor(next() * 256);
    if (kind === 3) for (let i = at; i < end; i += 1) bytes[i] = 97 + Math.floor(next() * next() * 26);
    at = end;
  }
  return bytes;
}

export function native(command: string, args: readonly string[], input: Uint8Array): Buffer {
  const options = { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'] };
  return execFileSync(command, args, options);
}

/** A test that needs a command; it is skipped, visibly, if the command is missing. */
export const testWith = (command: string, name: string, body: () => Promise<void> | void): void =>
  testWhen(test, hasCommand(command), `there is no ${command}`)(name, body);

/** A codec under test. */
export interface Tested {
  readonly name: string;
  readonly codec: Codec;
  /** The reason why it cannot be tested here; null if it can. */
  readonly absent: string | null;
}

/** Both implementations of zstd; the registry has one of them. */
export const zstdTested: readonly Tested[] = [
  { name: 'zstd as WebAssembly', codec: zstdBy(webAssemblyZstd), absent: null },
  {
    name: "Node's zstd",
    codec: zstdBy(nodeZstd),
    absent: 'createZstdDecompress' in zlib ? null : `Node ${process.version} has no zstd`,
  },
];

/** A test of a codec with bytes that a command packs; it is skipped, visibly, if one of them is missing. */
export function testCodec(
  { name, absent }: Tested,
  command: string | null,
  title: string,
  body: () => Promise<void> | void,
): void {
  const lacking = absent ?? (command === null || hasCommand(command) ? null : `there is no ${command}`);
  testWhen(test, lacking === null, lacking ?? '')(`${name}: ${title}`, body);
}

export function pieces(bytes: Uint8Array, size: () => number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(1, Math.floor(size()));
    list.push(bytes.subarray(at, at + length));
    at += length;
  }
  return list;
}

/** Decodes. The input buffer is overwritten after every write, as callers of decoders may do. */
export function drive(open: (sink: Sink) => Decoder, parts: readonly Uint8Array[]): Outcome {
  const output: Buffer[] = [];
  const decoder = open(chunk => output.push(Buffer.from(chunk)));
  let error: CodecError | null = null;
  try {
    for (const part of parts) {
      const copy = Uint8Array.from(part);
      decoder.write(copy);
      copy.fill(0xaa);
    }
    decoder.end();
  } catch (thrown) {
    if (!(thrown instanceof CodecError)) throw thrown;
    error = thrown;
  } finally {
    decoder.close();
    decoder.close();
  }
  return { bytes: Buffer.concat(output), shape: decoder.shape, error };
}

export function decode(
  codec: Codec | Codec['name'],
  ...parts: readonly (Uint8Array | readonly Uint8Array[])[]
): Outcome {
  const { open } = typeof codec === 'string' ? codecFor(codec) : codec;
  // As an array, because a hundred thousand pieces are too many arguments for a call.
  return drive(
    open,
    parts.flatMap(part => (part instanceof Uint8Array ? [part] : part)),
  );
}

await loadCodecs();
for (const { codec, absent } of zstdTested) if (absent === null) await codec.load();
