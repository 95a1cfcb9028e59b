import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Codec } from '../../src/codec/codec.js';
import { codecFor, loadCodecs } from '../../src/codec/registry.js';
import { isInstalled } from '../installed.js';
import { compare, type Line, megabytesPerSecond, type Scope } from './line.js';

interface Packer {
  readonly name: Codec['name'];
  readonly pack: readonly string[];
  /** The same work by a command, including its start. */
  readonly unpack: readonly string[];
}

const PACKERS: readonly Packer[] = [
  { name: 'gzip', pack: ['-6', '-c'], unpack: ['-dc'] },
  { name: 'zstd', pack: ['-3', '-q', '-c'], unpack: ['-q', '-dc'] },
  { name: 'xz', pack: ['-1', '-c'], unpack: ['-dc', '-T1'] },
  { name: 'bzip2', pack: ['-9', '-c'], unpack: ['-dc'] },
];
const CHUNK = 256 * 1024;

/** Compares each of our decoders with the command of its name, over a file. */
export async function codecLines({ content, folder, rounds }: Scope): Promise<Line[]> {
  await loadCodecs();
  const source = join(folder, 'plain');
  writeFileSync(source, content);
  const lines: Line[] = [];
  for (const { name, pack, unpack } of PACKERS.filter(packer => isInstalled(packer.name))) {
    const file = join(folder, name);
    writeFileSync(file, execFileSync(name, [...pack, source], { maxBuffer: 2 ** 31 - 1 }));
    const [ours, theirs] = await compare(
      rounds,
      () => {
        if (unpackedSize(name, file) !== content.length) throw new Error(`${name}: not everything came out`);
      },
      () => {
        execFileSync(name, [...unpack, file], { stdio: ['ignore', 'ignore', 'inherit'] });
      },
    );
    lines.push({
      name: `unpack ${name}`,
      value: megabytesPerSecond(content.length, ours),
      unit: 'MB/s',
      other: [name, ...unpack].join(' '),
      otherValue: megabytesPerSecond(content.length, theirs),
    });
  }
  return lines;
}

function unpackedSize(name: Codec['name'], file: string): number {
  let total = 0;
  const decoder = codecFor(name).open(bytes => {
    total += bytes.length;
  });
  const descriptor = openSync(file, 'r');
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  for (let length = readSync(descriptor, chunk); length > 0; length = readSync(descriptor, chunk))
    decoder.write(chunk.subarray(0, length));
  closeSync(descriptor);
  decoder.end();
  decoder.close();
  return total;
}
