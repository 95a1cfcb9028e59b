// Compresses deterministically on one machine.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const COMMANDS = {
  zstd: ['zstd', '-q', '-c', '-3', '--single-thread', '-'],
  xz: ['xz', '-q', '-c', '-6', '--threads=1'],
  bzip2: ['bzip2', '-q', '-c', '-9'],
} as const satisfies Partial<Record<Compression, readonly [string, ...string[]]>>;

const known = new Map<string, boolean>();

/** True if a command is on the PATH. */
export function hasCommand(name: string): boolean {
  const found =
    known.get(name) ?? (process.env.PATH ?? '').split(delimiter).some(dir => executable(join(dir, name)));
  known.set(name, found);
  return found;
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** True if `compress` supports this format here. */
export const canCompress = (how: Compression): boolean => how === 'none' || how === 'gzip' || hasCommand(how);

export function compress(bytes: Uint8Array, how: Compression): Uint8Array {
  if (how === 'none') return bytes;
  if (how === 'gzip') return gzip(bytes);
  const [command, ...args] = COMMANDS[how];
  const { status, stdout, stderr, error } = spawnSync(command, args, { input: bytes, maxBuffer: 1 << 30 });
  if (error !== undefined) throw new Error(`cannot run ${command}`, { cause: error });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.toString()}`);
  return new Uint8Array(stdout);
}

function gzip(bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(gzipSync(bytes, { level: 9 }));
  // RFC 1952 2.3: MTIME (bytes 4 to 7) is already 0; OS (byte 9) differs between platforms, 255 is "unknown".
  packed[9] = 255;
  return packed;
}
