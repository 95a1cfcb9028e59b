// How fast each decoder unpacks, in MB of output a second, beside the native command on the same bytes.
//
//   node dist/bench/codec.js [megabytes] [rounds]
//
// The bytes are Node's own executable: as large, as mixed and as packable as what container layers hold. The native
// command reads a file and writes to /dev/null, and its start is part of its time.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Codec } from '../src/codec/codec.js';
import { codecFor, loadCodecs } from '../src/codec/registry.js';

const megabytes = Number(process.argv[2] ?? 64);
const rounds = Number(process.argv[3] ?? 5);
const CHUNK = 256 * 1024;
const PACKERS: readonly (readonly [
  Codec['name'],
  command: string,
  pack: readonly string[],
  unpack: readonly string[],
])[] = [
  ['gzip', 'gzip', ['-6', '-c'], ['-dc']],
  ['zstd', 'zstd', ['-3', '-q', '-c'], ['-q', '-dc']],
  ['xz', 'xz', ['-1', '-c'], ['-dc', '-T1']],
  ['bzip2', 'bzip2', ['-9', '-c'], ['-dc']],
];

function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function unpack(name: Codec['name'], file: string, chunk: Uint8Array): number {
  let total = 0;
  const decoder = codecFor(name).open(bytes => {
    total += bytes.length;
  });
  const descriptor = openSync(file, 'r');
  for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk)) {
    decoder.write(chunk.subarray(0, length));
  }
  closeSync(descriptor);
  decoder.end();
  decoder.close();
  return total;
}

const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-'));
try {
  await loadCodecs();
  const part = readFileSync(process.execPath);
  const bytes = Buffer.alloc(megabytes * 1_000_000);
  // A whole executable later nothing is within any window but zstd's and xz's largest, which are not used here.
  for (let at = 0; at < bytes.length; at += part.length) part.copy(bytes, at);
  const source = join(folder, 'plain');
  writeFileSync(source, bytes);
  console.log(
    `${megabytes} MB, Node ${process.version}, medians of ${rounds} alternating runs, MB/s of output`,
  );
  for (const [name, command, pack, unpackArgs] of PACKERS) {
    const packed = execFileSync(command, [...pack, source], { maxBuffer: 2 ** 31 - 1 });
    const file = join(folder, name);
    writeFileSync(file, packed);
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ours.push(
        time(() => {
          if (unpack(name, file, chunk) !== bytes.length) throw new Error(`${name}: not everything came out`);
        }),
      );
      theirs.push(
        time(() => execFileSync(command, [...unpackArgs, file], { stdio: ['ignore', 'ignore', 'inherit'] })),
      );
    }
    const speed = (times: readonly number[]) => (bytes.length / 1000 / median(times)).toFixed(0).padStart(5);
    const ratio = (bytes.length / packed.length).toFixed(1);
    console.log(
      `${name.padEnd(6)} waybill ${speed(ours)}   ${command.padEnd(6)} ${speed(theirs)}   (packed ${ratio}:1)`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
