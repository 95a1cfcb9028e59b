// A limit's message names a sufficient value, so that a user has to raise the limit only once.
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Compression, readArchive } from '../../src/commands.js';
import { canCompress } from '../support/compression.js';
import { testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { compress, toTar } from '../support/pack.js';
import { readMembers, refusal, saved } from '../support/reading.js';

const MiB = 1024 * 1024;

/** A large sparse file, like /var/log/lastlog with a high user number, and something after it. */
async function lastlog(compression: Compression) {
  const files = { 'var/log/lastlog': new Uint8Array(24 * MiB), z: 'end' };
  const members = layouts.skopeoOci({
    image: await image({ layers: [{ files, compression }] }),
    tags: ['a:1'],
  });
  return (unpackedRatio: number) => readMembers(members, { limits: { unpackedFree: MiB, unpackedRatio } });
}

const adviceOf = (message: string) => Number(/--limit unpackedRatio=(\d+) allows more/.exec(message)?.[1]);

for (const compression of ['gzip', 'zstd', 'xz', 'bzip2'] as const)
  testWhen(
    test,
    canCompress(compression),
    `no ${compression}`,
  )(`${compression}: the ratio that is advised is the one that is needed`, async () => {
    const read = await lastlog(compression);
    const { report } = await read(20);
    const [{ message } = { message: '' }] = report.findings.filter(({ code }) => code === 'limit-reached');
    assert.match(message, /unpacks to at least \d+ times its size and was unpacked no further: the limit/);
    const { report: again } = await read(adviceOf(message));
    assert.equal([again.verdicts.intact, again.findings], [true, []], message);
  });

test('an amount below the limit is not reported as too much', async () => {
  const files = { a: new Uint8Array(4 * MiB), b: randomBytes(MiB) };
  const item = await image({ layers: [{ files, compression: 'gzip' }] });
  const members = layouts.skopeoOci({ image: item, tags: ['a:1'] });
  const { report } = await readMembers(members, { limits: { unpackedFree: MiB, unpackedRatio: 20 } });
  const [finding] = report.findings;
  assert.match(
    finding!.message,
    /^the blob unpacks to more .*unpackedRatio is 20 .*unpackedRatio=1032 allows more/,
  );
});

for (const compression of ['gzip', 'zstd', 'xz', 'bzip2'] as const)
  testWhen(
    test,
    canCompress(compression),
    `no ${compression}`,
  )(`${compression} around an archive: the ratio is one, and the one that is advised is enough`, async () => {
    const item = await image({ layers: [{ files: { a: new Uint8Array(8 * MiB) } }] });
    const tar = await toTar(layouts.dockerSave({ image: item, tags: ['a:1'] }));
    const file = saved(compress(tar, compression), `advice.tar.${compression}`);
    const read = (unpackedRatio: number) =>
      readArchive(file, { limits: { unpackedFree: 1024, unpackedRatio } });
    const { message } = await refusal(read(2));
    const [, ratio] =
      /: the archive unpacks to at least (\d+) times its size and was unpacked/.exec(message) ?? [];
    assert.ok(Number(ratio) >= 2 && Number(ratio) <= adviceOf(message), message);
    const { scan } = (await read(adviceOf(message))).parts[0]!;
    assert.equal(scan.problems, []);
  });

test.run();
