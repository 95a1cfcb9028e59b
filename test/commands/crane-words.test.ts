// The rows of docs/docker.md for crane: these commands print what crane 0.21 prints for a layout that it pushed to a
// registry.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { textOf } from '../support/digest.js';
import { image } from '../support/image.js';
import { described, indexOf, manifestOf, ociLayout, platformManifest } from '../support/layouts.js';
import { toDirectory } from '../support/pack.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const [arm, amd] = await Promise.all(
  ['arm64', 'amd64'].map(architecture =>
    image({ layers: [{ files: { arch: architecture } }], platform: { os: 'linux', architecture } }),
  ),
);
const index = indexOf([arm!, amd!].map(one => platformManifest(one)));
const names = { annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
const folder = toDirectory(
  ociLayout({ manifests: [described(index, names)] }),
  join(temporary('crane'), 'layout'),
);
const text = ({ blobs }: typeof index) => textOf(blobs[0]!.bytes);
const printed = async (...args: string[]) => (await said(args)).stdout;

test('crane manifest: for several platforms the index', async () => {
  assert.is(await printed('manifest', 'inspect', '--raw', folder), text(index));
  const one = await printed('manifest', 'inspect', '--raw', folder, '--platform', 'linux/arm64');
  assert.is(one, text(manifestOf(arm!)));
});

test('crane digest: for several platforms that of the index', async () => {
  const digest = ['--format', '{{.Manifest.Digest}}'];
  const inspect = ['imagetools', 'inspect', folder];
  assert.is((await printed(...inspect, ...digest)).trim(), index.descriptor.digest);
  const one = await printed(...inspect, '--platform', 'linux/arm64', ...digest);
  assert.is(one.trim(), manifestOf(arm!).descriptor.digest);
});

test('crane config: crane uses linux/amd64 by default, waybill needs --platform', async () => {
  const config = await printed('config', '--raw', folder, '--platform', 'linux/amd64');
  assert.is(config, textOf(amd!.configBytes));
  assert.match((await said(['config', '--raw', folder])).stderr, /linux\/amd64/);
});

test.run();
