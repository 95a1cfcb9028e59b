import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { securityPage } from '../../docs/security.js';
import { repositoryRoot } from '../support/corpus.js';
import { chapters } from './chapters.js';

for (const { title, attacks } of chapters)
  for (const { attack, run } of attacks) test(`${title}: ${attack}`, run);

test('docs/security.md is made from the attacks', () => {
  assert.is(readFileSync(join(repositoryRoot, 'docs/security.md'), 'utf8'), securityPage());
});

test.run();
