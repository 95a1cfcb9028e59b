// Packages of real images: the databases are found, and the owners of files are known.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { installedIn, KEPT_FOR_PACKAGES } from '../../src/analysis/installed.js';
import { readArchive } from '../../src/commands.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';

const files = new Map(corpus().map(({ id, file }) => [id, file]));
const run = testWhen(test, files.size > 0, NO_SHARED_FOLDER);

async function installed(id: string) {
  const { parts } = await readArchive(files.get(id)!, { depth: 'files', files: KEPT_FOR_PACKAGES });
  const { scan, graph } = parts[0]!;
  const tables = tablesOf(scan, graph.images[0]!);
  return installedIn(squash(tables), tables);
}

run('apk: alpine 3.10', async () => {
  const { packages, notes, ownerOf } = await installed('trivy.alpine-310.tar.gz');
  assert.equal(notes, []);
  assert.is(packages.length, 14);
  assert.is(packages.find(({ name }) => name === 'musl')?.version, '1.1.22-r3');
  assert.is(ownerOf('bin/busybox')?.name, 'busybox');
  assert.is(ownerOf('etc/apk')?.name, 'alpine-baselayout');
  assert.is(ownerOf('nowhere'), null);
});

run('apk below usr, as apko puts it', async () => {
  const { packages, notes } = await installed('apko.golden.d');
  assert.equal([packages.length > 0, notes], [true, []]);
});

run('dpkg: nginx on debian', async () => {
  const { packages, notes } = await installed('snyk.nginx.tar');
  assert.equal(notes, []);
  assert.equal(
    packages
      .filter(({ name }) => name === 'bash' || name === 'libc6')
      .map(({ name, version }) => `${name} ${version}`),
    ['bash 5.0-4', 'libc6 2.28-10'],
  );
});

run('dpkg: distroless', async () => {
  const { packages, notes } = await installed('scancodeio.gcr_io_distroless_base.tar.gz');
  assert.equal(notes, []);
  assert.equal(packages.map(({ name }) => name).sort(), [
    'base-files',
    'libc6',
    'libssl1.1',
    'netbase',
    'openssl',
    'tzdata',
  ]);
});

test.run();
