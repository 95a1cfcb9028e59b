// The squashed file system of every real image, compared with Python's tarfile and truth.py.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive } from '../../src/commands.js';
import { type FileTree, squash } from '../../src/filesystem/file-tree.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import type { Image } from '../../src/link/graph.js';
import { corpus, NO_SHARED_FOLDER, type TruthImage, testWhen } from '../support/corpus.js';

function numbers({ nodes }: FileTree) {
  const inodes = new Set(
    nodes.filter(({ type }) => type === 'file' || type === 'hardlink').map(node => node.inode),
  );
  const bytes = nodes
    .filter(({ linkedTo, type }) => linkedTo === null && type === 'file')
    .reduce((sum, { entry }) => sum + entry.size, 0);
  const count = (...types: readonly string[]) => nodes.filter(({ type }) => types.includes(type)).length;
  return {
    files: count('file', 'hardlink'),
    distinct_files: inodes.size,
    dirs: count('directory'),
    symlinks: count('symlink'),
    others: count('char', 'block', 'fifo', 'other'),
    bytes,
  };
}

const sameImage = (image: Image, truth: TruthImage) =>
  truth.view === 'v1'
    ? image.v1Id === truth.v1_id
    : truth.view === 'docker'
      ? image.config?.document?.digest === truth.image_id
      : image.manifest?.digest === truth.manifest_digest;

const run = testWhen(test, corpus().length > 0, NO_SHARED_FOLDER);
if (corpus().length === 0) run('squash', () => {});

for (const { id, file, truth } of corpus()) {
  const images = Object.values(truth.views)
    .flat()
    .filter(image => image.squash != null);
  if (images.length === 0) continue;
  run(`${id}: squashed`, async () => {
    const { parts } = await readArchive(file, { depth: 'files' });
    for (const expected of images) {
      const [found] = parts.flatMap(({ scan, graph }) =>
        graph.images.filter(image => sameImage(image, expected)).map(image => ({ scan, image })),
      );
      const tree = squash(tablesOf(found!.scan, found!.image));
      const { oddities, shadowed_bytes: _, ...rest } = expected.squash!;
      assert.equal(numbers(tree), rest, expected.image_id ?? expected.v1_id ?? '');
      assert.equal(tree.incomplete, []);
      assert.equal(oddities, {});
      // Some real layers list directories twice, which truth.py ignores.
      const odd = tree.oddities.flatMap(({ kind, places }) => places.map(({ path }) => ({ kind, path })));
      const unexpected = odd.filter(
        ({ kind, path }) =>
          kind !== 'link-leaves-root' && !(kind === 'duplicate-name' && tree.get(path)?.type === 'directory'),
      );
      assert.equal(unexpected, []);
    }
  });
}

test.run();
