// Signatures wherever tools put them: what each signs, and that every delivery gives the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ReadOptions, readArchive, type SignaturesListing, signatures } from '../../src/commands.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { deliveries, toDirectory, toTar, toZip } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { hasSignatures, signatureFile } from '../support/signatures.js';
import {
  BUNDLE,
  bundleOf,
  cosign2,
  cosign2Attestation,
  cosign3,
  newSigner,
  notation,
  signatureManifest,
  signedDir,
  simpleLayer,
  simplePayload,
  skopeoSignature,
  statementOf,
  tagFor,
  withKind,
  withTag,
} from '../support/signed.js';
import { temporary } from '../support/tmp.js';

const signer = newSigner();
const app = await plainImage('app');
const manifest = layouts.platformManifest(app);
const { digest } = manifest.descriptor;
const path = layouts.blobPath(digest);

type Input = string | AsyncIterable<Uint8Array>;

async function listed(input: Input, options: ReadOptions = { depth: 'metadata' }) {
  const reading = await readArchive(input, options);
  return (signatures(reading, { verifier: null }).data as SignaturesListing).signatures;
}

const inTar = async (members: readonly layouts.Member[], name = 'signed.tar') =>
  listed(saved(await toTar(members), name));

const layoutOf = (...manifests: readonly layouts.Content[]) => layouts.ociLayout({ manifests });

/** The blobs of contents that no index lists. */
const unlisted = (...contents: readonly layouts.Content[]) => contents.flatMap(({ blobs }) => blobs);

const referrers = cosign3(manifest, signer);
const attested = cosign2Attestation(manifest, signer);
const CASES: readonly {
  readonly name: string;
  readonly members: readonly layouts.Member[];
  readonly wanted: Readonly<Record<string, unknown>>;
}[] = [
  {
    name: 'cosign 2, as cosign save writes it',
    members: layoutOf(withKind(manifest, 'image'), withKind(cosign2(manifest, signer), 'sigs')),
    wanted: { format: 'cosign-simple', role: 'signature', foundBy: 'cosign-kind', attachedTo: null },
  },
  {
    name: 'cosign 2, an attestation of cosign save',
    members: layoutOf(withKind(manifest, 'image'), withKind(attested, 'atts')),
    wanted: {
      format: 'dsse',
      role: 'attestation',
      foundBy: 'cosign-kind',
      predicateType: 'https://slsa.dev/provenance/v1',
    },
  },
  {
    name: 'cosign 3, a referrer that no index lists',
    members: layouts.ociLayout({ manifests: [manifest], unreferenced: unlisted(referrers) }),
    wanted: { format: 'sigstore-bundle', role: 'signature', foundBy: 'subject', attachedTo: digest },
  },
  {
    name: 'the tag .sig',
    members: layoutOf(manifest, withTag(cosign2(manifest, signer), tagFor(manifest, '.sig'))),
    wanted: { format: 'cosign-simple', foundBy: 'tag', attachedTo: digest },
  },
  {
    name: 'the tag .att',
    members: layoutOf(manifest, withTag(attested, tagFor(manifest, '.att'))),
    wanted: { format: 'dsse', role: 'attestation', foundBy: 'tag', attachedTo: digest },
  },
  {
    name: 'the index of referrers with the tag of the image',
    members: layoutOf(
      manifest,
      withTag(layouts.indexOf([cosign3(manifest, signer, { subject: false })]), tagFor(manifest)),
    ),
    wanted: { format: 'sigstore-bundle', foundBy: 'fallback-index', attachedTo: digest },
  },
  {
    name: "Docker 29's annotation of an entry",
    members: layoutOf(
      manifest,
      layouts.described(referrers, { annotations: { 'io.containerd.manifest.subject': digest } }),
    ),
    wanted: { format: 'sigstore-bundle', foundBy: 'containerd-subject', attachedTo: digest },
  },
  {
    name: 'an entry of index.json without any mark',
    members: layoutOf(manifest, cosign3(manifest, signer, { subject: false })),
    wanted: { format: 'sigstore-bundle', foundBy: 'listed', attachedTo: null },
  },
];

