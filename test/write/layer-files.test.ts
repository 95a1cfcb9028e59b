// The second reading of layers is compared with the first by content, not only by the file's attributes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultLimits } from '../../src/limits.js';
import { digestOf } from '../../src/spec/digest.js';
import { readLayerFiles, type StoredBytes } from '../../src/write/layer-files.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { canCompress, compress, toTar } from '../support/pack.js';
import { refusal, saved } from '../support/reading.js';

const item = await image({ layers: [{ files: { a: 'first', b: 'x'.repeat(3_000_000), c: 'last' } }] });
const layer = item.layers[0]!;
const tar = await toTar(layouts.dockerSave25({ image: item, tags: ['app:1'] }));
const path = layouts.blobPath(item.diffIds[0]!);
const stored: StoredBytes = { size: layer.tar.length, digest: digestOf(layer.tar) };

/** @returns the content of the first file, and whether it is complete */
async function read(file: string, expected: StoredBytes | null, at = path) {
  let text = '';
  const sink = () => ({
    write(bytes: Uint8Array) {
      text += Buffer.from(bytes).toString();
    },
    hole: () => {},
    end: () => {},
  });
  const layers = [{ inside: null, path: at, copies: 1, stored: expected, sinks: new Map([[0, sink]]) }];
  await readLayerFiles(file, layers, defaultLimits, () => {});
  return text;
}

const files = { seekable: saved(tar, 'files.tar') };
const packed = canCompress('gzip') ? { once: saved(compress(tar, 'gzip'), 'files.tar.gz') } : {};

for (const [how, file] of Object.entries({ ...files, ...packed })) {
  test(`${how}: a layer that did not change`, async () => {
    assert.is(await read(file, stored), 'first');
    assert.is(await read(file, null), 'first');
  });

  test(`${how}: a layer that changed after the file`, async () => {
    for (const other of [
      { ...stored, digest: digestOf('x') },
      { ...stored, size: stored.size + 512 },
    ]) {
      const { message } = await refusal(read(file, other));
      assert.match(message, `${path} has changed since its files were listed`);
      assert.match(
        message,
        `expected ${other.size} bytes, ${other.digest}, found ${stored.size} bytes, ${stored.digest}`,
      );
    }
  });

  test(`${how}: a layer that was removed`, async () => {
    const { message } = await refusal(read(file, stored, 'blobs/sha256/gone'));
    assert.match(message, `expected ${stored.size} bytes, ${stored.digest}, found nothing`);
  });
}

test.run();
