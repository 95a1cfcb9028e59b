// One file that shows one image in waybill's report and is loaded as another one by an engine.
import * as assert from 'uvu/assert';
import type { Image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { type Attack, type Chapter, verified } from './attack.js';
import { evil, item, oci } from './material.js';

// biome-ignore lint/suspicious/noExplicitAny: documents are taken apart here, whatever they are
type Json = any;

const DISGUISED = 'Shown as an image, with an error that names the field.';
const IN_TOTO = 'application/vnd.in-toto+json';
const ATTESTATION = 'application/vnd.docker.attestation.manifest.v1+json';
const EMPTY = layouts.EMPTY.descriptor.digest;
const APP = 'docker.io/library/app:1';
const OTHER = 'docker.io/library/other:1';
const tagged = { image: item, tags: ['app:1'] };

const parse = (bytes: Uint8Array): Json => JSON.parse(Buffer.from(bytes).toString());

/** Changes the document at a path. */
const edit = (members: readonly layouts.Member[], path: string, change: (document: Json) => void) =>
  layouts.replaceBytes(members, path, bytes => {
    const document = parse(bytes);
    change(document);
    return JSON.stringify(document);
  });

/** A layout of one image, whose manifest is changed and listed with its new digest. */
function withManifest(change: (document: Json) => void, lists = oci): layouts.Member[] {
  const [entry] = parse(layouts.memberBytes(lists, 'index.json')).manifests;
  const path = layouts.blobPath(entry.digest);
  const document = parse(layouts.memberBytes(lists, path));
  change(document);
  const { descriptor, blobs } = layouts.blobOf(entry.mediaType, JSON.stringify(document));
  const others = lists.filter(member => member.path !== path);
  const listed = edit(others, 'index.json', index => {
    index.manifests[0] = { ...entry, digest: descriptor.digest, size: descriptor.size };
  });
  return [...listed, layouts.file(layouts.blobPath(descriptor.digest), blobs[0]!.bytes)];
}

const ZSTD = { 'io.github.containers.compression.zstd': 'true' };

const artifactWith = (more: Parameters<typeof layouts.described>[1]) =>
  layouts.described(layouts.artifact({ type: 'application/vnd.example' }), more);

/** An artifact and an image of one name in index.json, each with further annotations. */
const twoNamed = (artifact: Readonly<Record<string, string>>, image: Readonly<Record<string, string>> = {}) =>
  layouts.ociLayout({
    manifests: [
      artifactWith({ annotations: { ...artifact, [layouts.REF_ANNOTATION]: APP } }),
      named(item, { ...image, [layouts.REF_ANNOTATION]: APP }),
    ],
  });

const named = (image: Image, annotations: Readonly<Record<string, string>>) =>
  layouts.described(layouts.manifestOf(image), { annotations });

const disguised = (attack: string, engines: string, make: () => readonly layouts.Member[]): Attack =>
  verified(attack, `${engines} ${DISGUISED}`, make, {
    findings: ['image-disguised'],
    exit: 1,
    verdicts: { conformant: false },
  });

const hybrid = layouts.dockerContainerd(tagged);
const two = layouts.dockerContainerd([tagged, { image: evil, tags: ['app:1'] }]);

export const engines: Chapter = {
  title: 'What engines load',
  attacks: [
    disguised(
      'An image whose entry in index.json calls it an attestation (vnd.docker.reference.type)',
      'podman, skopeo and crane load it; Docker treats it as an attestation and lists no image.',
      () =>
        edit(oci, 'index.json', index => {
          index.manifests[0].annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
        }),
    ),
    disguised(
      `An image whose layers have the media type ${IN_TOTO}`,
      'podman, skopeo and crane load it by its config, and unpack the layers.',
      () =>
        withManifest(manifest => {
          for (const layer of manifest.layers) layer.mediaType = IN_TOTO;
        }),
    ),
    disguised(
      `An image with the artifactType ${ATTESTATION}`,
      'podman, skopeo and crane load it; BuildKit treats it as an attestation.',
      () =>
        withManifest(manifest => {
          manifest.artifactType = ATTESTATION;
        }),
    ),
    verified(
      'An image that says schemaVersion 1 and has `manifests` too (CVE-2021-41190)',
      `podman and skopeo use the media type and load it. ${DISGUISED} That it can be read as an index is another error.`,
      () =>
        withManifest(manifest => {
          manifest.schemaVersion = 1;
          manifest.manifests = [];
        }),
      {
        findings: ['image-disguised', 'ambiguous-document'],
        exit: 1,
        verdicts: { conformant: false },
      },
    ),
    verified(
      'The same without its config and its layers',
      'No engine loads it. An image that is not complete.',
      () =>
        withManifest(manifest => {
          manifest.schemaVersion = 1;
        }).filter(
          ({ path }) =>
            path !== layouts.blobPath(item.imageId) &&
            !item.layers.some(layer => path === layouts.blobPath(layer.digest)),
        ),
      {
        findings: ['image-disguised', 'config-missing', 'layer-missing'],
        exit: 1,
        verdicts: { complete: false },
      },
    ),
    verified(
      'The same layers in manifest.json and in the OCI manifest, in another order',
      'Docker with the classic store, podman and crane follow manifest.json, containerd and skopeo oci-archive: the index. The error says which order matches the diff_ids.',
      () =>
        withManifest(manifest => {
          manifest.layers.reverse();
        }, hybrid),
      {
        findings: ['layers-disagree', 'engines-disagree'],
        exit: 1,
        verdicts: { conformant: false },
      },
    ),
    verified(
      'One name in manifest.json and in index.json, for two images',
      'Docker 28 runs the one, Docker 29 the other. Both are shown, and it is an error.',
      () => {
        const onlyFirst = edit(two, 'index.json', index => void index.manifests.splice(1));
        return edit(onlyFirst, 'manifest.json', items => void items.shift());
      },
      { findings: ['views-disagree'], exit: 1, images: 2 },
    ),
    verified(
      'A name that manifest.json gives to one image, and org.opencontainers.image.ref.name to another',
      'Docker 28 and podman run the one, skopeo oci-archive: the other. Both are shown, and it is an error.',
      () => {
        const both = layouts.dockerContainerd([tagged, { image: evil, tags: ['other:1'] }]);
        return edit(both, 'index.json', ({ manifests: [first, second] }) => {
          first.annotations = {};
          second.annotations = { [layouts.REF_ANNOTATION]: 'app:1' };
        });
      },
      { findings: ['name-ambiguous'], exit: 1, images: 2, verdicts: { conformant: false } },
    ),
    verified(
      'One name for two images of index.json',
      'skopeo uses the first; in containerd the last keeps the name. Both are shown, with a warning. `images` shows which one has the name.',
      () =>
        edit(layouts.skopeoOci([tagged, { image: evil, tags: ['app:1'] }]), 'index.json', index =>
          Object.assign(index.manifests[1], { platform: { os: 'linux', architecture: 'amd64' } }),
        ),
      { findings: ['name-ambiguous'], exit: 0, images: 2, verdicts: { conformant: false } },
    ),
    verified(
      'A name that containerd gives one image, and org.opencontainers.image.ref.name another',
      'docker load and containerd run the one, skopeo and podman pull oci-archive: the other. It is an error, both names are shown, and --ref selects both images.',
      () =>
        layouts.ociLayout({
          manifests: [
            named(item, { [layouts.NAME_ANNOTATION]: APP }),
            named(evil, { [layouts.NAME_ANNOTATION]: OTHER, [layouts.REF_ANNOTATION]: APP }),
          ],
        }),
      {
        findings: ['name-ambiguous'],
        exit: 1,
        images: 2,
        more: ({ report }) => assert.equal(report.images[1]!.names, [OTHER, APP]),
      },
    ),
    verified(
      'A name in org.opencontainers.image.ref.name that no engine may have, beside a valid one of containerd',
      'Both are checked.',
      () =>
        layouts.ociLayout({
          manifests: [
            named(item, { [layouts.NAME_ANNOTATION]: APP, [layouts.REF_ANNOTATION]: '\u0430pp:1' }),
          ],
        }),
      { findings: ['name-confusable'], exit: 1 },
    ),
    verified(
      'An empty index, with all the blobs of an image',
      'No engine loads anything. An error, because there is no image to verify.',
      () => edit(oci, 'index.json', index => Object.assign(index, { manifests: [] })),
      { findings: ['no-image'], exit: 1, images: 0, verdicts: { complete: null } },
    ),
    verified(
      'An artifact before an image of the same platform in its index',
      'skopeo copies the artifact, and podman refuses it: no engine loads the image that is shown. An error, and a lock does not accept the image.',
      () =>
        layouts.ociLayout({
          manifests: [
            layouts.indexOf([
              artifactWith({
                platform: { os: 'Linux', architecture: 'x86_64' },
              }),
              layouts.platformManifest(item),
            ]),
          ],
        }),
      { findings: ['artifact-before-image'], exit: 1, verdicts: { conformant: false } },
    ),
    verified(
      'An artifact behind an image of the same platform, marked as compressed with zstd',
      'podman 5 and skopeo take the artifact, Docker the image. An error, and a lock does not accept the image.',
      () =>
        layouts.ociLayout({
          manifests: [
            layouts.indexOf([
              layouts.platformManifest(item),
              artifactWith({
                platform: { os: 'linux', architecture: 'amd64' },
                annotations: ZSTD,
              }),
            ]),
          ],
        }),
      { findings: ['artifact-before-image'], exit: 1, verdicts: { conformant: false } },
    ),
    verified(
      'Another image for the same platform, marked as compressed with zstd',
      'podman 5 and skopeo run it, Docker and containerd the first. Both are shown, and it is an error.',
      () =>
        layouts.ociLayout({
          manifests: [
            layouts.indexOf([
              layouts.platformManifest(item),
              layouts.described(layouts.platformManifest(evil), { annotations: ZSTD }),
            ]),
          ],
        }),
      { findings: ['platform-ambiguous'], exit: 1, images: 2, verdicts: { conformant: false } },
    ),
    verified(
      'An artifact with the name of an image in index.json',
      'skopeo copies the artifact by that name. An error, and a lock does not accept the image.',
      () => twoNamed({}),
      {
        findings: ['name-ambiguous', 'name-duplicate'],
        exit: 1,
        images: 1,
        verdicts: { conformant: false },
      },
    ),
    verified(
      'An artifact that skopeo finds by the name of an image, each with a further name for containerd',
      'skopeo copies the artifact by that name. An error, and a lock does not accept the image.',
      () =>
        twoNamed(
          { [layouts.NAME_ANNOTATION]: OTHER },
          { [layouts.NAME_ANNOTATION]: 'docker.io/library/third:1' },
        ),
      { findings: ['name-ambiguous'], exit: 1, images: 1, verdicts: { conformant: false } },
    ),
    verified(
      'An artifact that is marked as attached to an image, before it and with its name',
      'skopeo copies the artifact by that name. An error, and a lock does not accept the image.',
      () => twoNamed({ kind: 'dev.cosignproject.cosign/sigs' }),
      {
        findings: ['name-ambiguous', 'name-duplicate'],
        exit: 1,
        images: 1,
        verdicts: { conformant: false },
      },
    ),
    verified(
      'A layer of a non-distributable type that is in the archive, with urls',
      'podman and skopeo fetch it from the address. A warning.',
      () =>
        withManifest(manifest => {
          manifest.layers[0].mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
          manifest.layers[0].urls = ['https://192.0.2.1/layer'];
        }),
      { findings: ['blob-fetched'], exit: 0 },
    ),
    verified(
      'An artifact instead of an image',
      'A note, and an error with --require-image.',
      () =>
        withManifest(manifest => {
          manifest.artifactType = 'application/vnd.example';
          manifest.config = { mediaType: layouts.MEDIA.empty, digest: EMPTY, size: 2 };
          manifest.layers = [manifest.config];
        }).concat(layouts.file(layouts.blobPath(EMPTY), '{}')),
      { findings: ['artifacts-only'], exit: 1, images: 0, options: { requireImage: true } },
    ),
  ],
};