for (const { name, members, wanted } of CASES) {
  test(`found: ${name}`, async () => {
    const { found, images } = await inTar(members);
    assert.is(found.length, 1);
    const [signature] = found;
    const seen = Object.fromEntries(Object.keys(wanted).map(key => [key, signature![key as 'format']]));
    assert.equal(seen, wanted);
    assert.equal(signature!.signs, [digest]);
    assert.equal(
      signature!.images.map(({ digest: own, steps }) => [own, steps.map(step => [step.as, step.path])]),
      [[digest, [['manifest', path]]]],
    );
    assert.is(signature!.problem, null);
    assert.is(images[0]!.signed.length, wanted.role === 'attestation' ? 0 : 1);
  });

  test(`every delivery gives the same: ${name}`, async () => {
    await sameEverywhere(members);
  });
}

async function sameEverywhere(members: readonly layouts.Member[]): Promise<void> {
  const folder = temporary('signatures');
  const expected = await inTar(members);
  assert.ok(expected.found.length > 0);
  const anywhere = (report: unknown) => JSON.stringify(report).replaceAll('image.tar!/', '');
  const plain = anywhere(expected).replaceAll('"inside":null', '"inside":""');
  for (const { kind, file } of await deliveries(members, folder)) {
    const report = anywhere(await listed(file)).replaceAll(/"inside":(null|"image\.tar")/g, '"inside":""');
    assert.is(report, plain, kind);
  }
  const tar = await toTar(members);
  for (const depth of ['metadata', 'digests'] as const)
    assert.is(
      anywhere(await listed(streamOf(tar, 1000), { depth })).replaceAll('"inside":null', '"inside":""'),
      plain,
      `a pipe, ${depth}`,
    );
}

test("skopeo's dir: its files are the signatures of its manifest", async () => {
  const members = signedDir(app, signer);
  const { found, images } = await inTar(members);
  const [signature] = found;
  assert.equal(
    [signature!.format, signature!.foundBy, signature!.at.path],
    ['cosign-simple', 'dir-file', 'signature-1'],
  );
  assert.is(signature!.attachedTo, images[0]!.digest);
  assert.equal(
    signature!.images.map(({ steps }) => steps.map(({ path: at }) => at)),
    [['manifest.json']],
  );
  await sameEverywhere(members);
});

test("skopeo's dir of a list: a file for the list covers its platforms, one for an instance only that", async () => {
  const arm = await image({
    layers: [{ files: { a: 'arm' } }],
    platform: { os: 'linux', architecture: 'arm64' },
  });
  const members = layouts.skopeoDir({ platforms: [app, arm] } as never);
  const list = Buffer.from(layouts.memberBytes(members, 'manifest.json'));
  const [first] = JSON.parse(list.toString()).manifests;
  const hex = first.digest.slice('sha256:'.length);
  const file = (name: string, about: string) => {
    const payload = simplePayload(about);
    return layouts.file(name, skopeoSignature(payload, signer.sign(payload)));
  };
  const both = await inTar([...members, file('signature-1', digestOf(list))]);
  assert.equal(
    both.images.map(({ signed }) => signed.length),
    [1, 1],
  );
  assert.equal(
    both.found[0]!.images[1]!.steps.map(({ as }) => as),
    ['index', 'manifest'],
  );
  const one = await inTar([...members, file(`${hex}.signature-1`, first.digest)]);
  assert.equal(
    one.images.map(({ signed }) => signed.length),
    [1, 0],
  );
  assert.is(one.found[0]!.attachedTo, first.digest);
});

test('an attachment of another type is no signature', async () => {
  const payload = Buffer.from('this is not a signature, regardless of the annotation');
  const members = [
    ...layouts.skopeoDir(app),
    layouts.file('signature-1', skopeoSignature(payload, signer.sign(payload), 'text/plain')),
  ];
  const { found, images } = await inTar(members);
  assert.equal([found.length, images[0]!.signed.length], [0, 0]);
});

