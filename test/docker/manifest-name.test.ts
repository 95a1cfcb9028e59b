import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameOfDocument, withDigest } from '../../src/docker/manifest/entries.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const refOf = (name: string | null, file: string) => nameOfDocument(name, file, DIGEST).ref;

test('a full name is normalised, and kept as it was written', () => {
  assert.equal(nameOfDocument('sample:latest', 'x.tar', DIGEST), {
    name: 'sample:latest',
    ref: 'docker.io/library/sample:latest',
  });
  assert.is(refOf('team/app', 'x.tar'), 'docker.io/team/app:latest');
  assert.is(refOf('localhost:5055/team/app:1', 'x.tar'), 'localhost:5055/team/app:1');
  assert.is(refOf('Not:A:Name', 'x.tar'), 'Not:A:Name');
});

test('a single word is a tag of a repository that is named like the archive', () => {
  assert.is(refOf('latest', '/some/folder/app.tar.gz'), 'app:latest');
  assert.is(refOf('3.14', 'layout-dir/'), 'layout-dir:3.14');
  assert.is(refOf('v1', '-'), 'stdin:v1');
});

test('without a name, the digest is used', () => {
  assert.is(refOf(null, 'my.app.tar'), `my.app@${DIGEST}`);
  assert.is(refOf(null, '.tar'), `archive@${DIGEST}`);
});

test('a digest is appended to a tag, and replaces a digest', () => {
  const other = `sha256:${'b'.repeat(64)}`;
  assert.is(withDigest('a/b:1', other), `a/b:1@${other}`);
  assert.is(withDigest(`a/b@${DIGEST}`, other), `a/b@${other}`);
});

test.run();
