// What an archive must be beyond its own claims: findings of requirements, beside those of the archive.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Check, type CheckReport } from '../../src/commands/check/index.js';
import { verifyTally } from '../../src/commands/many/tallies.js';
import { type VerifyReport, verifyClosing } from '../../src/commands/verify.js';
import { readArchive, verify } from '../../src/commands.js';
import { outputFor } from '../../src/format/outputs.js';
import { toText } from '../../src/format/text.js';
import type { Image } from '../../src/link/graph.js';
import { memberAt, observe, type Severity } from '../../src/link/observation.js';
import { type Requirement, readOptionsFor } from '../../src/report/requirement.js';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { NOW, policyOf } from '../support/policy.js';
import { codes, saved } from '../support/reading.js';

const two = layouts.dockerSave([
  { image: await plainImage('good'), tags: ['good:1'] },
  { image: await plainImage('bad'), tags: ['bad:1'] },
]);
const reading = await readArchive(saved(await toTar(two), 'two.tar'));

const FAULT = { as: 'artifact', field: 'f', value: 'v' };

interface Asked {
  readonly severity?: Severity;
  /** Whether what is observed is about the archive and not about one image. */
  readonly whole?: boolean;
}

/** Refuses images with a name, and misses one in the end. */
const without = (name: string, { severity = 'error', whole = false }: Asked = {}): Requirement => ({
  name: 'lock',
  title: 'locked',
  file: 'the.lock',
  needs: { depth: 'files', files: { digests: true } },
  judge: ({ parts }, chosen) => {
    const bad = parts.flatMap(({ graph }) =>
      graph.images.filter(image => chosen.has(image) && image.names.includes(name)),
    );
    return {
      observations: bad.map(image => ({
        image: whole ? null : image,
        // The place alone does not say which image it is.
        observation: observe('image-disguised', memberAt('manifest.json'), FAULT, severity),
      })),
      remarks: new Map<Image, string[]>(bad.map(image => [image, ['it is not wanted']])),
      data: { met: bad.length === 0 },
    };
  },
  closing: () => [observe('no-image', { path: '', pointer: null }, {})],
});
const noClosing = (requirement: Requirement): Requirement => ({ ...requirement, closing: () => [] });

const textOf = (doc: Parameters<typeof toText>[0]) => toText(doc, { width: null, color: false });

test('its findings concern the image that they are about', () => {
  const requirements = [noClosing(without('bad:1'))];
  const all = verify(reading, { failOn: 'error', requirements });
  const report = all.data as VerifyReport;
  assert.is(all.exitCode, 1);
  assert.equal(codes(report.findings), ['image-disguised']);
  assert.equal(
    report.images.map(({ verdicts }) => verdicts.conformant),
    [true, false],
  );
  assert.equal(report.lock, { met: false });
  assert.is(all.findings![0]!.image, 'bad:1');
  assert.match(textOf(all.doc), /bad:1.*\n.*\n {2}it is not wanted\n/);
  assert.match(textOf(all.doc), /\n.*conformant no {3}locked no {3}1 error$/m);
  const good = verify(reading, { failOn: 'error', ref: 'good:1', requirements });
  assert.is(good.exitCode, 0);
  assert.equal((good.data as VerifyReport).findings, []);
});

test('without requirements nothing is different', () => {
  const { data, doc, exitCode } = verify(reading, { failOn: 'error' });
  assert.is(exitCode, 0);
  assert.not.ok('lock' in (data as object));
  assert.not.match(textOf(doc), /locked/);
});

test('one about the archive concerns every image', () => {
  const requirements = [noClosing(without('bad:1', { whole: true }))];
  const { findings, exitCode } = verify(reading, { failOn: 'error', requirements });
  assert.is(exitCode, 1);
  assert.equal(
    findings!.map(({ image, code }) => [image, code]),
    [[null, 'image-disguised']],
  );
});

test('two images with one observation have one finding, and both have it', () => {
  const every: Requirement = {
    ...noClosing(without('any')),
    judge: (_, chosen) => ({
      observations: [...chosen].map(image => ({
        image,
        observation: observe('image-disguised', memberAt('x'), FAULT),
      })),
      remarks: new Map(),
      data: { met: false },
    }),
  };
  const { images, findings } = verify(reading, { failOn: 'error', requirements: [every] })
    .data as VerifyReport;
  assert.equal(codes(findings), ['image-disguised']);
  assert.equal(
    images.map(({ verdicts }) => verdicts.conformant),
    [false, false],
  );
});

