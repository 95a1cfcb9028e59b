// `waybill completion`, run in the real shells.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { waybill } from '../support/cli.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('cli-completion');
const bin = join(folder, 'bin');
mkdirSync(bin);
symlinkSync(join(repositoryRoot, 'bin/waybill.js'), join(bin, 'waybill'));
for (const [name, from] of [
  ['one.tar', 'hello-docker-28.tar'],
  ['two.tar', 'hello-oci.tar'],
] as const)
  copyFileSync(join(repositoryRoot, 'samples', from), join(folder, name));

const isThere = (program: string) => spawnSync(program, ['--version']).status === 0;

/** The output of a shell that runs a script, where `waybill` is a program. */
function shell(program: string, script: string): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    HOME: folder,
    SHELL: '/bin/sh',
  };
  return new Promise((resolve, reject) => {
    execFile(program, ['-c', script], { cwd: folder, env }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${program}: ${error.message} ${stderr}`)),
    );
  });
}

/** A command line, and words that must, and must not, be among the candidates. */
const LINES: readonly (readonly [line: string, expected: readonly string[], none?: readonly string[]])[] = [
  ['waybill ver', ['verify'], ['show']],
  ['waybill manifest ', ['inspect', 'create', 'annotate', 'push', 'rm'], ['verify']],
  ['waybill verify --fail', ['--fail-on']],
  ['waybill verify --fail-on ', ['error', 'warning', 'info', 'never']],
  ['waybill explain digest-m', ['digest-mismatch'], ['layer-missing']],
  ['waybill on', ['one.tar']],
  ['waybill verify t', ['two.tar'], ['one.tar']],
  ['waybill history one.tar ', ['hello:1.0'], ['two.tar']],
  ['waybill history two.tar --platform ', ['linux/amd64', 'linux/arm64']],
  ['waybill cat one.tar --ref ', ['hello:1.0']],
  ['waybill history two.tar hel', ['hello:1.0'], ['docker.io/library/hello:1.0']],
  ['waybill diff one.tar ', ['two.tar'], ['hello:1.0']],
  ['waybill help ma', ['manifest']],
  ['waybill completion ', ['bash', 'zsh', 'fish']],
  ['waybill check one.tar --preset ', ['default@1', 'strict@1', 'none@1'], ['one.tar']],
  ['waybill check one.tar --against ', ['two.tar'], ['hello:1.0']],
  ['waybill verify one.tar --key t', ['two.tar'], ['one.tar']],
  ['waybill scan --files-from ', ['one.tar', 'two.tar']],
  ['waybill verify one.tar --notation-trust-store t', ['two.tar']],
  ['waybill cat one.tar /e', ['/etc/'], ['one.tar', '/etc/os-release']],
  ['waybill cat one.tar /etc/os', ['/etc/os-release'], ['os-release']],
  ['waybill cat two.tar#none /', [], ['/etc/']],
  ['waybill images --store ', ['containerd', 'classic']],
  ['waybill history none.tar ', [], ['hello:1.0']],
];

/** Options with a file as their value, and what may stand after the `=`: never the sign for the shell itself. */
const FILE_VALUES: readonly (readonly [before: string, option: string, typed: string, expected: string])[] = [
  ['waybill verify one.tar ', '--output=', 't', 'two.tar'],
  ['waybill check one.tar ', '--policy=', '', 'one.tar'],
  ['waybill extract one.tar ', '--layers=', 'o', 'one.tar'],
];
const FILE_LINES = FILE_VALUES.map(([before, option, typed]) => before + option + typed);

/** @param isWhole  true where the candidates have the option too */
function compareFiles(answers: readonly (readonly string[])[], isWhole: boolean): void {
  for (const [i, [before, option, typed, expected]] of FILE_VALUES.entries()) {
    const line = before + option + typed;
    const word = isWhole ? option + expected : expected;
    assert.ok(answers[i]!.includes(word), `${line}: ${word} is in ${answers[i]!.join(' ')}`);
    assert.not.match(answers[i]!.join(' '), ':files', line);
  }
}

function compare(answers: readonly (readonly string[])[]): void {
  for (const [i, [line, expected, none = []]] of LINES.entries()) {
    for (const word of expected)
      assert.ok(answers[i]!.includes(word), `${line}: ${word} is in ${answers[i]!.join(' ')}`);
    for (const word of none) assert.not.ok(answers[i]!.includes(word), `${line}: ${word} is not in it`);
  }
}

const answersOf = (output: string) =>
  output
    .split('== ')
    .slice(1)
    .map(answer => answer.split('\n').map(word => word.split('\t')[0]!.trim()));

testWhen(
  test,
  isThere('bash'),
  'there is no bash',
)('bash', async () => {
  const tries = LINES.map(([line]) => `try '${line}'`).join('\n');
  const script = `source <(waybill completion bash)
    try() { COMP_LINE=$1 COMP_POINT=\${#1}; COMPREPLY=(); _waybill waybill; echo '== '; printf '%s\\n' "\${COMPREPLY[@]}"; }
    ${tries}
    try 'waybill history one.tar hello:'
    try 'waybill verify --fail-on=e'
    try 'waybill cat one.tar#'
    ${FILE_LINES.map(line => `try '${line}'`).join('\n')}
    complete -p waybill`;
  const output = await shell('bash', script);
  const answers = answersOf(output);
  compare(answers);
  const [afterColon, afterEquals, afterHash, ...afterOption] = answers.slice(LINES.length);
  assert.equal(afterColon!.filter(Boolean), ['1.0'], 'bash has what stands before the colon already');
  assert.equal(afterEquals!.filter(Boolean), ['error']);
  assert.ok(afterHash!.includes('one.tar#hello:1.0'));
  compareFiles(afterOption, false);
  assert.match(output, 'complete -F _waybill waybill');
});

testWhen(
  test,
  isThere('fish'),
  'there is no fish',
)('fish', async () => {
  const lines = [...LINES.map(([line]) => line), ...FILE_LINES];
  const tries = lines.map(line => `echo '== '; complete -C '${line}'`).join('\n');
  const answers = answersOf(await shell('fish', `waybill completion fish | source\n${tries}`));
  compare(answers);
  compareFiles(answers.slice(LINES.length), true);
});

testWhen(
  test,
  isThere('zsh'),
  'there is no zsh',
)('zsh: the script is read, and asks for the words', async () => {
  const script = `autoload -U compinit; compinit -u -D; source <(waybill completion zsh)
    _describe() { (( $# == 2 )) || [[ $# == 4 && $3$4 == -S ]] || print 'wrong arguments'; print -rl -- "\${(@P)2}"; }
    _files() { print -l -- $PREFIX*(N); }
    compset() { [[ "$1 $2 $3" == '-P 1 *=' ]] && PREFIX=\${PREFIX#*=}; }
    try() { words=("\${(@s: :)1}"); CURRENT=$#words; PREFIX=$words[-1]; print '== '; _waybill; }
    ${[...LINES.map(([line]) => line), ...FILE_LINES].map(line => `try '${line}'`).join('\n')}
    true`;
  const answers = answersOf(await shell('zsh', script)).map(words =>
    words.map(word => word.replace(/(?<!\\):.*$/, '').replaceAll('\\:', ':')),
  );
  assert.not.ok(
    answers.flat().includes('wrong arguments'),
    'a directory is followed by no space: -S and nothing',
  );
  compareFiles(answers.slice(LINES.length), false);
  // zsh filters files itself.
  const isFile = (word: string) => word.endsWith('.tar');
  for (const [i, [line, expected, none = []]] of LINES.entries()) {
    for (const word of expected)
      assert.ok(answers[i]!.includes(word), `${line}: ${word} in ${answers[i]!.join(' ')}`);
    for (const word of none)
      if (!isFile(word)) assert.not.ok(answers[i]!.includes(word), `${line}: ${word} is not in it`);
  }
});

test('each shell has a script, and descriptions of words if it shows them', async () => {
  for (const name of ['bash', 'zsh', 'fish']) {
    const { stdout, status } = await waybill(['completion', name]);
    assert.is(status, 0);
    assert.match(stdout, `waybill completion ${name}`);
  }
  const asked = (name: string) =>
    waybill(['completion', name, '--before=', '--current=ver'], { cwd: folder });
  assert.is((await asked('bash')).stdout, 'verify\n:files\n');
  assert.match((await asked('fish')).stdout, /^verify\t\w/);
  assert.match((await asked('zsh')).stdout, /^verify:\w/);
});

test.run();
