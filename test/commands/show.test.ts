// `waybill show`: sizes, settings for containers, history.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShowReport, show } from '../../src/commands/show.js';
import { readArchive } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { type ImageSpec, image, type LayerSpec } from '../support/image.js';
import { dockerSave, manifestOf, ociLayout, platformManifest } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';

const LAYER: LayerSpec = { files: { 'bin/app': 'x'.repeat(5000) }, createdBy: 'COPY app /bin/' };

async function shown(spec: Partial<ImageSpec>) {
  const one = await image({ layers: [LAYER], ...spec });
  const members =
    spec.layers === undefined
      ? dockerSave([{ image: one, tags: ['app:1'] }])
      : ociLayout({ manifests: [platformManifest(one)] });
  const result = show(await readArchive(saved(await toTar(members)), { depth: 'metadata' }), {});
  const text = toText(result.doc, { width: 80, color: false });
  return { one, text, image: (result.data as ShowReport).images[0]! };
}

const config = (settings: object) => ({ config: { config: settings } as never });

test('the compression of an encrypted layer is unknown', async () => {
  const one = await image({ layers: [LAYER] });
  const sealed = { ...one, layers: [{ ...one.layers[0]!, blob: Buffer.from('sealed '.repeat(100)) }] };
  const tar = await toTar(ociLayout({ manifests: [manifestOf(sealed, { encrypted: true })] }));
  const { doc } = show(await readArchive(saved(tar, 'sealed.tar'), { depth: 'metadata' }), {});
  assert.match(toText(doc, { width: null, color: false }), / +encrypted +/);
  assert.not.match(toText(doc, { width: null, color: false }), /none, encrypted/);
});

test('settings for running a container are shown', async () => {
  const { text, image } = await shown(
    config({
      Env: ['PATH=/bin', 'A=b c'],
      WorkingDir: '/srv',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'], Interval: 30e9, Timeout: 3e9, Retries: 3 },
      StopSignal: 'SIGQUIT',
      Labels: { team: 'web' },
      User: 'app',
    }),
  );
  for (const line of [
    /^ {2}user +app$/m,
    /^ {2}workdir +\/srv$/m,
    /^ {2}ports +80\/tcp, 53\/udp$/m,
    /^ {2}volumes +\/data$/m,
    /^ {2}healthcheck +curl -f localhost \(every 30s, timeout 3s, retries 3\)$/m,
    /^ {2}stop signal +SIGQUIT$/m,
    /^ {2}env +PATH=\/bin\n +A=b c$/m,
    /^ {2}labels +team=web$/m,
  ])
    assert.match(text, line);
  assert.equal(
    [image.env, image.exposedPorts],
    [
      ['PATH=/bin', 'A=b c'],
      ['80/tcp', '53/udp'],
    ],
  );
  assert.equal([image.workingDir, image.volumes, image.stopSignal], ['/srv', ['/data'], 'SIGQUIT']);
  assert.is(image.healthcheck!.interval, 30e9);
  assert.equal(
    image.history.map(({ createdBy, emptyLayer }) => [createdBy, emptyLayer]),
    [['COPY app /bin/', false]],
  );
});

test('absent settings are not printed', async () => {
  const { text, image } = await shown(config({}));
  for (const label of ['workdir', 'ports', 'volumes', 'healthcheck', 'stop signal', 'env', 'labels'])
    assert.not.match(text, new RegExp(`^  ${label} `, 'm'));
  assert.equal([image.workingDir, image.healthcheck, image.stopSignal], [null, null, null]);
});

test('a disabled healthcheck, and settings of the wrong type', async () => {
  assert.match((await shown(config({ Healthcheck: { Test: ['NONE'] } }))).text, /healthcheck +none: /);
  const odd = { Healthcheck: 7, ExposedPorts: [], Volumes: 'x', WorkingDir: {}, StopSignal: 9, Shell: 'sh' };
  assert.equal((await shown(config(odd))).image.healthcheck, null);
});

test('many labels and long ones are cut in text, and complete in JSON', async () => {
  const Labels = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`label${i}`, 'v'.repeat(i * 100)]));
  const { text, image } = await shown(config({ Labels }));
  assert.match(text, /^ +and 18 more: --json has all$/m);
  assert.not.match(text, 'label12=');
  assert.match(text, /label5=v{153}…$/m);
  assert.is(image.labels.label29!.length, 2900);
});

test('many ports and long volumes are cut too', async () => {
  const ExposedPorts = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${8000 + i}/tcp`, {}]));
  const { text } = await shown(config({ ExposedPorts, Volumes: { ['v'.repeat(5000)]: {} } }));
  assert.match(text.replace(/\s+/g, ' '), /8011\/tcp and 28 more/);
  assert.not.match(text, 'v'.repeat(161));
});

test('sizes are labelled: stored in the archive, and unpacked if known without reading', async () => {
  const plain = await shown({});
  const { length } = plain.one.layers[0]!.tar;
  assert.equal([plain.image.storedSize, plain.image.unpackedSize], [length, length]);
  assert.match(plain.text, /^ {2}size +7\.17 kB stored in the archive; 7\.17 kB unpacked$/m);
  const packed = await shown({ layers: [{ ...LAYER, compression: 'gzip' }, LAYER] });
  assert.is(packed.image.unpackedSize, null);
  assert.match(packed.text, /stored in the archive; unpacked not known: waybill sizes$/m);
});

test('an absent layer is noted, and has no size', async () => {
  const { image, text, one } = await shown({
    layers: [LAYER, { ...LAYER, compression: 'gzip', absent: true }],
  });
  assert.is(image.storedSize, one.layers[0]!.size);
  assert.match(
    text.replace(/\s+/g, ' '),
    /stored in the archive, without 1 layer that is not; unpacked not known/,
  );
});

test('a Windows image has its version and no root', async () => {
  const { text } = await shown({
    platform: { os: 'windows', architecture: 'amd64' },
    config: { 'os.version': '10.0.20348.2227', config: {} } as never,
  });
  assert.match(text, 'windows(10.0.20348.2227)/amd64');
  assert.not.match(text, 'root');
});

test.run();
