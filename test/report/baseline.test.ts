// Known findings: what a baseline hides, what it says of entries that no longer match, and what is no baseline.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { baselineText, parseBaseline } from '../../src/report/baseline.js';
import { waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('baseline');
for (const name of ['truncated.tar', 'broken-layer.tar', 'hello-oci.tar', 'hello-docker-28.tar'])
  copyFileSync(join(repositoryRoot, 'samples', name), join(folder, name));
writeFileSync(join(folder, 'junk.tar'), 'no archive');
mkdirSync(join(folder, 'folder.json'));

const run = (...words: readonly string[]) => waybill(words, { cwd: folder });
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const write = (name: string, content: string) => writeFileSync(join(folder, name), content);

test('what is written once is hidden from then on, counted, and no reason to fail', async () => {
  assert.is((await run('verify', 'broken-layer.tar')).status, 1);
  const written = await run('verify', 'broken-layer.tar', '--baseline', 'b.json', '--update-baseline');
  assert.equal([written.status, written.stderr], [0, 'waybill: b.json: 2 known findings\n']);
  const again = await run('verify', 'broken-layer.tar', '--baseline', 'b.json');
  assert.equal([again.status, again.stderr], [0, '']);
  assert.match(again.stdout, 'nothing to report; 2 hidden by the baseline');
  assert.match(again.stdout, 'intact no', 'the verdicts are about the archive');
  const { findings, baseline } = JSON.parse(
    (await run('verify', 'broken-layer.tar', '--baseline', 'b.json', '--json')).stdout,
  );
  assert.equal([findings, baseline], [[], { hidden: 2 }]);
  const lines = (await run('verify', 'broken-layer.tar', 'hello-oci.tar', '--baseline', 'b.json', '--json'))
    .stdout;
  assert.equal(
    lines
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).baseline.hidden),
    [2, 0],
  );
  const sarif = JSON.parse(
    (await run('verify', 'broken-layer.tar', '--baseline', 'b.json', '--format', 'sarif')).stdout,
  );
  assert.equal(sarif.runs[0].results, []);
  const summary = await run('report', 'broken-layer.tar', '--baseline', 'b.json', '--format', 'markdown');
  assert.equal(
    [summary.status, summary.stdout.split('\n')[0]],
    [0, '✅ **passed: broken-layer.tar: no findings, 2 hidden by the baseline**'],
  );
  assert.is(
    (await run('check', 'broken-layer.tar', '--baseline', 'b.json')).status,
    0,
    'check has the fingerprints of verify',
  );
});

test('findings that are not listed are not known: a new one may be among them', async () => {
  const image = await plainImage('odd');
  const odd = (count: number) =>
    Array.from({ length: count }, (_, i) => layouts.file(`blobs/sha256/odd${i}`, 'x'));
  const save = async (count: number) => {
    const members = [...layouts.skopeoOci({ image, tags: ['app:1'] }), ...odd(count)];
    writeFileSync(join(folder, 'odd.tar'), await toTar(members));
  };
  const verify = (...more: readonly string[]) =>
    run('verify', 'odd.tar', '--fail-on', 'info', '--baseline', 'odd.json', ...more);
  await save(5);
  assert.is((await verify('--update-baseline')).status, 0);
  assert.is((await verify()).status, 0);
  await save(120);
  const { status, stderr } = await verify('--update-baseline');
  assert.is(status, 1);
  assert.match(stderr, 'not all findings blob-name-odd are listed');
  assert.match(stderr, '--limit findingsPerCode=… lists more');
  assert.is((await verify('--limit', 'findingsPerCode=200', '--update-baseline')).status, 0);
  assert.is((await verify('--limit', 'findingsPerCode=200')).status, 0);
});

test('it is sorted, a property on each line, and written the same way again', async () => {
  await run('verify', 'truncated.tar', 'broken-layer.tar', '--baseline', 'sorted.json', '--update-baseline');
  const first = read('sorted.json');
  await run('verify', 'broken-layer.tar', 'truncated.tar', '--baseline', 'sorted.json', '--update-baseline');
  assert.is(read('sorted.json'), first);
  const entries = parseBaseline(first);
  assert.ok(!('what' in entries) && entries.length === 3);
  assert.is(baselineText([...entries].reverse()), first);
  assert.match(first, /^ {6}"place": "layer of COPY app\/ \/app\/"$/m);
});

test('entries that no longer match are counted, and removed when that is asked for', async () => {
  await run('verify', 'broken-layer.tar', '--baseline', 'stale.json', '--update-baseline');
  const fixed = await run('verify', 'hello-docker-28.tar', '--baseline', 'stale.json');
  assert.equal(
    [fixed.status, fixed.stderr],
    [0, 'waybill: stale.json: 2 of 2 entries no longer match; --update-baseline removes them\n'],
  );
  const quiet = await run('verify', 'hello-docker-28.tar', '--baseline', 'stale.json', '--quiet');
  assert.is(quiet.stderr, '');
  const updated = await run('verify', 'hello-docker-28.tar', '--baseline', 'stale.json', '--update-baseline');
  assert.is(updated.stderr, 'waybill: stale.json: 0 known findings, 2 removed that no longer match\n');
  assert.equal(parseBaseline(read('stale.json')), []);
});

test('entries about other images stay, and are said', async () => {
  const other = {
    fingerprint: 'a'.repeat(64),
    code: 'key-case',
    subject: 'docker.io/library/other linux/arm64',
    place: '',
  };
  write('other.json', baselineText([other]));
  const note =
    'waybill: other.json: 1 entry about what this run did not look at: docker.io/library/other linux/arm64\n';
  assert.is((await run('verify', 'hello-docker-28.tar', '--baseline', 'other.json')).stderr, note);
  const updated = await run('verify', 'broken-layer.tar', '--baseline', 'other.json', '--update-baseline');
  assert.is(updated.stderr, `waybill: other.json: 3 known findings\n${note}`);
  const entries = parseBaseline(read('other.json'));
  assert.ok(!('what' in entries) && entries.some(({ code }) => code === 'key-case'));
});

