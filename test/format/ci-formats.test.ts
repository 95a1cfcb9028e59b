// Findings in the formats of CI systems, checked by schemas and independent parsers; and hostile names in each of them.
import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { Parser } from 'tap-parser';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { validateXML } from 'xmllint-wasm';
import { type OutputFormat, piecesIn } from '../../src/format/outputs.js';
import { uriOf } from '../../src/format/sarif.js';
import type { ReportedArchive, ReportedFinding, Result } from '../../src/report/doc.js';
import { forgedIn, hiddenIn } from '../property/hidden.js';
import { always, alwaysSync } from '../property/runs.js';
import { codeUnits, hostileText } from '../property/texts.js';
import { GITLAB, JUNIT, SARIF } from './ci-schemas.js';

const ajv = new Ajv({ strict: false });
const [isSarif, isGitlab] = [ajv.compile(SARIF), ajv.compile(GITLAB)];

const inFormat = (format: OutputFormat, result: Result): string => [...piecesIn(format)(result)].join('');

const finding = (more: Partial<ReportedFinding> = {}): ReportedFinding => ({
  code: 'digest-mismatch',
  severity: 'error',
  isFailing: true,
  message: 'expected a, found b',
  explain: 'A digest is not that of the bytes. Fetch the archive again.',
  archive: 'app.tar',
  image: 'app:1.2',
  platform: null,
  path: 'blobs/sha256/abc',
  pointer: null,
  layer: 1,
  instruction: 'COPY a /b # buildkit',
  source: null,
  subject: 'docker.io/library/app linux/amd64',
  place: 'layer of COPY a /b',
  fingerprint: createHash('sha256').update(JSON.stringify(more)).digest('hex'),
  ...more,
});

const archive = (more: Partial<ReportedArchive> = {}): ReportedArchive => ({
  archive: 'app.tar',
  exitCode: 1,
  error: null,
  hidden: 0,
  ...more,
});

const result = (findings: readonly ReportedFinding[], more: Partial<Result> = {}): Result => ({
  data: {},
  doc: [],
  exitCode: findings.some(({ isFailing }) => isFailing) ? 1 : 0,
  isVerdict: true,
  archives: [archive()],
  findings,
  ...more,
});

const UNREAD = result(
  [
    finding(),
    finding({ severity: 'warning', isFailing: false, code: 'key-case' }),
    finding({ code: 'archive-unreadable', archive: 'bad.tar', image: null, path: null, layer: null }),
  ],
  {
    exitCode: 2,
    archives: [
      archive(),
      archive({ archive: 'bad.tar', exitCode: 2, error: 'is empty' }),
      archive({ archive: 'good.tar', exitCode: 0, hidden: 3 }),
    ],
    notes: ['base.json: 1 of 3 entries no longer matches'],
  },
);

/** The log of SARIF, valid. */
function sarifOf(made: Result) {
  const text = inFormat('sarif', made);
  assert.ok(isSarif(JSON.parse(text)), JSON.stringify(isSarif.errors?.slice(0, 3)));
  const [run] = JSON.parse(text).runs;
  for (const { ruleId, ruleIndex, locations } of run.results) {
    assert.is(run.tool.driver.rules[ruleIndex].id, ruleId);
    const { index, uri } = locations[0].physicalLocation.artifactLocation;
    if (index !== undefined) assert.is(run.artifacts[index].location.uri, uri);
  }
  return run;
}

async function junitOf(made: Result): Promise<string> {
  const xml = inFormat('junit', made);
  const { valid, errors } = await validateXML({
    xml: [{ fileName: 'junit.xml', contents: xml }],
    schema: [JUNIT],
  });
  assert.ok(valid, `${errors[0]?.message}\n${xml.slice(0, 2000)}`);
  return xml;
}

const tapOf = (made: Result) => {
  const events = Parser.parse(inFormat('tap', made)) as unknown as (readonly [string, unknown])[];
  const points = events
    .filter(([type]) => type === 'assert')
    .map(([, point]) => point as { ok: boolean; name: string });
  const odd = events.filter(([type]) => ['extra', 'bailout', 'child'].includes(type));
  const complete = events.find(([type]) => type === 'complete')?.[1] as {
    plan: { end: number };
    count: number;
  };
  assert.equal(odd, [], 'lines that are no TAP');
  assert.is(complete.plan.end, points.length);
  return points;
};

