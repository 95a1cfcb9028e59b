// Databases that rpm 4.18, rpm's own ndb code and Berkeley DB 5.3 wrote about the same packages, and the output of `rpm
// -qa`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Installed, packagesOf } from '../../src/packages/databases.js';
import { repositoryRoot } from '../support/corpus.js';

const folder = join(repositoryRoot, 'test/packages/recorded');

export const recordedDatabase = (name: string): Uint8Array =>
  new Uint8Array(gunzipSync(readFileSync(join(folder, `${name}.gz`))));

export interface RecordedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  readonly files: readonly string[];
}

/** Sorted by name. Files with a leading slash. */
export const recordedPackages: readonly RecordedPackage[] = readFileSync(join(folder, 'rpm.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => line.split('\t'))
  .map(([name, version, arch, ...files]) => ({ name: name!, version: version!, arch: arch!, files }));

/** The packages in a tree with only these files. */
export const installed = (files: Readonly<Record<string, string | Uint8Array>>): Installed =>
  packagesOf({
    paths: Object.keys(files),
    read: path => {
      const content = files[path];
      return typeof content === 'string' ? Buffer.from(content) : (content ?? null);
    },
  });
