// Binaries of Node for systems other than the one that makes the deliveries: from npm, at versions and digests that are
// written here.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** The digests of npm packages, as the registry has them, by system and version of Node. They have the same files. */
const DIGESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'linux-arm64': {
    '20.20.2':
      'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
    '24.21.0':
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** Why the executable of a system cannot be made with a version of Node; null if it can. */
export function whyNot(system: string, version: string): string | null {
  const versions = DIGESTS[system];
  if (versions === undefined)
    return `--executable: expected ${Object.keys(DIGESTS).join(' or ')}, found ${JSON.stringify(system)}`;
  if (versions[version] !== undefined) return null;
  const listed = Object.keys(versions).join(' or ');
  return `--executable ${system}: expected Node ${listed}, found ${version}: run the build with one of these, or name its binary with --node`;
}

/**
 * Calls a function with the binary for another system, from npm's cache or the registry.
 * @param version  of Node: that which makes the executable
 * @throws Error if the system or the version is not listed, or the package has other bytes than those that are
 */
export async function withNodeOf<T>(system: string, version: string, work: (node: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-node-'));
  try {
    const name = `node-${system}@${version}`;
    const args = ['pack', name, '--prefer-offline', '--loglevel', 'error', '--pack-destination', folder];
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const file = join(folder, `node-${system}-${version}.tgz`);
    const [expected, found] = [DIGESTS[system]?.[version], digestOf(readFileSync(file))];
    if (found !== expected) throw new Error(`${name}: expected ${expected}, found ${found}`);
    const node = join(folder, 'node');
    await takeBinary(file, node);
    return work(node);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As the registry writes it. https://www.w3.org/TR/SRI/ */
const digestOf = (bytes: Uint8Array): string =>
  `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

async function takeBinary(packed: string, output: string): Promise<void> {
  const tar = extract();
  const reading = pipeline(createReadStream(packed), createGunzip(), tar);
  for await (const entry of tar) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry)
      if (entry.header.name === 'package/bin/node') chunks.push(chunk as Uint8Array);
    if (chunks.length > 0) writeFileSync(output, Buffer.concat(chunks));
  }
  await reading;
}
