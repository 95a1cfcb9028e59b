// Wrong and habitual usage: the command line, the answer, and the exit code. Each row is a process.
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, type Run, waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { ociLayout } from '../support/layouts.js';
import { artifact } from '../support/oci.js';
import { toDirectory, toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('cli-habits');
const sample = (name: string) => join(repositoryRoot, 'samples', name);
for (const [name, from] of [
  ['one.tar', 'hello-docker-28.tar'],
  ['two.tar', 'hello-oci.tar'],
  ['broken.tar', 'broken-layer.tar'],
  ['odd#name.tar', 'hello-docker-24.tar'],
] as const)
  copyFileSync(sample(from), join(folder, name));
symlinkSync('one.tar', join(folder, 'link.md'));
linkSync(join(folder, 'one.tar'), join(folder, 'hard.md'));
mkdirSync(join(folder, 'folder.md'));
mkdirSync(join(folder, 'empty-folder'));
toDirectory(ociLayout({ manifests: [] }), join(folder, 'empty'));
const signature = artifact({ type: 'application/vnd.example.signature' });
writeFileSync(join(folder, 'artifacts.tar'), await toTar(ociLayout({ manifests: [signature] })));
writeFileSync(join(folder, 'cut.tar'), readFileSync(sample('hello-docker-28.tar')).subarray(0, 4000));

/** @param said  expected on standard error, or on standard output with exit code 0 */
type Row = readonly [line: string, status: number, ...said: (string | RegExp)[]];

const SHOWN = 'archive  one.tar';
const NAMED = (file: string) => `If it is an image, save it to a file first: docker save ${file} -o`;

const NAMES: readonly Row[] = [
  ['one.tar', 0, SHOWN],
  ['one.tar#hello:1.0', 0, SHOWN],
  ['odd#name.tar', 0, 'archive  odd#name.tar'],
  ['one.tar --ref hello:1.0', 0, SHOWN],
  ['one.tar hello:1.0 --ref hello:1.0', 0, SHOWN],
  ['docker-archive:one.tar', 0, SHOWN],
  ['docker-archive:one.tar:hello:1.0', 0, SHOWN],
  ['docker-archive://one.tar', 0, SHOWN],
  ['oci-archive:two.tar:hello:1.0', 0, 'archive  two.tar'],
  ['oci:empty:1.2', 2, 'empty: no image in it'],
  ['verify oci:empty', 1, ''],
  ['dir:empty', 0, 'archive  empty'],
  ['oci-layout://empty', 0, 'archive  empty'],
  [`file://${folder}/one.tar`, 0, 'one.tar'],
  [`file://${folder}/one.tar#hello:1.0`, 0, 'one.tar'],
  ['one.tar#nope', 2, 'one.tar: no image "nope"', 'hello:1.0'],
  ['one.tar#', 2, 'expected a reference after the #, found none'],
  ['one.tar#hello:1.0 other', 2, 'expected one reference, found "hello:1.0" and "other"', 'ARCHIVE#REF'],
  ['one.tar hello:1.0 --ref=other', 2, 'expected one reference, found "other" and "hello:1.0"'],
  ['inspect one.tar#hello:1.0 other', 2, 'expected one reference'],
  ['extract one.tar#hello:1.0 other out', 2, 'expected one reference'],
  ['docker-archive:one.tar:@0', 2, 'expected a name, an ID or a digest, found the place @0'],
  ['docker-archive:', 2, 'expected a file after docker-archive:'],
  ['docker-archive:none.tar:app:1', 2, 'none.tar: no such file or directory'],
  ['one.tar:hello:1.0', 2, 'no such file', 'An image of one.tar is named one.tar#REF'],
  [
    'docker://alpine:3.19',
    2,
    'reads image files',
    'skopeo copy docker://alpine:3.19 oci-archive:alpine-3.19.tar',
  ],
  ['verify docker-daemon:alpine:3.19', 2, 'docker save alpine:3.19 -o alpine-3.19.tar'],
  ['ids containers-storage:alpine', 2, 'podman save --format oci-archive alpine -o alpine.tar'],
  ['oci://ghcr.io/team/app:1', 2, 'skopeo copy docker://ghcr.io/team/app:1'],
  [
    'sizes https://example.com/image.tar',
    2,
    'no daemon, registry or network',
    'curl -fL -o image.tar https://example.com',
  ],
  ['http://example.com/image.tar', 2, 'curl -fL'],
  ['s3://bucket/image.tar', 2, 'Fetch it first'],
  ['file://host/one.tar', 2, 'expected file:///PATH'],
  ['alpine:3.19', 2, 'alpine:3.19: no such file or directory', NAMED('alpine:3.19')],
  ['verify ghcr.io/team/app@sha256:0', 2, 'no such file'],
  ['cat alpine:3.19 /etc/passwd', 2, NAMED('alpine:3.19')],
  ['history debian', 2, NAMED('debian')],
  ['none.tar', 2, /^waybill: none\.tar: no such file or directory\n$/],
  ['diff one.tar https://example.com/b.tar', 2, 'curl'],
  ['diff docker-archive:one.tar one.tar#hello:1.0', 0, 'the same'],
  ['config two.tar#hello:1.0 --platform linux/arm64', 0, '"architecture":"arm64"'],
  ['inspect two.tar#hello:1.0 --platform linux/amd64 -f {{.Architecture}}', 0, 'amd64'],
  ['inspect two.tar --ref hello:1.0 -f {{.Os}}', 0, 'linux'],
  ['history one.tar#hello:1.0 -q', 0, ''],
  ['imagetools inspect two.tar#hello:1.0', 0, 'Name:'],
  ['manifest inspect two.tar#hello:1.0', 0, '"manifests"'],
  ['cat one.tar#hello:1.0 etc/arch', 0, 'amd64'],
  ['cat one.tar etc/arch --ref hello:1.0', 0, 'amd64'],
  ['extract one.tar#hello:1.0 rootfs', 0, ''],
  ['extract one.tar --ref hello:1.0 rootfs2', 0, ''],
  ['report one.tar#hello:1.0', 0, 'Verification'],
];

const SLIPS: readonly Row[] = [
  ['verfy', 2, 'unknown command `verfy`; did you mean `verify`?', 'usage:'],
  ['verfy one.tar', 2, 'unknown command `verfy`; did you mean `verify`?'],
  ['verfy one.tar a b --nope', 2, 'did you mean `verify`?'],
  ['ls', 2, 'unknown command `ls`; did you mean `images`?'],
  ['dive one.tar', 2, 'unknown command `dive`; did you mean `waste` or `report`?'],
  ['frobnicate one.tar', 2, 'unknown command `frobnicate`; `waybill --help` lists them', 'usage:'],
  ['frob_nicate2 one.tar#hello:1.0', 2, 'unknown command `frob_nicate2`'],
  ['frobnicate one.tar --help', 2, 'unknown command `frobnicate`'],
  ['files one.tar /etc', 2, 'no image "/etc"', 'For files of an image: `waybill files ARCHIVE --where etc`'],
  ['one.tar --plaform linux/amd64', 2, 'unknown option --plaform; did you mean `--platform`?'],
  ['verify one.tar -platform linux/amd64', 2, 'did you mean `--platform`?'],
  [
    'verify one.tar --fail-on eror',
    2,
    '--fail-on: expected error, warning, info or never, found "eror"; did you mean `error`?',
  ],
  ['sizes one.tar --by layr', 2, 'did you mean `layer`?'],
  ['one.tar --limit member=1', 2, '--limit: there is no "member"; did you mean `members`?'],
  ['one.tar --limit foo=1', 2, '--limit: there is no "foo"; there are documentBytes'],
  ['explain digest-mismach', 2, 'there is no finding "digest-mismach"; did you mean `digest-mismatch`?'],
  ['explain xyzzy', 2, '`waybill explain` lists them all'],
  ['manifest crate', 2, 'unknown command `manifest crate`; did you mean `create`?'],
  ['manifest frobnicate', 2, 'unknown command `manifest frobnicate`; waybill has manifest inspect, create'],
  ['image lss', 2, 'did you mean `ls`?'],
  ['image rm x', 2, '`image rm` needs a running Docker daemon', 'image inspect, history, ls'],
  ['buildx build .', 2, '`buildx build` needs a running Docker daemon'],
  ['run --rm alpine', 2, '`run` needs a running Docker daemon, and waybill reads image files'],
  ['run x', 2, '(to read a file named `run`: waybill ./run)'],
  ['export x', 2, 'the files of an image: waybill extract ARCHIVE DIR'],
  ['--jsn one.tar', 2, 'unknown option --jsn; did you mean `--json`?'],
  ['verify --halp', 2, 'unknown option --halp; did you mean `--help`?'],
  ['vreify --help', 2, 'unknown command `vreify`; did you mean `verify`?'],
  ['help verfy', 2, 'did you mean `verify`?'],
  ['help frobnicate', 2, 'unknown command `frobnicate`'],
  ['help', 0, 'Reports:', "Docker's words:", 'Exit codes:'],
  ['help verify', 0, 'waybill verify [archive', '--fail-on'],
  ['help manifest create', 0, 'waybill manifest create'],
  ['verify none.tar --help', 0, '--fail-on'],
  ['version', 0, /^\d+\.\d+\.\d+\n$/],
  ['-V', 0, /^\d+\.\d+\.\d+\n$/],
  ['--version', 0, /^\d+\.\d+\.\d+\n$/],
];

const MISSING: readonly Row[] = [
  ['', 2, 'which archive?', 'usage: waybill [command] <archive>'],
  ['history --no-trunc', 2, 'which archive?'],
  ['ids', 2, 'which archive?', 'usage: waybill ids <archive'],
  ['cat one.tar', 2, 'the path is missing', 'usage: waybill cat <archive> <path>'],
  ['diff one.tar', 2, 'the second archive is missing', 'usage: waybill diff <a> <b>'],
  ['diff', 2, 'both archives are missing'],
  ['extract one.tar', 2, 'where to?', 'usage: waybill extract <archive>'],
  ['manifest', 2, 'which one? manifest inspect, create', 'usage: waybill manifest <command>'],
  ['manifest create', 2, 'the name of the list is missing'],
  ['manifest create app:1', 2, 'which archive?', 'usage: waybill manifest create <list>'],
  ['manifest annotate app:1', 2, 'which image of the list?'],
  ['manifest push app:1', 2, 'where to? --output DIR'],
  ['manifest rm', 2, 'which lists?'],
  ['completion', 2, 'for which shell? bash, zsh or fish'],
  ['completion tcsh', 2, 'completion: expected bash, zsh or fish, found "tcsh"'],
  ['show one.tar --require-complete', 2, /^waybill: unknown option --require-complete\n/],
  ['show one.tar --require-image', 2, /^waybill: unknown option --require-image\n/],
  ['explain a b', 2, 'unexpected argument "b"'],
  ['explain -', 2, 'there is no finding "-"'],
  ['report one.tar -', 2, 'expected a reference, found -'],
  ['cat one.tar -', 2, 'there is no -'],
];

const VALUES: readonly Row[] = [
  ['images one.tar --docker 17', 2, 'the answers of Docker 17 are not known; known are 20, 23, 24'],
  ['inspect one.tar --docker 29 --store classic --api 1.24 -f {{.Os}}', 0, 'linux'],
  [
    'inspect one.tar --docker 28 --api 1.55',
    2,
    '--docker 28 and --api 1.55 contradict each other',
    'up to 1.51',
  ],
  [
    'images one.tar --docker 20 --store containerd',
    2,
    '--docker 20 and --store containerd contradict each other',
  ],
  ['one.tar --timeout 0', 2, '--timeout: expected a time from 1s', 'found "0"'],
  ['one.tar --jobs x', 2, '--jobs: expected a number of threads', 'found "x"'],
  ['one.tar --memory 1', 2, '--memory: expected a size from', 'found "1"'],
  ['one.tar --limit -', 2, '--limit: expected NAME=VALUE', 'found "-"'],
  ['one.tar --platform', 2, '--platform has no value: expected --platform VALUE'],
  [
    'one.tar --platform -',
    2,
    '--platform: expected os/arch[/variant], or os(version)/arch of Windows, found "-"',
  ],
  [
    'one.tar --platform=',
    2,
    '--platform: expected os/arch[/variant], or os(version)/arch of Windows, found ""',
  ],
  ['one.tar --no-platform', 2, '--no-platform: --platform takes a value'],
  ['one.tar --json=maybe', 2, '--json: expected no value, found "maybe"'],
  ['one.tar --json=false', 0, SHOWN],
  ['one.tar --platform linux/arm64 --platform linux/amd64', 0, SHOWN],
  ['one.tar --ref', 2, '--ref has no value'],
  ['verify one.tar --fail-on', 2, 'expected --fail-on VALUE'],
  ['verify one.tar --fail-on --json', 2, 'expected --fail-on VALUE'],
  ['verify one.tar --require-complete', 0, 'complete yes'],
  ['cat one.tar etc/arch --json', 2, '--json: cat prints the bytes of a file'],
  ['config one.tar --raw=false', 2, '--raw=false'],
  ['-- one.tar', 0, SHOWN],
  ['one.tar --', 0, SHOWN],
  ['verify - -', 2, 'standard input is named twice, and can be read once'],
  ['diff - -', 2, 'standard input is named twice, and can be read once'],
  ['-', 2, 'standard input: nothing came in'],
  [
    'verify one.tar --require-complete=linux/arm64 --require-complete=linux/amd64',
    2,
    '--require-complete: expected one value, found "linux/arm64" and "linux/amd64"',
  ],
  [
    'verify one.tar --require-complete=foo',
    2,
    '--require-complete: expected os/arch[/variant]',
    'found "foo"',
  ],
  ['ids one.tar --find abcd --find ef01', 2, '--find: expected one value'],
  ['files one.tar --in 1 --in 2', 2, '--in: expected one value'],
  ['images one.tar --json --format {{.ID}}', 2, '--json and --format contradict each other'],
  ['images empty', 2, /^waybill: empty: no image in it\n$/],
  ['diff one.tar one.tar --ignore tmes', 2, 'did you mean `times`?'],
  ['diff one.tar one.tar --all --top 1', 2, '--all and --top contradict each other'],
  ['sizes one.tar --by file --sort size', 0, 'etc/passwd'],
  ['files one.tar --sort bytes', 0, 'etc/passwd'],
  ['save one.tar', 2, '`save` needs a running Docker daemon'],
  ['push one.tar', 2, '`push` needs a running Docker daemon'],
  ['compare one.tar one.tar', 2, 'diff'],
  ['history one.tar --format {{.Foo', 1, /^waybill: template parsing error: [^\n]*unclosed action\n$/],
  ['inspect one.tar hello:1.0 hello:1.0 -f {{.Foo}}', 1, /^waybill: template parsing error: [^\n]*\n$/],
  ['files one.tar --in 9', 2, 'no layer 9: the image has 3 layers'],
  ['files one.tar --in abcd', 2, 'no layer "abcd": no digest and no diff_id begins with it'],
];

const OUTPUTS: readonly Row[] = [
  ['verify one.tar -o -', 0, SHOWN],
  ['verify one.tar -o /dev/stdout', 0, SHOWN],
  ['verify one.tar -o - --format md', 0, '| archive | **one.tar** |'],
  ['verify one.tar --format md', 0, '| archive | **one.tar** |'],
  ['verify one.tar --format html', 0, '<!doctype html>'],
  ['verify one.tar --format json', 0, '"schemaVersion": 1'],
  ['verify one.tar --format JUnit', 0, '<testsuites'],
  ['verify one.tar -o JSON=/dev/stdout', 0, '"schemaVersion": 1'],
  ['verify one.tar --format Jsn', 2, 'found "Jsn"', 'did you mean `json`?'],
  ['verify one.tar --json -o -', 0, '"schemaVersion": 1'],
  ['verify one.tar -o /dev/null', 0, ''],
  ['verify one.tar -o noname', 2, '"noname" should end in one of .html .md .json .txt', '--format'],
  ['verify one.tar -o noname --format md', 0, ''],
  ['verify one.tar -o a.html --format md', 0, /^✅ \*\*passed: one\.tar: no findings\*\*\n/],
  ['verify one.tar -o a.html --format html', 0, /^$/],
  ['verify one.tar -o junit=-', 0, /^<\?xml version/],
  ['verify one.tar --format md --format tap', 0, /^TAP version 14\n/],
  ['verify one.tar --format text --format sarif -o b.sarif -o -', 0, SHOWN],
  ['verify one.tar --format tap --format junit -o noname', 0, /^<\?xml version/],
  ['verify one.tar --format tap --format junit -o noname -o -', 0, /^<\?xml version/],
  [
    'verify one.tar --format tap --format junit --format md -o noname -o -',
    2,
    '2 outputs have no format by name; say which is which with --output FORMAT=FILE',
  ],
  ['verify one.tar -o sarif', 2, '"sarif" should end in', '--format sarif is standard output in that format'],
  ['verify one.tar -o sarif=', 2, '--output "sarif=": expected a file, found an empty name'],
  ['verify one.tar --format sarf', 2, 'found "sarf"; did you mean `sarif`?'],
  ['verify one.tar --format junit -o a.md -o -', 0, /^<\?xml version/],
  ['verify one.tar --json -o tap=-', 2, '--json and --output tap=- both go to standard output'],
  ['verify one.tar -o sarf=x.sarif', 2, 'there is no format "sarf"; did you mean `sarif`?', './sarf=x.sarif'],
  ['verify one.tar -o other=x.txt', 0, ''],
  ['verify one.tar --json -o a.md --format tap', 2, '--format tap and --json both go to standard output'],
  ['diff one.tar broken.tar -o a.sarif', 2, 'diff has no findings, and sarif is about findings'],
  ['diff one.tar broken.tar --format tap', 2, '--format: expected text, json, markdown, html', 'found "tap"'],
  ['verify one.tar --json --format md', 2, '--json and --format md contradict each other'],
  ['verify one.tar --json -o - --format md', 2, 'both go to standard output'],
  ['verify one.tar -q --json', 2, '--quiet and --json contradict each other'],
  ['verify one.tar -q -v', 2, '--quiet and --verbose contradict each other'],
  ['verify one.tar -o', 2, 'expected -o VALUE'],
  ['verify one.tar -o=', 2, 'expected --output VALUE'],
  ['verify one.tar -o a.md -o ./a.md', 2, '"a.md" and "./a.md" are the same file'],
  ['verify one.tar -o - -o /dev/stdout', 2, '"-" and "/dev/stdout" are the same file'],
  ['verify one.tar -o folder.md', 2, 'folder.md: is a directory'],
  [
    'verify one.tar -o no/where.md',
    2,
    'no/where.md: cannot be written: no such file or directory',
    'Make its directory',
  ],
  ['verify one.tar -o link.md', 2, '"link.md" is read by this command'],
  ['verify one.tar -o hard.md', 2, '"hard.md" is read by this command'],
  ['diff broken.tar docker-archive:one.tar -o hard.md', 2, '"hard.md" is read by this command'],
  ['verify one.tar -o /dev/fd/0', 2, 'is no descriptor that was opened for writing'],
  ['verify one.tar -o /dev/fd/4', 2, 'is no descriptor that was opened for writing'],
  ['verify one.tar -o /dev/fd/99', 2, 'bad file descriptor'],
  ['verify broken.tar -o broken.md', 1, 'error digest-mismatch', 'wrote broken.md'],
  ['verify broken.tar -q', 1, /^$/],
  ['verify broken.tar -q -o quiet.md', 1, /^$/],
  ['verify one.tar -q', 0, /^$/],
];

const WITHOUT_IMAGE: readonly Row[] = [
  'sizes',
  'waste',
  'packages',
  'attestations',
  'files',
  'inspect',
  'history',
  'config',
  'cat',
  'extract',
].flatMap((word): Row[] => {
  const more = word === 'cat' ? ' etc/passwd' : word === 'extract' ? ' nothing' : '';
  return [
    [`${word} empty${more}`, 2, /^waybill: empty: no image in it\n$/],
    [
      `${word} artifacts.tar${more}`,
      2,
      /^waybill: artifacts\.tar: no image in it\nIt holds 1 artifact: `waybill show` lists them\.\n$/,
    ],
    [`${word} cut.tar${more}`, 2, /^waybill: cut\.tar: no image in it\n/, 'the archive is cut short here'],
  ];
});

const sum = join(folder, 'step_summary');

async function answered([line, status, ...said]: Row): Promise<void> {
  const args = line === '' ? [] : line.split(' ').map(word => (word === '-o=' ? '--output=' : word));
  const run: Run = await waybill(args, { cwd: folder, env: { GITHUB_STEP_SUMMARY: sum, HOME: folder } });
  const text = status === 0 ? run.stdout : run.stderr;
  assert.is(run.status, status, `${line}: ${run.stderr}`);
  if (status === 2) assert.is(run.stdout, '', line);
  for (const words of said) assert.match(text, words, `${line}: ${text}`);
  assert.not.match(run.stderr, /\\u\{?0|requireComplete|requireImage|\n\s+at /, line);
}

const TABLES = {
  'an archive is named as other tools name it': NAMES,
  'slips are answered with the word that was meant': SLIPS,
  'what is missing is named, with the usage of that command': MISSING,
  'values that make no sense': VALUES,
  'where a report goes': OUTPUTS,
  'an archive without an image is answered the same way': WITHOUT_IMAGE,
};

for (const [name, rows] of Object.entries(TABLES))
  test(name, async () => {
    await each(rows, answered);
  });

test('a job summary is appended to, in Markdown, and the log shows what failed', async () => {
  writeFileSync(sum, '# before\n');
  const env = { GITHUB_STEP_SUMMARY: sum };
  const failed = await waybill(['verify', 'broken.tar', '-o', sum], { cwd: folder, env });
  assert.is(failed.status, 1);
  assert.is(failed.stdout, '');
  assert.match(failed.stderr, 'error digest-mismatch');
  const second = await waybill(['verify', 'one.tar', '-o', 'step_summary'], { cwd: folder, env });
  assert.equal([second.status, second.stdout], [0, '']);
  const text = readFileSync(sum, 'utf8');
  assert.match(
    text,
    /^# before\n❌ \*\*failed: broken\.tar: [^\n]*\n[\s\S]*digest-mismatch[\s\S]*\n✅ \*\*passed: one\.tar: no findings\*\*\n[\s\S]*\n$/,
  );
  const elsewhere = await waybill(['verify', 'one.tar', '-o', 'step_summary'], { cwd: folder });
  assert.is(elsewhere.status, 2, 'another file without an extension tells no format');
});

test('an archive without a report is a result in every format, also when it is the only one', async () => {
  const formats = 'json markdown html ndjson sarif junit github gitlab tap'.split(' ');
  const lines = [
    ...formats.map(format => ['nowhere.tar', '--format', format]),
    ...['empty-folder', 'one.tar nothing:1', 'nowhere.tar one.tar'].map(names => [
      ...names.split(' '),
      '--format',
      'sarif',
    ]),
  ];
  await each(lines, async words => {
    const { status, stdout } = await waybill(['verify', ...words], { cwd: folder });
    assert.is(status, 2, words.join(' '));
    assert.match(stdout, /no such file|no image|not an image|empty/, `${words.join(' ')}: ${stdout}`);
    if (!/json|html|junit|tap$/.test(words.at(-1)!))
      assert.match(stdout, 'archive-unreadable', words.join(' '));
  });
  const outputs = ['unread.md', 'unread.sarif', 'unread.txt', 'unread.json'];
  const named = outputs.flatMap(name => ['-o', name]);
  const { status, stderr } = await waybill(['verify', 'nowhere.tar', ...named], { cwd: folder });
  assert.is(status, 2);
  assert.is(stderr.match(/no such file/g)!.length, 1, stderr);
  for (const name of outputs) assert.match(readFileSync(join(folder, name), 'utf8'), 'no such file', name);
  const quiet = await waybill(['verify', 'nowhere.tar', '--json'], { cwd: folder });
  assert.equal([quiet.status, quiet.stdout], [2, ''], 'JSON alone leaves that to standard error');
});

test('the help names every command with examples, and exit codes of those that read archives', async () => {
  const { stdout } = await waybill(['--help']);
  const names = [...stdout.matchAll(/^ {2}waybill (\w+)/gm)].map(([, name]) => name!);
  const commands = names.slice(0, names.lastIndexOf('completion') + 1);
  assert.ok(commands.length >= 20, commands.join(' '));
  const nested = ['inspect', 'create', 'annotate', 'push', 'rm'].map(word => ['manifest', word]);
  await each(
    [...commands.map(word => [word]), ...nested, ['image', 'ls'], ['imagetools', 'inspect']],
    async words => {
      const help = await waybill([...words, '--help']);
      assert.is(help.status, 0);
      const [, examples = ''] = help.stdout.split('Examples:\n');
      const lines = examples.split('\n').filter(line => line.startsWith('  '));
      assert.ok(lines.length > 0, `${words.join(' ')} has examples`);
      if (/^ +--limit /m.test(help.stdout)) assert.match(help.stdout, 'Exit codes: 0 sound', words.join(' '));
      assert.not.ok(
        lines.some(line => /^ {2}waybill \S/.test(line) && !/\S {2,}\S|[^ ]$/.test(line.trimEnd())),
        words.join(' '),
      );
    },
  );
});

test('commands without a report do not offer --json, and refuse it', async () => {
  const lists = ['create', 'annotate', 'push', 'rm'].map(word => ['manifest', word]);
  await each([['cat'], ['extract'], ['completion'], ...lists], async words => {
    const help = await waybill([...words, '--help']);
    assert.match(help.stdout, '--color');
    assert.not.match(help.stdout, '--json ', words.join(' '));
  });
  const refused = await waybill(['manifest', 'rm', 'x', '--json']);
  assert.match(refused.stderr, '--json: manifest rm prints no report');
  assert.match((await waybill(['verify', '--help'])).stdout, '--json ');
});

test('--verbose says what was read, in words of users', async () => {
  const { stderr } = await waybill(['verify', 'one.tar', '-v'], { cwd: folder });
  assert.match(stderr, /read one\.tar: \d+ bytes, in \d+\.\d\d s$/m);
});

test('no file is left behind', () => {
  assert.equal(
    readdirSync(folder).filter(name => name.includes('unfinished')),
    [],
  );
});

test.run();
