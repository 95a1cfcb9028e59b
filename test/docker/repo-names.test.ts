import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repoNames, splitRepoName } from '../../src/docker/stores/stored-image.js';

const DIGEST = `sha256:${'1'.repeat(64)}`;

test('names are shown in short form, in the order of the full form', () => {
  const names = ['example.test/app:1', 'docker.io/library/app:2', 'library/zoo', 'docker.io/team/app:1'];
  assert.equal(repoNames(names, null), {
    tags: ['app:2', 'zoo:latest', 'team/app:1', 'example.test/app:1'],
    digests: [],
  });
});

test('two spellings of a name are one name', () => {
  assert.equal(repoNames(['app:1', 'docker.io/library/app:1'], null).tags, ['app:1']);
});

test("containerd's store knows every repository by the image's digest", () => {
  assert.equal(repoNames(['app:1', 'app:2', 'localhost:5000/x:1'], DIGEST).digests, [
    `app@${DIGEST}`,
    `localhost:5000/x@${DIGEST}`,
  ]);
});

test('a digest is not a tag', () => {
  assert.equal(repoNames([`app@${DIGEST}`], null), { tags: [], digests: [`app@${DIGEST}`] });
});

test('a tag alone is shown if there is no better name', () => {
  assert.equal(repoNames(['1.2', '1.2'], DIGEST), { tags: ['1.2'], digests: [] });
  assert.equal(repoNames(['1.2', 'app:1.2'], null).tags, ['app:1.2']);
});

test('an invalid name is shown unchanged', () => {
  assert.equal(repoNames(['Bad/Name:1'], null).tags, ['Bad/Name:1']);
});

test('columns have the parts of a name', () => {
  assert.equal(splitRepoName('app:1'), { repository: 'app', tag: '1', digest: null });
  assert.equal(splitRepoName('localhost:5000/a/b:1'), {
    repository: 'localhost:5000/a/b',
    tag: '1',
    digest: null,
  });
  assert.equal(splitRepoName(`team/app@${DIGEST}`), { repository: 'team/app', tag: null, digest: DIGEST });
  assert.equal(splitRepoName('1.2'), { repository: '<none>', tag: '1.2', digest: null });
  assert.equal(splitRepoName('Bad/Name:1'), { repository: 'Bad/Name', tag: '1', digest: null });
});

test.run();