interface Issue {
  readonly location: object;
  readonly severity: string;
  readonly fingerprint: string;
}

const gitlabOf = (made: Result): readonly Issue[] => {
  const issues = JSON.parse(inFormat('gitlab', made));
  const isValid = isGitlab(issues);
  assert.ok(isValid, JSON.stringify(isGitlab.errors?.slice(0, 3)));
  return issues as unknown as readonly Issue[];
};

/** Commands of GitHub Actions as the runner reads them, and the other lines. */
function githubOf(made: Result) {
  const lines = inFormat('github', made).trimEnd().split('\n');
  const commands = lines.flatMap(line => {
    const [, command, properties = '', data] = /^::(\w+)(?: ([^:]*))?::(.*)$/.exec(line) ?? [];
    if (command === undefined) return [];
    const pairs = properties.split(',').map(pair => /^(\w+)=([^,:]*)$/.exec(pair));
    assert.ok(
      pairs.every(pair => pair !== null),
      line,
    );
    return [
      { command, data: data!, ...Object.fromEntries(pairs.map(pair => [pair![1], pair![2]])) } as Record<
        string,
        string
      >,
    ];
  });
  const others = lines.filter(line => !/^::(?:error|warning|notice)[ :]/.test(line));
  assert.not.ok(
    others.some(line => /^\s*::|##\[|##vso\[/.test(line)),
    others.join('\n'),
  );
  return { commands, others };
}

test('SARIF: rules, places, fingerprints and what could not be read', () => {
  const run = sarifOf(UNREAD);
  assert.equal(
    run.tool.driver.rules.map(({ id, name }: { id: string; name: string }) => [id, name]),
    [
      ['archive-unreadable', 'ArchiveUnreadable'],
      ['digest-mismatch', 'DigestMismatch'],
      ['key-case', 'KeyCase'],
    ],
  );
  assert.equal(
    run.results.map((one: { level: string }) => one.level),
    ['error', 'error', 'warning'],
  );
  const [{ physicalLocation, logicalLocations }] = run.results[0].locations;
  assert.is(physicalLocation.artifactLocation.uri, 'blobs/sha256/abc');
  const nested = run.artifacts[physicalLocation.artifactLocation.index];
  assert.is(run.artifacts[nested.parentIndex].location.uri, 'app.tar');
  assert.equal(
    logicalLocations.map((one: { fullyQualifiedName: string }) => one.fullyQualifiedName),
    ['app:1.2', 'layer 2'],
  );
  assert.ok(run.artifacts.some((one: { location: { uri: string } }) => one.location.uri === 'good.tar'));
  const [{ executionSuccessful, exitCode, toolExecutionNotifications }] = run.invocations;
  assert.equal([executionSuccessful, exitCode], [false, 2]);
  assert.equal(
    toolExecutionNotifications.map((one: { message: { text: string } }) => one.message.text),
    ['bad.tar: is empty', 'base.json: 1 of 3 entries no longer matches'],
  );
});

const SOURCE = { file: './build/Dockerfile', line: 12, endLine: 14 };

test('the line of the Dockerfile is the place, where it is known', () => {
  const made = result([finding({ source: SOURCE })]);
  const [{ physicalLocation }] = sarifOf(made).results[0].locations;
  assert.equal(physicalLocation, {
    artifactLocation: { uri: 'build/Dockerfile' },
    region: { startLine: 12, endLine: 14 },
  });
  assert.equal(gitlabOf(made)[0]!.location, { path: 'build/Dockerfile', lines: { begin: 12 } });
  const [command] = githubOf(made).commands;
  assert.equal([command!.file, command!.line, command!.endLine], ['build/Dockerfile', '12', '14']);
  assert.match(inFormat('markdown', made), './build/Dockerfile:12');
  assert.match(inFormat('tap', made), 'at: "./build/Dockerfile:12"');
  assert.match(inFormat('junit', made), './build/Dockerfile:12');
});

test('SARIF: no more results than GitHub takes, the most serious ones, and how many are left out', () => {
  const many = Array.from({ length: 25_010 }, (_, i) =>
    finding({ severity: i < 25_005 ? 'info' : 'error', isFailing: i >= 25_005, pointer: `/${i}` }),
  );
  const run = sarifOf(result(many));
  assert.is(run.results.length, 25_000);
  assert.is(run.results.filter(({ level }: { level: string }) => level === 'error').length, 5);
  assert.match(
    run.invocations[0].toolExecutionNotifications[0].message.text,
    /^10 of 25010 results are left out/,
  );
});

test('JUnit: a suite for each archive, and what fails as a failure', async () => {
  const xml = await junitOf(UNREAD);
  assert.match(xml, '<testsuites name="waybill" tests="5" failures="1" errors="1">');
  assert.match(xml, /<testsuite name="app.tar" tests="3" failures="1" errors="0" skipped="0">/);
  assert.match(xml, /<testsuite name="bad.tar" tests="1" failures="0" errors="1"/);
  assert.match(xml, /<testcase classname="good.tar" name="the archive is read"\/>/);
  assert.match(xml, '<system-out>warning: ');
  const twice = await junitOf(result([finding(), finding({ pointer: '/1' })]));
  assert.match(twice, 'name="digest-mismatch: layer of COPY a /b (2)"');
  const other = await junitOf(result([], { archives: [archive()], exitCode: 1 }));
  assert.match(other, 'message="the exit code is 1"', 'an exit code that no finding explains');
});

test('TAP: a point for each archive and finding', () => {
  const points = tapOf(UNREAD);
  assert.equal(
    points.map(({ ok }) => ok),
    [true, false, true, false, true],
  );
  assert.match(points[3]!.name, 'bad.tar is read');
});

test('two platforms of one name are told apart', () => {
  const both = ['linux/amd64', 'linux/arm64'].map(platform => finding({ platform, path: null, layer: null }));
  for (const format of ['junit', 'tap', 'github', 'gitlab', 'sarif', 'markdown'] as const) {
    const text = inFormat(format, result(both));
    for (const platform of ['linux/amd64', 'linux/arm64'])
      assert.match(text, `app:1.2 (${platform})`.replace(':', format === 'github' ? '%3A' : ':'), format);
  }
  const names = inFormat('junit', result(both)).match(/<testcase classname="[^"]*" name="[^"]*"/g)!;
  assert.is(new Set(names).size, names.length);
});

test('GitLab: severities, and a fingerprint for each', () => {
  const issues = gitlabOf(UNREAD);
  assert.equal(
    issues.map(({ severity }) => severity),
    ['critical', 'minor', 'blocker'],
  );
  assert.is(new Set(issues.map(({ fingerprint }) => fingerprint)).size, 3);
});

test('GitHub: no more annotations of a level than it shows, the rest as lines, the verdict last', () => {
  const many = Array.from({ length: 13 }, (_, i) => finding({ pointer: `/${i}` }));
  const { commands, others } = githubOf(result([...many, finding({ severity: 'info', isFailing: false })]));
  assert.is(commands.filter(({ command }) => command === 'error').length, 10);
  assert.is(commands.filter(({ command }) => command === 'notice').length, 1);
  assert.match(others[0]!, /^3 more/);
  assert.is(others.at(-1), 'failed: app.tar: 13 errors, 1 note');
});

test('a summary begins with the verdict, also when it fails, and fits into a job summary', () => {
  const cases = [
    [result([]), '✅ **passed: app.tar: no findings**\n'],
    [result([finding()]), '❌ **failed: app.tar: 1 error**\n'],
    [
      UNREAD,
      '❌ **incomplete: 3 archives: 2 errors, 1 warning, 3 hidden by the baseline, 1 without a report**\n',
    ],
  ] as const;
  for (const [made, beginning] of cases)
    assert.ok(inFormat('markdown', made).startsWith(beginning), beginning);
  const long = { kind: 'text' as const, text: 'word '.repeat(300_000) };
  const markdown = inFormat(
    'markdown',
    result([finding()], { doc: Array.from({ length: 200 }, () => long) }),
  );
  assert.ok(Buffer.byteLength(markdown) < 1024 * 1024);
  assert.match(markdown, 'longer than a job summary may be');
});

test('a summary counts the findings that are not listed', () => {
  const text = inFormat('markdown', result([finding(), finding({ unlisted: 900 })]));
  assert.match(text, /^❌ \*\*failed: app\.tar: 902 errors\*\*/);
});

test('ndjson: a finding on each line', () => {
  const lines = inFormat('ndjson', UNREAD)
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.equal(
    lines.map(({ code, archive: file }) => [code, file]),
    UNREAD.findings!.map(one => [one.code, one.archive]),
  );
  assert.is(inFormat('ndjson', result([])), '');
});

test('paths as URIs', () => {
  assert.is(uriOf('./a b/c#1%.tar'), 'a%20b/c%231%25.tar');
  assert.is(uriOf('/images/a.tar'), 'file:///images/a.tar');
  assert.is(uriOf('//host/a'), 'file:///host/a');
  assert.is(uriOf('a:b'), 'a%3Ab');
  assert.is(uriOf('caf\udcc3\udca9'), 'caf%C3%A9', 'bytes that are no text are themselves again');
  assert.is(uriOf('x\ud800'), 'x%EF%BF%BD');
});

const HOSTILE = fc.oneof(
  hostileText,
  codeUnits,
  fc.constantFrom(
    '\n::error::owned',
    '::error file=x::y',
    '%0A::error::z',
    '##vso[task.complete result=Succeeded]',
    'a,line=1:2::x',
    ']]></failure><testcase name="x"/>',
    'ok # SKIP nothing',
    '\nok 9 - forged\n',
    '  ...\nnot ok 3',
    'Bail out!',
    '|x|\n|-|',
    '```',
    '<script>alert(1)</script>',
    '[text](https://evil.example)',
    '\u0000\u001b[2J',
  ),
);

const hostileFinding = fc
  .record({
    message: HOSTILE,
    archive: HOSTILE,
    image: fc.option(HOSTILE),
    path: fc.option(HOSTILE),
    pointer: fc.option(HOSTILE),
    layer: fc.option(fc.nat(3)),
    source: fc.option(fc.record({ file: HOSTILE, line: fc.constant(1), endLine: fc.constant(2) })),
    subject: HOSTILE,
    place: HOSTILE,
    severity: fc.constantFrom('error' as const, 'warning' as const, 'info' as const),
    isFailing: fc.boolean(),
  })
  .map(finding);

const hostileResult = fc
  .record({
    findings: fc.array(hostileFinding, { maxLength: 4 }),
    notes: fc.array(HOSTILE, { maxLength: 2 }),
    error: fc.option(HOSTILE),
  })
  .map(({ findings, notes, error }) =>
    result(findings, { notes, archives: [archive({ error, archive: findings[0]?.archive ?? 'a.tar' })] }),
  );

test('no name breaks out of an annotation, a table, a tag or a line', () => {
  alwaysSync(hostileResult, 150, made => {
    const count = made.findings!.length;
    const { commands } = githubOf(made);
    assert.is(commands.length, count + made.notes!.length);
    assert.ok(
      commands.every(({ file, title }) => title !== undefined && (file !== undefined || title === 'waybill')),
    );
    assert.is(
      gitlabOf({
        ...made,
        findings: made.findings!.filter(one => one.archive !== '' && one.source?.file !== ''),
      }).length <= count,
      true,
    );
    assert.is(tapOf(made).length, byPoints(made));
    assert.is(inFormat('ndjson', made).split('\n').length - 1, count);
    for (const format of ['ndjson', 'junit', 'github', 'gitlab', 'tap', 'markdown'] as const) {
      const text = inFormat(format, made);
      assert.is(hiddenIn(text), null, format);
      assert.is(forgedIn(text), null, format);
    }
  });
});

/** A point for each archive that is listed or has findings, and for each finding. */
const byPoints = (made: Result): number =>
  new Set([...made.archives!.map(one => one.archive), ...made.findings!.map(one => one.archive)]).size +
  made.findings!.length;

test('hostile names in SARIF and JUnit, by their schemas', async () => {
  await always(hostileResult, 25, async made => {
    const run = sarifOf(made);
    assert.is(run.results.length, made.findings!.length);
    for (const { message } of run.results) assert.not.match(message.text, /[^\\]\]\(/, 'a link');
    const xml = await junitOf(made);
    assert.is(xml.match(/<testcase /g)!.length, byPoints(made));
  });
});

test.run();