test('what is marked as a signature and cannot be read is listed with the reason', async () => {
  const sound = simplePayload(digest);
  const layersOf = (...layers: readonly layouts.Content[]) =>
    withKind(layouts.artifact({ type: 'text/plain', layers }), 'sigs');
  const absent = layouts.sparse(cosign2(manifest, signer), one => one === digestOf(sound));
  const cases: readonly [layouts.Content, unknown][] = [
    [withKind(absent, 'sigs'), { code: 'blob-missing', digest: digestOf(sound) }],
    [layersOf(simpleLayer(sound, Buffer.of())), { code: 'malformed', part: 'signature' }],
    [
      layersOf(simpleLayer(Buffer.from('{"critical":{}}'), signer.sign(sound))),
      { code: 'malformed', part: 'payload' },
    ],
    [layersOf(layouts.blobOf('text/plain', 'hello')), { code: 'malformed', part: 'file' }],
    [layersOf(layouts.blobOf(BUNDLE, '{"mediaType":1}')), { code: 'malformed', part: 'bundle' }],
    [
      layersOf(layouts.blobOf(BUNDLE, '{"dsseEnvelope":{"payload":"?"}}')),
      { code: 'malformed', part: 'envelope' },
    ],
    [
      layersOf(layouts.blobOf(BUNDLE, `{"a":${'['.repeat(3000)}`)),
      { code: 'limit', limit: 'documentDepth', value: 1000, size: null },
    ],
    [
      layersOf(layouts.blobOf('application/vnd.dsse.envelope.v1+json', '{"payload')),
      { code: 'malformed', part: 'json' },
    ],
    [
      layersOf(layouts.blobOf('application/cose', Buffer.from('d28443a10126a0', 'hex'))),
      { code: 'malformed', part: 'cose' },
    ],
  ];
  for (const [content, problem] of cases) {
    const { found, images } = await inTar(layoutOf(manifest, content));
    assert.equal([found.map(one => one.problem), images[0]!.signed.length], [[problem], 0]);
  }
});

test('a bundle that is larger than the limit is said to be so', async () => {
  const [layer] = [layouts.blobOf(BUNDLE, JSON.stringify({ mediaType: 'x'.repeat(5000) }))];
  const members = layoutOf(manifest, layouts.artifact({ type: BUNDLE, layers: [layer!], subject: manifest }));
  for (const input of [saved(await toTar(members)), streamOf(await toTar(members))]) {
    const { found } = await listed(input, { depth: 'metadata', limits: { documentBytes: 4000 } });
    const size = layer!.blobs[0]!.bytes.length;
    assert.equal(
      found.map(({ problem }) => problem),
      [{ code: 'limit', limit: 'documentBytes', value: 4000, size }],
    );
  }
});

test('a statement with ten thousand subjects covers the one that is here', async () => {
  const more = Array.from({ length: 10_000 }, (_, i) => `sha256:${i.toString(16).padStart(64, '0')}`);
  const { found, images } = await inTar(layoutOf(manifest, cosign3(manifest, signer, { more })));
  assert.equal([found[0]!.signsCount, found[0]!.signs.length, images[0]!.signed.length], [10_001, 100, 1]);
});

test('the same signature in two places is read once and listed twice', async () => {
  const signature = cosign2(manifest, signer);
  const members = layoutOf(
    manifest,
    withTag(signature, tagFor(manifest, '.sig')),
    withKind(signatureManifest([copied(signature)], { annotations: { again: '1' } }), 'sigs'),
  );
  const { found, images } = await inTar(members);
  assert.is(found.length, 2);
  assert.equal(
    found.map(({ copyOf }) => copyOf === null),
    [true, false],
  );
  assert.equal(found[1]!.copyOf, found[0]!.at);
  assert.is(images[0]!.signed.length, 2);
});

