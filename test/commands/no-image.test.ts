// Archives in which no image is found: if damage may be the reason, that is reported.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { history } from '../../src/commands/history.js';
import { imageInspect, rawConfig } from '../../src/commands/image-inspect.js';
import { type ImagesOptions, images } from '../../src/commands/images.js';
import { manifestInspect } from '../../src/commands/manifest/inspect.js';

import { type ArchiveReading, type Platform, readArchive } from '../../src/commands.js';
import { oneImage, selectImages } from '../../src/report/select.js';
import { plainImage } from '../support/image.js';
import { dockerSave25, ociLayout, replaceBytes, without } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { refusal, saved } from '../support/reading.js';

const whole = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
const tar = await toTar(whole);
const read = (bytes: Uint8Array, name: string) => readArchive(saved(bytes, name), { depth: 'files' });

/** `docker save` writes its documents last, so they are lost first. */
const cut = await read(tar.subarray(0, 4000), 'cut.tar');
const empty = await read(await toTar(ociLayout({ manifests: [] })), 'empty.tar');

const LIST: ImagesOptions = {
  noTrunc: false,
  quiet: false,
  digests: false,
  filters: [],
  tree: false,
  docker: 28,
  store: 'classic',
};
const HISTORY = { noTrunc: false, quiet: false, human: true, docker: 28, store: 'classic' } as const;
const INSPECT = { docker: 28, store: 'classic' } as const;
const arm: Platform = { os: 'linux', architecture: 'arm', variant: null, osVersion: null };

const COMMANDS: Readonly<Record<string, (reading: ArchiveReading) => unknown>> = {
  'image inspect': reading => imageInspect(reading, {}, INSPECT),
  history: reading => history(reading, {}, HISTORY),
  config: reading => rawConfig(reading, {}),
  'manifest inspect': reading => manifestInspect(reading, {}),
  'manifest inspect, of a digest': reading => manifestInspect(reading, { ref: 'sha256:abc' }),
  extract: reading => oneImage(reading, {}),
  'a reference': reading => selectImages(reading, { ref: 'a:1' }),
  'a platform': reading => selectImages(reading, { platform: arm }),
};

for (const [command, run] of Object.entries(COMMANDS)) {
  test(`${command}: an archive that was cut before its documents is reported as cut`, async () => {
    const error = await refusal((async () => run(cut))());
    assert.match(error.message, /cut\.tar: .*no (other document|image).*\n.*cut.*\n/);
    assert.match(error.message, /blobs\/sha256\/\w+: the archive is cut short here: expected \d+ bytes/);
    assert.ok(error.damaged);
  });

  test(`${command}: an archive without an image is not reported as damaged`, async () => {
    const error = await refusal((async () => run(empty))());
    assert.match(error.message, /empty\.tar: .*no (other document|image)[^\n]*$/);
    assert.not.ok(error.damaged);
  });
}

test("images: damage that may have removed images is noted for each archive, beside the others' images", async () => {
  const sound = await read(tar, 'sound.tar');
  const { stdout, notes, exitCode } = images([sound, cut], { ...LIST, format: '{{.Repository}}' });
  assert.equal([stdout, exitCode], ['a\n', 1]);
  assert.ok(notes.length > 0 && notes.every(note => /cut\.tar: .*(cut short|cut before)/.test(note)));
  assert.equal(images([empty], { ...LIST, format: '{{.ID}}' }), { stdout: '', notes: [], exitCode: 0 });
});

/** A layout whose index lists absent manifests. */
async function lacking(digits: readonly string[]): Promise<ArchiveReading> {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifests = digits.map(digit => ({ mediaType, digest: `sha256:${digit.repeat(64)}`, size: 3 }));
  const index = JSON.stringify({ schemaVersion: 2, manifests });
  const members = replaceBytes(ociLayout({ manifests: [] }), 'index.json', () => index);
  return read(await toTar(members), 'lacking.tar');
}

test('images: an image whose manifest is absent is noted', async () => {
  const { notes, exitCode } = images([await lacking(['5'])], LIST);
  assert.is(exitCode, 1);
  assert.match(notes[0]!, /lacking\.tar: .*sha256:5{64} is not in the archive/);
});

test('of much damage the first is noted, with the number of the rest', async () => {
  const lines = images([await lacking(['1', '2', '3', '4', '5'])], { ...LIST, quiet: true }).notes;
  assert.is(lines.length, 4);
  assert.match(lines[3]!, /lacking\.tar: and 2 more: waybill verify$/);
});

test('a config that cannot be printed is named with the reason', async () => {
  const { imageId } = await plainImage();
  const path = `blobs/sha256/${imageId.slice(7)}`;
  const why = async (bytes: Uint8Array) =>
    (await refusal(read(bytes, 'config.tar').then(reading => void rawConfig(reading, {})))).message;
  assert.match(await why(await toTar(without(whole, path))), new RegExp(`: ${path} is not in the archive$`));
  const binary = await toTar(replaceBytes(whole, path, () => new Uint8Array([0x7f, 0x45, 0x4c, 0x46])));
  assert.match(await why(binary), new RegExp(`: ${path} cannot be read: it does not begin like a JSON`));
});

test.run();
