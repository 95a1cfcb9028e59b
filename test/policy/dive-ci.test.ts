// A .dive-ci file as it is: its thresholds, dive's defaults, and dive's verdicts on the image of its own tests.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Check, type CheckReport, checkReadOptions } from '../../src/commands/check/index.js';
import { readArchive } from '../../src/commands.js';
import { composePolicy } from '../../src/policy/compose.js';
import { corpusFolder, hasCorpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { NOW, problemText } from '../support/policy.js';

async function diveCi(text: string) {
  const names = { presets: [], files: [], diveCi: '.dive-ci' };
  const { policy, problems } = await composePolicy(names, async () => ({ text }));
  const rules = policy.rules.map(({ rule, settings }) => [rule.code, ...Object.values(settings[0]!.options)]);
  return {
    policy,
    rules: Object.fromEntries(rules),
    notes: policy.notes,
    problems: problems.map(problemText),
  };
}

const RULES = (efficiency: string, bytes: string, percent: string) =>
  `rules:\n  lowestEfficiency: ${efficiency}\n  highestWastedBytes: ${bytes}\n  highestUserWastedPercent: ${percent}\n`;

const ALL = { 'dive-efficiency': 0.95, 'dive-wasted-bytes': 20_000_000, 'dive-user-wasted': 0.1 };

test('the three thresholds, as dive has them now and had them first', async () => {
  assert.equal((await diveCi(RULES('0.95', '20Mb', '0.10'))).rules, ALL);
  const kebab =
    'rules:\n  lowest-efficiency-threshold: "0.95"\n  highest-wasted-bytes: 20 MB\n  highest-user-wasted-percent: 1e-1\n';
  assert.equal((await diveCi(kebab)).rules, ALL);
});

test('what is not named has the default of dive', async () => {
  for (const text of ['', 'rules:\n', 'rules: {}\n', '---\n'])
    assert.equal((await diveCi(text)).rules, { 'dive-efficiency': 0.9, 'dive-user-wasted': 0.1 }, text);
});

test('a rule that is disabled does not apply', async () => {
  for (const word of ['disabled', '"off"', 'Disabled', 'false', '""'])
    assert.equal((await diveCi(RULES(word, word, word))).rules, {}, word);
});

test('sizes as humanize reads them', async () => {
  const bytes = async (text: string) => (await diveCi(RULES('disabled', text, 'disabled'))).rules;
  for (const [text, size] of [
    ['1B', 1],
    ['50kB', 50_000],
    ['19Mb', 19_000_000],
    ['19MiB', 19 * 2 ** 20],
    ['1.5g', 1.5e9],
    ['"1,000"', 1000],
    ['2048', 2048],
  ] as const)
    assert.equal(await bytes(text), { 'dive-wasted-bytes': size }, text);
});

test('what dive passes over is said, with its place', async () => {
  const text = `plugins:\n  - plugin1\n${RULES('0.95', '20Mb', '0.10')}  plugin1/rule1: error\n`;
  const { rules, notes, problems } = await diveCi(text);
  assert.equal(rules, ALL);
  assert.equal(problems, []);
  assert.equal(
    notes.map(note => note.replace(/: dive .*/, '')),
    ['.dive-ci:1:1: unknown key "plugins"', '.dive-ci:7:3: unknown key "plugin1/rule1"'],
  );
});

test('what dive refuses is refused, with its place', async () => {
  for (const [text, problem] of [
    [
      RULES('1.1', '50kB', '0.5'),
      /^\.dive-ci:2:21: lowestEfficiency: expected a number from 0 to 1, or disabled, found 1\.1$/,
    ],
    [RULES('-0.1', '50kB', '0.5'), /lowestEfficiency: .* found -0\.1$/],
    [RULES('not_a_number', '50kB', '0.5'), /found "not_a_number"$/],
    [RULES('0.9', 'not_a_size', '0.5'), /highestWastedBytes: expected a size such as 20MB, or disabled/],
    [RULES('0.9', '50kB', '1.1'), /highestUserWastedPercent: .* found 1\.1$/],
    [RULES('0.9', '[1]', '0.5'), /found a list$/],
    ['rules: [a]', /^\.dive-ci:1:8: expected a mapping of rules, found a list$/],
    ['rules: {', /^\.dive-ci:1:9: /],
  ] as const) {
    const { problems } = await diveCi(text);
    assert.is(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, problem);
  }
});

/** wagoodman/dive cmd/dive/cli/internal/command/ci/evaluator_test.go: thresholds, and which rules fail. */
const VERDICTS: readonly (readonly [text: string, failing: readonly string[]])[] = [
  [RULES('0.99', '1B', '0.01'), ['dive-efficiency', 'dive-wasted-bytes', 'dive-user-wasted']],
  [RULES('0.9', '50kB', '0.5'), []],
  [RULES('disabled', 'disabled', 'disabled'), []],
  [RULES('0.9', '1B', '0.5'), ['dive-wasted-bytes']],
  // Its own .dive-ci files.
  [RULES('0.95', '20Mb', '0.10'), ['dive-user-wasted']],
  [RULES('0.96', '19Mb', '0.6'), []],
];

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('the verdicts of dive on the image of its own tests', async () => {
  for (const [text, failing] of VERDICTS) {
    const { policy } = await diveCi(text);
    const reading = await readArchive(
      join(corpusFolder, 'archives/dive.test-docker-image.tar'),
      checkReadOptions(policy),
    );
    const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
    const { data, exitCode } = check.alone(reading, {});
    const { findings } = data as CheckReport;
    assert.equal(
      findings.filter(finding => finding.failing).map(({ code }) => code),
      failing,
      text,
    );
    assert.is(exitCode, failing.length === 0 ? 0 : 1);
  }
});

test.run();