/** The first layer of a manifest, with its annotations. */
function copied({ blobs }: layouts.Content): layouts.Content {
  const [own] = blobs;
  const [descriptor] = JSON.parse(Buffer.from(own!.bytes).toString()).layers;
  return { descriptor, blobs: blobs.filter(blob => blob.digest === descriptor.digest) };
}

test('a signature of an attestation manifest leads through its statement to the image', async () => {
  const attestation = layouts.attestation(manifest);
  const list = layouts.indexOf([manifest, attestation]);
  const members = layoutOf(list, cosign3(attestation, signer));
  const { found, images } = await inTar(members);
  assert.equal(
    found[0]!.images.map(({ steps }) => steps.map(({ as }) => as)),
    [['attestation', 'statement', 'manifest']],
  );
  assert.is(images[0]!.signed.length, 1);
  // Each link is computed: a statement that is not the one of the manifest leads nowhere.
  const statement = attestation.blobs.at(-1)!;
  const other = Buffer.from(Buffer.from(statement.bytes).toString().replace('"_"', '"-"'));
  const swapped = members.map(member =>
    member.path === layouts.blobPath(statement.digest) ? layouts.file(member.path, other) : member,
  );
  const broken = await inTar(swapped);
  assert.equal([broken.found[0]!.images.length, broken.images[0]!.signed.length], [0, 0]);
});

test('a signature of an index covers a platform only by the bytes of the index and of its manifest', async () => {
  const list = layouts.indexOf([manifest]);
  const members = layoutOf(list, cosign3(list, signer));
  const sound = await inTar(members);
  assert.equal(
    sound.images.map(({ signed }) => signed.map(({ steps }) => steps.map(({ as }) => as))),
    [[['index', 'manifest']]],
  );
  // The index that is signed is not here: index.json lists the image itself.
  const without = await inTar(layoutOf(manifest, cosign3(list, signer)));
  assert.equal([without.found[0]!.absent, without.images[0]!.signed.length], [[list.descriptor.digest], 0]);
  // Another manifest lies under the digest that the index lists.
  const evil = layouts.platformManifest(await plainImage('evil'));
  const swapped = members.map(member =>
    member.path === path ? layouts.file(path, evil.blobs[0]!.bytes) : member,
  );
  const { images } = await inTar([
    ...swapped,
    ...layoutOf(evil).filter(one => one.path.startsWith('blobs/sha256/') && one.path !== path),
  ]);
  assert.equal(
    images.map(({ signed }) => signed.length),
    [0],
  );
});

test('a manifest under a false digest is told from the signed one', async () => {
  const evil = layouts.platformManifest(await plainImage('evil'));
  const members = layoutOf(manifest, withKind(cosign2(manifest, signer), 'sigs')).map(member =>
    member.path === path ? layouts.file(path, evil.blobs[0]!.bytes) : member,
  );
  const { found, images } = await inTar([
    ...members,
    ...layouts
      .ociLayout({ manifests: [], unreferenced: evil.blobs.slice(1) })
      .filter(({ path: at }) => at.startsWith('blobs/sha256/')),
  ]);
  assert.equal(found[0]!.swapped, [{ claimed: digest, actual: evil.descriptor.digest, path }]);
  assert.equal([found[0]!.images.length, images[0]!.signed.length], [0, 0]);
});

test('a digest of sha512 is compared with the bytes too', async () => {
  const { bytes } = manifest.blobs[0]!;
  const payload = simplePayload(digestOf(bytes, 'sha512'));
  const content = signatureManifest([simpleLayer(payload, signer.sign(payload))]);
  const { found, images } = await inTar(layoutOf(manifest, withKind(content, 'sigs')));
  assert.equal([found[0]!.absent, images[0]!.signed.length], [[], 1]);
  const other = simplePayload(`sha512:${'0'.repeat(128)}`);
  const stray = signatureManifest([simpleLayer(other, signer.sign(other))]);
  assert.is((await inTar(layoutOf(manifest, withKind(stray, 'sigs')))).images[0]!.signed.length, 0);
});

