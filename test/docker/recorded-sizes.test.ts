// Sizes that a real Docker 28.5.2 reported for the images of archives, with two storage drivers that measure
// differently.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive, reportOf } from '../../src/commands.js';
import { hasCorpus, NO_SHARED_FOLDER, repositoryRoot, sharedFolder, testWhen } from '../support/corpus.js';
import { said } from '../support/terminal.js';

interface Sizes {
  readonly naive: number;
  readonly overlay2: number;
  /** The sizes of `docker history`, oldest first. */
  readonly naiveHistory: readonly number[];
}

const { archives } = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/docker/recorded/classic-sizes.json'), 'utf8'),
) as { readonly archives: Readonly<Record<string, Readonly<Record<string, Sizes>>>> };

async function lines(...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr, status } = await said([...args, '--docker', '28']);
  assert.is(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

for (const [name, images] of Object.entries(archives)) {
  testWhen(
    test,
    hasCorpus,
    NO_SHARED_FOLDER,
  )(`sizes of ${name}`, async () => {
    const archive = join(sharedFolder, name);
    const expected = (driver: 'naive' | 'overlay2') =>
      Object.entries(images).map(([id, sizes]) => `${id} ${sizes[driver]}`);
    const format = '{{.ID}} {{.Size}}';
    const naive = await lines('inspect', archive, '-f', format);
    const known = naive.filter(line => line.slice(0, 71) in images);
    if (known.length === 0) {
      // Docker made its own image IDs, but only for images before image IDs.
      const { images: all } = reportOf(await readArchive(archive, { depth: 'metadata' }));
      assert.equal(
        all.map(({ imageId }) => imageId).filter(id => id !== null),
        [],
      );
      return;
    }
    assert.equal(known.sort(), expected('naive').sort());
    const native = await lines('inspect', archive, '--store', 'overlay2', '-f', format);
    assert.equal(native.filter(line => line.slice(0, 71) in images).sort(), expected('overlay2').sort());
    for (const [id, { naiveHistory }] of Object.entries(images)) {
      const history = await lines('history', archive, id, '--human=false', '--format', '{{.Size}}');
      assert.equal(history.map(Number).reverse(), naiveHistory);
    }
  });
}

test.run();
