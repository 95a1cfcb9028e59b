// One cause is one finding, in one spelling; unnecessary and wrong findings are not reported.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { idsReport } from '../../src/commands/ids/index.js';
import { readArchive } from '../../src/report/read.js';
import { reportOf } from '../../src/report/report.js';
import { image, plainImage } from '../support/image.js';
import {
  dockerSave,
  dockerV1,
  file,
  type Member,
  replaceBytes,
  skopeoDir,
  skopeoOci,
  without,
} from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';
import { said } from '../support/terminal.js';

const app = await plainImage('app', 1);
const oci = skopeoOci({ image: app, tags: ['app:1'] });
const report = async (members: readonly Member[], limits = {}) =>
  reportOf(await readArchive(streamOf(await toTar(members)), { limits }));
const codes = async (members: readonly Member[]) => (await report(members)).findings.map(({ code }) => code);

test('a lost list is reported, not that there is no image or that blobs are unreferenced', async () => {
  const unreadable = replaceBytes(oci, 'index.json', () => '{');
  assert.equal(await codes(unreadable), ['json-invalid']);
  assert.equal((await report(unreadable)).verdicts.complete, null);
  const missing = await report(without(oci, 'index.json'));
  assert.ok(missing.findings.some(({ code }) => code === 'index-missing'));
  assert.not.ok(missing.findings.some(({ code }) => code === 'no-image'));
  assert.is(missing.verdicts.complete, false);
  const empty = replaceBytes(oci, 'index.json', () => '{"schemaVersion":2,"manifests":[]}');
  assert.ok((await codes(empty)).includes('no-image'));
});

test('a collapsed line has the number of findings that it stands for', async () => {
  const many = Array.from({ length: 12 }, (_, i) => file(`blobs/sha256/odd${i}`, 'x'));
  const { findings } = await report([...oci, ...many], { findingsPerCode: 5 });
  const odd = findings.filter(({ code }) => code === 'blob-name-odd');
  assert.equal(
    odd.map(({ unlisted }) => unlisted),
    [undefined, undefined, undefined, undefined, 7],
  );
  const tar = saved(await toTar([...oci, ...many]), 'many.tar');
  const { stdout } = await said(['verify', tar, '--limit', 'findingsPerCode=5']);
  assert.match(stdout, 'and 9 more like it');
});

test('an archive before Docker 1.10 without an image has no producer Docker', async () => {
  const old = dockerV1({ image: app, tags: ['app:1'] });
  assert.match((await report(old)).archive.producer ?? '', '1.9');
  const damaged = old.map(one =>
    one.path.endsWith('/json') && 'bytes' in one ? { ...one, bytes: Buffer.from('{') } : one,
  );
  const found = await report(damaged);
  if (found.images.length === 0) assert.is(found.archive.producer, null);
});

test('a hidden character is escaped in one way everywhere', async () => {
  const tar = rawTar(rawEntry({ name: 'l\x1b[31m', flag: '1', link: 'no\x1bthing' }));
  const one = await image({ layers: [{ tar }] });
  const archive = saved(await toTar(skopeoOci({ image: one, tags: ['app:1'] })), 'hidden.tar');
  for (const command of ['verify', 'files', 'ids']) {
    const { stdout } = await said([command, archive]);
    assert.not.match(stdout, '\\u001b', command);
    if (command === 'verify') assert.match(stdout, '\\u{1b}');
  }
});

test("docker's containerd store is not reported to refuse an image that it keeps", async () => {
  const tar = rawTar(paxEntry([['SCHILY.xattr.user.', '1']]), rawEntry({ name: 'f' }, 'x'));
  const { findings } = await report(
    skopeoOci({ image: await image({ layers: [{ tar }] }), tags: ['app:1'] }),
  );
  const { message } = findings.find(({ code }) => code === 'layer-unloadable')!;
  assert.match(
    message,
    '(refused by podman, docker-classic, umoci; docker-containerd loads the image and cannot run it)',
  );
});

test('files reports an entry that engines refuse once, as a refusal', async () => {
  const tar = rawTar(rawEntry({ name: 'l', flag: '1', link: 'nothing' }));
  const archive = saved(
    await toTar(dockerSave({ image: await image({ layers: [{ tar }] }), tags: ['app:1'] })),
    'once.tar',
  );
  const { stdout } = await said(['files', archive]);
  assert.match(stdout, /refused +layer 1: "l" is a hard link to "nothing", which does not exist/);
  assert.not.match(stdout, /odd +layer 1: l/);
});

test("podman's answer for each format has its own row", async () => {
  const archive = saved(await toTar(skopeoDir(app)), 'dir.tar');
  const { stdout } = await said(['ids', archive]);
  assert.match(
    stdout,
    /podman +refuses: payload does not match any of the supported image formats:\n +\* oci-archive: .*\n +\* docker-archive: /,
  );
  assert.not.match(stdout, 'open FILE/index.json: not a directory');
  const [answer] = idsReport(await readArchive(archive)).images[0]!.engines.filter(
    ({ engine }) => engine === 'podman',
  );
  assert.match(answer!.refusal!, 'open FILE/index.json: not a directory');
});

test.run();
