import { shortDigest } from '../spec/digest.js';
import type { Rules } from './rule.js';

const layersIn = (layers: readonly string[]): string =>
  layers.length === 0 ? 'no layers' : `layers ${layers.map(shortDigest).join(', ')}`;

/** Kinds of artifacts with their article. */
const DISGUISES: Readonly<Record<string, string>> = {
  schema1: 'a schema 1 manifest',
  attestation: 'an attestation',
  'docker-reference': 'a manifest of another image (vnd.docker.reference.type)',
  artifact: 'an artifact',
};

export const engineRules: Rules<
  | 'image-disguised'
  | 'artifact-before-image'
  | 'platform-ambiguous'
  | 'engines-disagree'
  | 'blob-fetched'
  | 'document-oversize'
  | 'no-image'
  | 'artifacts-only'
> = {
  'image-disguised': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `this manifest holds an image, but ${d.field} says ${JSON.stringify(d.value)}: some engines load it, others treat it as ${DISGUISES[d.as] ?? d.as} and skip it`,
    explain:
      'The manifest has a config of an image and layers that unpack, so podman, skopeo and crane load it as an image. A field of the manifest, or of the descriptor in the index, says that it is something else: an attestation (vnd.docker.reference.type, artifactType, or the media type of its layers) or a manifest of schema 1. Docker and scanners use that field and do not show the image. No known tool writes such a manifest. waybill shows it as an image. Do not load this archive before you know who made it.',
  },
  'artifact-before-image': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `engines take another entry of this index, the artifact ${d.artifact}, ${d.platform === null ? 'which has no platform either' : `for ${d.platform}`}: they do not load this image`,
    explain:
      'Of the entries of an index for one platform, engines take the first, and entries without a platform after all others; podman and skopeo take one that is marked as compressed with zstd before others. Here that entry is an artifact, such as a chart or a signature, and not an image: skopeo copies the artifact, and podman refuses to load it. No engine gets the image that is shown here, so a lock does not accept it. Put the artifact after the image and without that mark, or give it the platform unknown/unknown, as BuildKit does.',
  },
  'platform-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `for ${d.platform} podman and skopeo take ${shortDigest(d.zstd)} from this index, which is marked as compressed with zstd, and other engines take ${shortDigest(d.image)}: these are different images`,
    explain:
      'An index can list one image twice for a platform, compressed with gzip and with zstd (`podman manifest push --add-compression zstd`). The annotation io.github.containers.compression.zstd marks the second, and podman 5, skopeo and buildah prefer it; Docker, containerd and older releases take the first entry. The two are one image, with one config. Here their configs differ, so the same name and platform run different images. Do not load this archive before you know which one was meant; make the index again from one image.',
  },
  'engines-disagree': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `${d.engines.join(', ')} ${d.engines.length === 1 ? 'loads' : 'load'} ${d.shown === null ? 'an image from this file that is not shown here' : 'other layers, or another order of them, than is shown here'}: ${d.config === null ? 'a config that the engine writes itself' : `config ${d.config}`}, ${layersIn(d.layers)}${d.shown === null ? '' : `; shown: ${layersIn(d.shown)}`}`,
    explain:
      'waybill reads the file as each engine does (docs/formats.md), and compares what the engine would load with the images that it shows. Here an engine uses another config, other layers, or another order of layers, so it runs an image that was not checked. Other findings usually name the cause. Do not load this archive; make it again with a current tool.',
  },
  'blob-fetched': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `podman and skopeo fetch ${shortDigest(d.digest)} from its urls (${d.urls.join(', ')}), though the archive holds it`,
    explain:
      'The descriptor of a config or layer has http or https `urls` (descriptor.md). containers/image asks these addresses for the blob and does not look for it in the archive: loading the file makes requests to addresses that its writer chose, and fails without a network. Docker and crane read the blob from the archive. Remove `urls` from the manifest, or save the image with a tool that does not write them.',
  },
  'document-oversize': {
    severity: 'warning',
    verdict: null,
    message: d => `the document has ${d.size} bytes; ${d.engines.join(' and ')} refuse more than ${d.most}`,
    explain:
      'Engines read documents into memory up to a limit of their own. containers/image (podman, skopeo) refuses a config of more than 4 MiB, and a manifest.json of more than 1 MiB. Docker loads the image. Shorten the history and the labels of the image, or save fewer images into one file.',
  },
  'no-image': {
    severity: 'error',
    verdict: null,
    message: () => 'the archive holds no image and no artifact',
    explain:
      'The layout is there, but it lists neither an image nor an artifact. There is no image to load or to check, so the verdict "complete" stays open. The images were lost when the archive was made or copied, or were never saved. Save them again.',
  },
  'artifacts-only': {
    severity: 'info',
    verdict: null,
    message: d =>
      `the archive holds no image, only ${d.artifacts === 1 ? 'an artifact' : `${d.artifacts} artifacts`} (such as a chart, a signature or a build record)`,
    explain:
      'An OCI layout can carry anything. This one has artifacts and no image, so no container engine can run what is in it. Their digests and sizes were checked. --require-image makes this an error.',
  },
};