test('what the only archive does not have is its finding; of several, that of the run', () => {
  const requirements = [without('other')];
  const alone = verify(reading, { failOn: 'error', requirements });
  assert.equal(codes((alone.data as VerifyReport).findings), ['no-image']);
  const one = verify(reading, { failOn: 'error', requirements, isOneOfMany: true });
  assert.equal((one.data as VerifyReport).findings, []);
  const closing = verifyClosing(requirements, { failOn: 'error' })!;
  assert.is(closing.exitCode, 1);
  assert.is(closing.file, 'the.lock');
  assert.equal(
    closing.findings!.map(({ archive, code, isFailing }) => [archive, code, isFailing]),
    [['the.lock', 'no-image', true]],
  );
  assert.is(verifyClosing([noClosing(without('other'))], { failOn: 'error' }), null);
});

test('the table of several archives has a column for it', () => {
  const requirements = [noClosing(without('bad:1'))];
  const { columns, tell, total } = verifyTally({ failOn: 'error', requirements });
  assert.ok(columns.some(({ title }) => title === 'locked'));
  const { data, doc } = verify(reading, { failOn: 'error', requirements });
  assert.is(tell(data as VerifyReport, doc).rows[0]!.length + 2, columns.length + 2);
  assert.ok(total(1).includes('0 of 1'));
});

const checkWith = async (requirements: readonly Requirement[], policy = 'extends: []\n') =>
  new Check({
    policy: await policyOf(policy),
    context: { now: NOW, epoch: null },
    failOn: 'error',
    requirements,
  });

test('check has its findings too, with the severity that the policy gives them', async () => {
  const requirements = [noClosing(without('bad:1'))];
  const { data, exitCode, doc } = (await checkWith(requirements)).alone(reading, {});
  const { findings, lock } = data as CheckReport;
  assert.is(exitCode, 1);
  assert.equal(
    findings.filter(({ code }) => code === 'image-disguised').map(({ image, failing }) => [image, failing]),
    [[1, true]],
  );
  assert.equal(lock, { met: false });
  assert.match(textOf(doc), /bad:1.*\n {2}it is not wanted\n/);
  const off = (await checkWith(requirements, 'rules: { image-disguised: off }')).alone(reading, {});
  assert.not.ok((off.data as CheckReport).findings.some(({ code }) => code === 'image-disguised'));
});

test('check tells in the end what none of several archives has met', async () => {
  const check = await checkWith([without('other')]);
  assert.not.match(textOf(check.archive(reading, {}).doc), /no-image/);
  const closing = check.closing()!;
  assert.is(closing.exitCode, 1);
  assert.is(closing.file, 'the.lock');
  assert.equal(
    (closing.data as CheckReport).findings.map(({ code, failing }) => [code, failing]),
    [['no-image', true]],
  );
  assert.is((await checkWith([without('other')], 'rules: { no-image: off }')).closing(), null);
});

test('every format has its findings', () => {
  const result = verify(reading, { failOn: 'error', requirements: [without('bad:1')] });
  for (const name of ['r.sarif', 'r.xml', 'r.tap', 'r.ndjson', 'r.md', 'r.html', 'r.json', 'r.txt'])
    assert.match([...outputFor(name)!(result)].join(''), /image-disguised/, name);
});

test('an archive is read as deep as the command and the requirement need', () => {
  const requirements = [without('bad:1')];
  assert.equal(readOptionsFor({ requireImage: true }, requirements), {
    requireImage: true,
    depth: 'files',
    files: { digests: true },
  });
  const deep = readOptionsFor(
    { depth: 'metadata', deepen: () => ({ depth: 'digests', files: { keep: ['etc'], keepBytes: 5 } }) },
    requirements,
  );
  assert.equal(deep.deepen!([]), { depth: 'files', files: { digests: true, keep: ['etc'], keepBytes: 5 } });
  assert.equal(readOptionsFor({ depth: 'metadata' }, []), { depth: 'metadata' });
});

test.run();
