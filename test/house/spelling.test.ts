// Documents and help are spelled right: cspell's dictionaries, and the words of the field in docs/words.txt.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';

const cspell = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'node_modules/cspell/bin.mjs'), ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });

test('no document has a word that is in no dictionary and not in docs/words.txt', () => {
  const { status, stdout, stderr } = cspell('--no-progress', '--no-summary', '--show-suggestions');
  assert.is(status, 0, `${stdout}${stderr}\nCorrect it, or add the word to docs/words.txt.`);
});

test('docs/words.txt is sorted, and has no word twice', () => {
  const words = readFileSync(join(repositoryRoot, 'docs/words.txt'), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'));
  const sorted = [...new Set(words)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  assert.equal(words, sorted);
});

test.run();
