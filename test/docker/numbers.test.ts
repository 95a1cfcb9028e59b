// Numbers keep their text where Docker's Go code keeps it: integers of Go's types, JSON that is passed on, and
// json.Number in the second execution of a template; not where Go converts them to float64, as buildx does.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, goJson, textOf } from '../support/digest.js';
import { assemble, image } from '../support/image.js';
import {
  attestation,
  blobOf,
  type Content,
  described,
  indexOf,
  jib,
  MEDIA,
  manifestOf,
  NAME_ANNOTATION,
  ociLayout,
  platformManifest,
} from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { said } from '../support/terminal.js';

const BIG = '9007199254740993';
const plain = await image({ layers: [{ files: { a: 'a' } }] });

/** Replaces every `"@…"` in a document by the number. */
const numbered = (text: string) => text.replace(/"@([^"]*)"/g, '$1');

const printed = async (...args: string[]) => {
  const { stdout, stderr, status } = await said(args);
  assert.is(status, 0, stderr);
  return stdout.trim();
};

const health = { Test: ['NONE'], Interval: `@${BIG}`, Retries: `@${BIG}` };
const config = {
  ...plain.config,
  config: { Healthcheck: health, Odd: '@12.50' },
  container_config: { Healthcheck: health },
};
const healthy = assemble(Buffer.from(numbered(goJson(config))), plain.layers);
const tar = saved(await toTar(jib({ image: healthy, tags: ['app:1'] })), 'numbers.tar');

test("integers of Docker's types are exact", async () => {
  assert.match(await printed('image', 'inspect', tar), `"Interval": ${BIG}`);
  const template = '{{.Config.Healthcheck.Retries}} {{json .Config.Healthcheck}}';
  const answer = await printed('image', 'inspect', tar, '--format', template);
  assert.is(answer, `${BIG} {"Test":["NONE"],"Interval":${BIG},"Retries":${BIG}}`);
  const old = ['--docker', '25', '--api', '1.44'];
  assert.match(await printed('image', 'inspect', tar, ...old, '--format', '{{json .ContainerConfig}}'), BIG);
});

test('the second execution of a template has the text of numbers', async () => {
  const template = '{{index . "Config" "Healthcheck" "Interval"}}';
  assert.is(await printed('image', 'inspect', tar, '--format', template), BIG);
});

const made = manifestOf(plain);
const odd = textOf(made.blobs[0]!.bytes).replace(/\}$/, `,"odd":[12.50,${BIG},1.0e2]}`);
const passed: Content = {
  ...made,
  descriptor: { ...made.descriptor, digest: digestOf(odd), size: odd.length },
  blobs: [...blobOf(MEDIA.manifest, odd).blobs, ...made.blobs.slice(1)],
};

test('a manifest is printed as it is stored', async () => {
  const file = saved(await toTar(ociLayout({ manifests: [passed] })), 'manifest.tar');
  for (const more of [[], ['-v']]) {
    const answer = await printed('manifest', 'inspect', ...more, file);
    assert.match(answer.replace(/\s/g, ''), `"odd":[12.50,${BIG},1.0e2]`);
  }
});

test('values that buildx decodes without a type are float64', async () => {
  const subject = platformManifest(plain);
  const predicate = { a: '@12.50', b: `@${BIG}`, c: '@1e21' };
  const told = attestation(subject, { predicate, written: numbered });
  const index = described(indexOf([subject, told]), {
    annotations: { [NAME_ANNOTATION]: 'docker.io/library/app:1' },
  });
  const file = saved(await toTar(ociLayout({ manifests: [index] })), 'provenance.tar');
  const answer = await printed('imagetools', 'inspect', file, '--format', '{{json .Provenance.SLSA}}');
  assert.is(answer.replace(/\s/g, ''), '{"a":12.5,"b":9007199254740992,"c":1e+21}');
});

test.run();
