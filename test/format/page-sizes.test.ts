// The script of the HTML page cannot import: its sizes are held to those of the reports around it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeText } from '../../src/spec/size-text.js';
import { repositoryRoot } from '../support/corpus.js';

test('the page writes every size as the report does', () => {
  const script = readFileSync(join(repositoryRoot, 'dist/src/format/page/tree.js'), 'utf8');
  const ofPage = runInNewContext(`${script};sizeText`) as typeof sizeText;
  for (let power = 0; power < 19; power++)
    for (const factor of [1, 1.5, 9.994, 9.995, 9.996, 9.9949, 9.9951]) {
      const bytes = Math.round(factor * 10 ** power);
      assert.is(ofPage(bytes), sizeText(bytes), String(bytes));
    }
  assert.is(ofPage(0), sizeText(0));
});

test.run();