test('an archive without a report is never known', async () => {
  const written = await run(
    'verify',
    'junk.tar',
    'truncated.tar',
    '--baseline',
    'junk.json',
    '--update-baseline',
  );
  assert.is(written.status, 2);
  const entries = parseBaseline(read('junk.json'));
  assert.ok(!('what' in entries));
  assert.equal(
    entries.map(({ code }) => code),
    ['tar-truncated'],
  );
  assert.is((await run('verify', 'junk.tar', 'truncated.tar', '--baseline', 'junk.json')).status, 2);
});

const FAULTS: readonly (readonly [name: string, content: string, said: RegExp])[] = [
  ['cut.json', '{"type": "waybill-baseline", "schemaV', /not a baseline: the file is cut short/],
  ['empty.json', ' \n', /not a baseline: the file is empty/],
  ['text.json', 'hello }', /not a baseline: not JSON/],
  ['report.json', '{"schemaVersion": 1, "findings": []}', /expected "type": "waybill-baseline"/],
  ['list.json', '[]', /expected "type": "waybill-baseline"/],
  [
    'later.json',
    '{"type": "waybill-baseline", "schemaVersion": 2}',
    /another version: expected "schemaVersion": 1, found 2/,
  ],
  ['none.json', '{"type": "waybill-baseline"}', /expected "schemaVersion": 1, found none/],
  ['without.json', '{"type": "waybill-baseline", "schemaVersion": 1}', /expected a list "findings"/],
  [
    'entry.json',
    '{"type": "waybill-baseline", "schemaVersion": 1, "findings": [{"fingerprint": "x"}]}',
    /\/findings\/0: expected "fingerprint" \(64 hexadecimal digits\)/,
  ],
];

test('what is no baseline is refused before anything is read, and never written over', async () => {
  for (const [name, content, said] of FAULTS) {
    write(name, content);
    for (const more of [[], ['--update-baseline']]) {
      const { status, stdout, stderr } = await run('verify', 'nowhere.tar', '--baseline', name, ...more);
      assert.equal([status, stdout], [2, ''], name);
      assert.match(stderr, said);
      assert.match(stderr, new RegExp(`^waybill: ${name}: `));
      assert.is(read(name), content);
    }
  }
  const absent = await run('verify', 'truncated.tar', '--baseline', 'nowhere.json');
  assert.match(absent.stderr, /nowhere\.json: there is no such file\nWrite it with --update-baseline/);
  assert.is((await run('verify', 'truncated.tar', '--baseline', 'folder.json')).status, 2);
  const unnamed = await run('verify', 'truncated.tar', '--update-baseline');
  assert.match(unnamed.stderr, '--update-baseline: name the file with --baseline FILE');
  const over = await run('verify', 'truncated.tar', '--baseline', 'b.json', '-o', 'b.json');
  assert.match(over.stderr, '"b.json" is read by this command');
});

const DOCKERFILE = `FROM scratch
COPY rootfs/ /
ENV GREETING=Hello
COPY app/ /app/
RUN rm /app/notes.txt \\
  && tidy /app/LICENSE
LABEL org.opencontainers.image.title=hello \\
  org.opencontainers.image.version=1.0
WORKDIR /app
USER 1000:1000
ENTRYPOINT ["/bin/hello"]
CMD ["world"]
`;

test('--dockerfile: findings name the line that made the layer', async () => {
  write('Dockerfile', DOCKERFILE);
  for (const command of ['verify', 'check']) {
    const text = await run(command, 'broken-layer.tar', '--dockerfile', 'Dockerfile');
    assert.match(text.stdout, 'Dockerfile:4', command);
    const github = await run(
      command,
      'broken-layer.tar',
      '--dockerfile',
      './Dockerfile',
      '--format',
      'github',
    );
    assert.match(github.stdout, /^::error file=Dockerfile,line=4,endLine=4,title=/m);
    assert.is(github.stderr, '');
  }
  const late = await run('verify', 'truncated.tar', '--dockerfile', 'Dockerfile', '--format', 'gitlab');
  assert.equal(JSON.parse(late.stdout)[0].location, { path: 'Dockerfile', lines: { begin: 5 } });
});

test('--dockerfile: one of another image is said once, and members are named instead', async () => {
  write('Other', DOCKERFILE.replace('tidy', 'strip'));
  const { status, stdout, stderr } = await run(
    'verify',
    'broken-layer.tar',
    'truncated.tar',
    '--dockerfile',
    'Other',
  );
  assert.is(status, 1);
  assert.match(
    stderr,
    /^waybill: Other: its instructions are not the history of hello:1\.0, nor of 1 more: line 5: expected RUN rm /,
  );
  assert.is(stderr.split('\n').length, 2);
  assert.not.match(stdout, 'Other:');
  write('None', 'hello\n');
  assert.match(
    (await run('verify', 'truncated.tar', '--dockerfile', 'None')).stderr,
    'not a Dockerfile: it has no FROM',
  );
  assert.match(
    (await run('verify', 'truncated.tar', '--dockerfile', 'Nowhere')).stderr,
    'there is no such file',
  );
  const target = await run('verify', 'truncated.tar', '--dockerfile', 'Dockerfile', '--target', 'x');
  assert.match(target.stderr, /--target: there is no stage "x" in it\nIt has 0\./);
  assert.match((await run('verify', 'truncated.tar', '--target', 'x')).stderr, '--dockerfile');
});

test.run();
