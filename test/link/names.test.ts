// The names of an index are also names of the images that it lists.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainImage } from '../support/image.js';
import { described, indexOf, NAME_ANNOTATION, platformManifest } from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';
import { codes, readMembers } from '../support/reading.js';

const named = (name: string) => ({ annotations: { [NAME_ANNOTATION]: name } });

test('an index of two names gives both to its images, except those with a name of their own', async () => {
  const [one, two] = await Promise.all([plainImage('one'), plainImage('two')]);
  const inner = indexOf([platformManifest(one!), described(platformManifest(two!), named('own:1'))]);
  const outer = indexOf([inner]);
  const members = ociLayout({ manifests: ['app:1', 'app:2'].map(name => described(outer, named(name))) });
  const { report } = await readMembers(members);
  assert.equal(
    report.images.map(({ names }) => names),
    [['app:1', 'app:2'], ['own:1']],
  );
  assert.equal(
    codes(report.findings).filter(code => code === 'limit-reached'),
    [],
  );
});

test('names for many images count towards the limit on manifests', async () => {
  const images = await Promise.all(['a', 'b', 'c'].map(seed => plainImage(seed, 1)));
  const index = indexOf(images.map(image => platformManifest(image)));
  const names = Array.from({ length: 20 }, (_, i) => described(index, named(`app:${i}`)));
  const { report } = await readMembers(ociLayout({ manifests: names }), { limits: { manifests: 30 } });
  assert.ok(codes(report.findings).includes('limit-reached'));
  assert.is(report.images.length, 3);
});

test.run();
