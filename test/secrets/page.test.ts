// docs/secrets.md names every kind of secret there is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRET_KINDS } from '../../src/secrets/secret.js';
import { repositoryRoot } from '../support/corpus.js';

test('each kind has its place in the table', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/secrets.md'), 'utf8');
  const named = [...page.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
    cell!.replaceAll('`', '').split(', '),
  );
  assert.equal(named.sort(), Object.keys(SECRET_KINDS).sort());
});

test.run();
