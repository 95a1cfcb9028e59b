// Digests are followed to images through manifests and indexes, for signatures and for attestations.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DigestWays } from '../../src/link/digest-ways.js';
import { Coverage } from '../../src/signatures/coverage.js';
import { digestOf } from '../support/digest.js';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { readMembers } from '../support/reading.js';

const own = layouts.platformManifest(await plainImage());
const attestation = layouts.attestation(own, { predicateType: 'https://spdx.dev/Document', predicate: {} });

async function partOf(manifests: readonly layouts.Content[]) {
  const members = layouts.ociLayout({ manifests });
  const index = digestOf(layouts.memberBytes(members, 'index.json'));
  const { reading } = await readMembers(members, { depth: 'metadata' });
  return { part: reading.parts[0]!, index };
}

test('an index leads to its images, also behind an attestation about them, and no attestation leads there', async () => {
  for (const manifests of [
    [own, attestation],
    [attestation, own],
  ]) {
    const { part, index } = await partOf(manifests);
    const { images } = new Coverage([part]).reach([index]);
    assert.equal(
      images.map(({ image, steps }) => [image, steps.map(({ as }) => as)]),
      [[part.graph.images[0], ['index', 'manifest']]],
    );
    const behind = new Coverage([part]).reach([attestation.descriptor.digest]).images;
    assert.equal(
      behind.map(({ steps }) => steps.map(({ as }) => as)),
      [['attestation', 'statement', 'manifest']],
    );
    assert.equal(new DigestWays([part]).images(attestation.descriptor.digest), []);
  }
});

test('a digest that only a descriptor claims leads nowhere; sha512 leads where sha256 does', async () => {
  const { part } = await partOf([own]);
  const ways = new DigestWays([part]);
  const bytes = own.blobs[0]!.bytes;
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const [reached] = ways.images(digestOf(bytes, algorithm));
    assert.is(reached!.image, part.graph.images[0]);
    assert.is(reached!.steps[0]!.digest, digestOf(bytes, algorithm));
  }
  assert.equal(ways.images(part.graph.images[0]!.layers[0]!.claimedDigest!), []);
});

test.run();