test('two images of one digest are both signed', async () => {
  const named = (name: string) =>
    layouts.described(manifest, { annotations: { [layouts.REF_ANNOTATION]: name } });
  const archive = (name: string, ...more: readonly layouts.Content[]) =>
    toTar(layoutOf(named(name), ...more));
  const zip = toZip([
    layouts.file('a.tar', await archive('a', withKind(cosign2(manifest, signer), 'sigs'))),
    layouts.file('b.tar', await archive('b')),
  ]);
  const { images, found } = await listed(saved(zip, 'two.zip'));
  assert.equal(
    images.map(({ inside, signed }) => [inside, signed.length]),
    [
      ['a.tar', 1],
      ['b.tar', 1],
    ],
  );
  assert.match(found[0]!.at.path, /^a\.tar!\/blobs/);
});

test('indexes that list each other, and lists of the same list, end', async () => {
  const inner = layouts.indexOf(Array.from({ length: 300 }, () => manifest));
  const outer = layouts.indexOf(Array.from({ length: 300 }, () => inner));
  const { images } = await inTar(layoutOf(outer, cosign3(outer, signer)));
  assert.equal(
    images.map(({ signed }) => signed.length),
    [1],
  );
});

test('an SBOM by tag is listed as attached, and as signed where a signature is of it', async () => {
  const sbom = layouts.manifestFrom(
    layouts.MEDIA.manifest,
    layouts.blobOf(layouts.MEDIA.config, '{"rootfs":{"type":"layers","diff_ids":[]}}'),
    [layouts.blobOf('text/spdx+json', '{}')],
  );
  const tagged = withTag(sbom, tagFor(manifest, '.sbom'));
  const plain = await inTar(layoutOf(manifest, tagged));
  assert.equal(plain.found, []);
  assert.equal(
    plain.attached.map(one => [one.attachedTo, one.digest, one.signed]),
    [[digest, sbom.descriptor.digest, false]],
  );
  const signed = await inTar(
    layoutOf(manifest, tagged, withTag(cosign2(sbom, signer), tagFor(sbom, '.sig'))),
  );
  assert.equal(
    signed.attached.map(one => one.signed),
    [true],
  );
  assert.equal(
    signed.found[0]!.artifacts.map(({ digest: own }) => own),
    [sbom.descriptor.digest],
  );
  assert.is(signed.images[0]!.signed.length, 0);
});

test('more signatures than the limit are counted and not read', async () => {
  const payload = simplePayload(digest);
  const layer = (i: number) => simpleLayer(payload, Buffer.from([i]));
  const members = layoutOf(manifest, withKind(signatureManifest([1, 2, 3].map(layer)), 'sigs'));
  const { found, unread } = await listed(saved(await toTar(members)), {
    depth: 'metadata',
    limits: { signatures: 2 },
  });
  assert.equal([found.length, unread], [2, 1]);
});

test('a large blob that many signatures share is read as often as a limit allows', async () => {
  const payload = Buffer.from(
    JSON.stringify({
      critical: { image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' },
      optional: 'x'.repeat(100_000),
    }),
  );
  const layers = [1, 2, 3, 4].map(i => simpleLayer(payload, Buffer.from([i])));
  const members = layoutOf(manifest, withKind(signatureManifest(layers), 'sigs'));
  const limits = { linkedBytes: 250_000 };
  const { found } = await listed(saved(await toTar(members)), { depth: 'metadata', limits });
  const problem = { code: 'limit', limit: 'linkedBytes', value: 250_000, size: payload.length };
  assert.equal(
    found.map(one => one.problem),
    [null, null, null, problem],
  );
});

test('manifests are found beside documents that are larger than what is read for them', async () => {
  const large = Array.from({ length: 6 }, (_, i) => ({
    digest: digestOf(`{"i":${i},"x":"${'x'.repeat(3_000_000)}"}`),
    bytes: Buffer.from(`{"i":${i},"x":"${'x'.repeat(3_000_000)}"}`),
  }));
  const members = layouts.ociLayout({
    manifests: [manifest],
    unreferenced: [...large, ...unlisted(referrers)],
  });
  assert.is((await inTar(members, 'large.tar')).found.length, 1);
});

test('a bundle that signs the bytes of the manifest names it by their digest', async () => {
  const { bytes } = manifest.blobs[0]!;
  const bundle = JSON.stringify({
    mediaType: BUNDLE,
    verificationMaterial: { publicKey: { hint: 'k' }, tlogEntries: [] },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: Buffer.from(digest.slice(7), 'hex').toString('base64'),
      },
      signature: signer.sign(bytes).toString('base64'),
    },
  });
  const artifact = layouts.artifact({
    type: BUNDLE,
    layers: [layouts.blobOf(BUNDLE, bundle)],
    subject: manifest,
  });
  const { found, images } = await inTar(layoutOf(manifest, artifact));
  assert.equal([found[0]!.signs, found[0]!.claimed.keyHint, images[0]!.signed.length], [[digest], 'k', 1]);
});

