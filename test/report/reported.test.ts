// Fingerprints of findings: the same for each build of an image, and never shared by two findings of a run.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ArchiveReading, readArchive, verify } from '../../src/commands.js';
import type { ReportedFinding } from '../../src/report/doc.js';
import { Audit } from '../../src/report/reported.js';
import { archiveRecipe, membersOf } from '../property/archives.js';
import { EVERYTHING } from '../property/commands.js';
import { PLAIN, tarOf } from '../property/containers.js';
import { damagedMembers, memberDamage } from '../property/damage.js';
import { isReading, outcomeOf, piped } from '../property/readings.js';
import { always } from '../property/runs.js';
import { githubToken } from '../secrets/planted.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { readMembers, saved } from '../support/reading.js';

/** A build: what is in its files, when it was made, and how it is tagged, differ from the next one. */
async function build(
  number: number,
  { steps = ['COPY a /a # buildkit', 'RUN /bin/sh -c make # buildkit'] } = {},
) {
  const made = await image({
    created: `2026-0${number}-01T00:00:00Z`,
    layers: steps.map((createdBy, i) => ({
      files: { [`file-${i}`]: `build ${number}, layer ${i}` },
      createdBy,
    })),
  });
  return { made, tagged: { image: made, tags: [`registry.example/team/app:build-${number}`] } };
}

/** Its layers are not what the documents say, and one is absent. */
async function broken(number: number, options?: Parameters<typeof build>[1]) {
  const { made, tagged } = await build(number, options);
  const [first, second] = made.layers.map(({ digest }) => layouts.blobPath(digest)) as [string, string];
  const members = layouts.skopeoOci(tagged);
  const damaged = layouts.replaceBytes(members, first, bytes => Buffer.from(bytes).fill(number, 600, 620));
  return layouts.without(damaged, second);
}

const foundIn = (reading: ArchiveReading, audit = new Audit()): readonly ReportedFinding[] =>
  verify(reading, { failOn: 'error', audit }).findings!;

const prints = (findings: readonly ReportedFinding[]) => findings.map(({ fingerprint }) => fingerprint);

test('two builds of one image have equal fingerprints', async () => {
  const [one, two] = [
    foundIn((await readMembers(await broken(1))).reading),
    foundIn((await readMembers(await broken(2))).reading),
  ];
  assert.ok(one.length >= 3, one.map(({ code }) => code).join(' '));
  assert.is.not(
    one.map(({ path }) => path).join(),
    two.map(({ path }) => path).join(),
    'their digests differ',
  );
  assert.equal(prints(one).sort(), prints(two).sort());
  assert.is(new Set(prints(one)).size, one.length);
  for (const { subject, place } of one) {
    assert.not.match(`${subject} ${place}`, /[0-9a-f]{32}/);
    assert.match(subject, 'registry.example/team/app');
  }
});

test('an instruction that is added before a layer leaves the fingerprints of its findings alone', async () => {
  const steps = ['COPY a /a # buildkit', 'RUN /bin/sh -c make # buildkit'];
  const before = foundIn((await readMembers(await broken(1, { steps }))).reading);
  const { made, tagged } = await build(2, { steps: ['COPY new /new # buildkit', ...steps] });
  const paths = made.layers.map(({ digest }) => layouts.blobPath(digest)) as [string, string, string];
  const members = layouts.replaceBytes(layouts.skopeoOci(tagged), paths[1], bytes =>
    Buffer.from(bytes).fill(7, 600, 620),
  );
  const after = foundIn((await readMembers(layouts.without(members, paths[2]))).reading);
  const codes = ['digest-mismatch', 'layer-missing'];
  const of = (findings: readonly ReportedFinding[]) =>
    prints(findings.filter(({ code }) => codes.includes(code))).sort();
  assert.ok(of(before).length >= 2);
  assert.equal(of(after), of(before));
});

test('the same findings in two archives of a run have fingerprints of their own', async () => {
  const audit = new Audit();
  const members = await broken(1);
  const files = await Promise.all(
    [1, 2].map(async n => saved(await toTar(members), `fingerprints-${n}.tar`)),
  );
  const all = (await Promise.all(files.map(file => readArchive(file)))).flatMap(reading =>
    foundIn(reading, audit),
  );
  assert.is(new Set(prints(all)).size, all.length);
  const alone = foundIn(await readArchive(files[1]!));
  assert.ok(prints(alone).every(print => prints(all).includes(print)));
});

test('a finding says its image, layer and instruction', async () => {
  const found = foundIn((await readMembers(await broken(1))).reading);
  const mismatch = found.find(({ code }) => code === 'digest-mismatch')!;
  assert.equal(
    [mismatch.image, mismatch.layer, mismatch.instruction, mismatch.place, mismatch.isFailing],
    ['registry.example/team/app:build-1', 0, 'COPY a /a # buildkit', 'layer of COPY a /a', true],
  );
  const missing = found.find(({ code }) => code === 'layer-missing')!;
  assert.equal([missing.layer, missing.place], [1, 'layer of RUN make']);
});

test('a finding of a layer has its instruction without secrets', async () => {
  const secret = githubToken();
  const made = await image({
    layers: [{ files: { a: 'x' }, createdBy: `RUN |1 T_TOKEN=${secret} /bin/sh -c make # buildkit` }],
  });
  const members = layouts
    .skopeoOci({ image: made, tags: ['app:1'] })
    .filter(({ path }) => !path.includes(made.layers[0]!.digest.slice('sha256:'.length)));
  const found = foundIn((await readMembers(members)).reading);
  const missing = found.find(({ code }) => code === 'layer-missing')!;
  assert.match(missing.instruction!, 'T_TOKEN=***');
  assert.not.match(JSON.stringify(found), secret);
});

test('no two findings of arbitrary archives share a fingerprint', async () => {
  const what = fc.record({
    recipe: archiveRecipe,
    damages: fc.array(memberDamage, { minLength: 1, maxLength: 4 }),
  });
  await always(what, 25, async ({ recipe, damages }) => {
    const outcome = await outcomeOf(
      piped(tarOf(damages.reduce(damagedMembers, membersOf(recipe)), PLAIN)),
      EVERYTHING,
    );
    if (!isReading(outcome)) return;
    const found = foundIn(outcome);
    assert.is(new Set(prints(found)).size, found.length);
    for (const { layer, instruction } of found) if (layer === null) assert.is(instruction, null);
  });
});

test.run();