test('each media type of a bundle is known', async () => {
  const statement = statementOf(digest);
  for (const type of [
    BUNDLE,
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
  ]) {
    const layer = layouts.blobOf(type, bundleOf(statement, signer));
    const { found } = await inTar(
      layoutOf(manifest, layouts.artifact({ type, layers: [layer], subject: manifest })),
    );
    assert.equal(
      found.map(({ format }) => format),
      ['sigstore-bundle'],
      type,
    );
  }
});

const sharedTest = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

sharedTest(
  'the Notary Project: JWS and COSE name the manifest, and every delivery gives the same',
  async () => {
    for (const [name, mediaType] of [
      ['jws', 'application/jose+json'],
      ['cose', 'application/cose'],
    ] as const) {
      const bytes = readFileSync(signatureFile('notation', `${name}_signature.sig`));
      const members = notationLayout(notation(alpine, bytes, mediaType));
      const { found, images } = await inTar(members);
      assert.equal(
        found.map(({ format, signs, claimed }) => [format, signs, claimed.identity]),
        [[`notation-${name}`, [alpine.digest], 'CN=alpine, O=Notary, L=Seattle, ST=WA, C=US']],
      );
      assert.is(images[0]!.signed.length, 1);
      await sameEverywhere(members);
    }
  },
);

const alpine: layouts.Descriptor = {
  mediaType: layouts.MEDIA.manifest,
  digest: 'sha256:19dbd2e48e921426ee8ace4dc892edfb2ecdc1d1a72d5416c83670c30acecef0',
  size: 481,
};

/** The layout of notation-go without its layer, and a signature. */
function notationLayout(signature: layouts.Content): layouts.Member[] {
  const folder = signatureFile('notation', 'oci-layout');
  const blob = (one: string) => ({
    digest: one,
    bytes: readFileSync(join(folder, layouts.blobPath(one))),
  });
  const config = 'sha256:572996c3caeacea40b947911a9dda21516c082b5a64af30048a02a6f5eb956d4';
  const own: layouts.Content = { descriptor: alpine, blobs: [blob(alpine.digest), blob(config)] };
  return layouts.ociLayout({ manifests: [own], unreferenced: unlisted(signature) });
}

sharedTest('the layouts made for this project are found as their README says', async () => {
  const rows = [
    ['cosign2', 'cosign-simple', 'cosign-kind'],
    ['cosign3', 'sigstore-bundle', 'subject'],
    ['docker29', 'sigstore-bundle', 'containerd-subject'],
  ];
  for (const [folder, format, foundBy] of rows) {
    const { found } = await listed(signatureFile('layouts', folder!));
    assert.equal(
      found.map(one => [one.format, one.foundBy]),
      [[format, foundBy]],
      folder,
    );
  }
});

test('a folder with a signature for an instance of a list is one image archive', async () => {
  const folder = toDirectory(signedDir(app, signer), join(temporary('signatures'), 'dir'));
  assert.is((await listed(folder)).found.length, 1);
});

test.run();
