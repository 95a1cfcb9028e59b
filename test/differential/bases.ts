// The layouts to which moves are applied, each with GOOD alone.
import { encodedOf } from '../support/digest.js';
import { unpacked } from '../support/docker-layouts.js';
import type { Image, Layer } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import type { Content } from '../support/oci.js';
import { type Base, type Form, type Item, NAME, type Parts } from './draft.js';

const LAYOUT = layouts.layoutFile().bytes;
const OCI_READERS = ['skopeo oci-archive', 'podman'];
const DOCKER_READERS = ['skopeo docker-archive', 'podman'];
const BOTH: readonly Form[] = ['tar', 'tar', 'directory'];
const TAR: readonly Form[] = ['tar'];

const nothing = (): Parts => ({ entries: null, items: null, top: null, files: new Map() });

/** Named by the tag alone, as skopeo writes it for umoci. */
const named = (content: Content, name = '1'): Content =>
  layouts.described(content, { annotations: { [layouts.REF_ANNOTATION]: name } });

const oci = (entries: Content[]): Parts => ({
  ...nothing(),
  entries,
  files: new Map([['oci-layout', LAYOUT]]),
});

const EXTENSIONS: Readonly<Record<string, string>> = { gzip: '.tar.gz', zstd: '.tar.zst' };
const layerName = ({ digest, compression }: Layer) =>
  `${encodedOf(digest)}${EXTENSIONS[compression] ?? '.tar'}`;

/** Config and layers as podman names them, or compressed as crane does. */
function dockerParts(image: Image): Parts {
  const config = `${encodedOf(image.imageId)}.json`;
  const item: Item = { Config: config, RepoTags: [NAME], Layers: image.layers.map(layerName) };
  const files = new Map([[config, image.configBytes]]);
  for (const layer of image.layers) files.set(layerName(layer), layer.blob);
  return { ...nothing(), items: [item], files };
}

function hybridParts(image: Image): Parts {
  const item: Item = {
    Config: layouts.blobPath(image.imageId),
    RepoTags: [NAME],
    Layers: image.layers.map(({ digest }) => layouts.blobPath(digest)),
  };
  const entry = layouts.described(layouts.manifestOf(image), {
    annotations: { [layouts.NAME_ANNOTATION]: `docker.io/library/${NAME}`, [layouts.REF_ANNOTATION]: '1' },
  });
  return { ...oci([entry]), items: [item] };
}

const v1Files = (image: Image): Map<string, Uint8Array> =>
  new Map(
    layouts
      .dockerV1({ image: unpacked(image), tags: [NAME] })
      .filter(layouts.isFile)
      .map(({ path, bytes }) => [path, bytes]),
  );

/** Docker has no media type for zstd that containers/image accepts. */
const dockerOnly = (image: Image) =>
  image.layers.some(({ compression }) => compression === 'zstd') ? unpacked(image) : image;

const plainIf = (image: Image, compressed: boolean) => (compressed ? image : unpacked(image));

export const BASES: readonly Base[] = [
  {
    name: 'oci',
    parts: image => oci([named(layouts.manifestOf(image))]),
    readers: [...OCI_READERS, 'umoci'],
    forms: BOTH,
  },
  {
    name: 'nested',
    parts: image => oci([named(layouts.indexOf([layouts.platformManifest(image)]))]),
    readers: OCI_READERS,
    forms: BOTH,
  },
  {
    name: 'docker-list',
    parts: image =>
      oci([
        named(
          layouts.indexOf([layouts.platformManifest(dockerOnly(image), { docker: true })], { docker: true }),
        ),
      ]),
    readers: OCI_READERS,
    forms: BOTH,
  },
  {
    name: 'docker',
    parts: (image, compressed) => dockerParts(plainIf(image, compressed)),
    readers: DOCKER_READERS,
    forms: TAR,
  },
  {
    name: 'hybrid',
    parts: (image, compressed) => hybridParts(plainIf(image, compressed)),
    readers: [...DOCKER_READERS, ...OCI_READERS, 'umoci'],
    forms: BOTH,
  },
  {
    name: 'skopeo-dir',
    parts: image => ({
      ...nothing(),
      top: layouts.manifestOf(dockerOnly(image), { docker: true, indent: 3 }),
      files: new Map([['version', Buffer.from('Directory Transport Version: 1.1\n')]]),
    }),
    readers: ['skopeo dir'],
    forms: BOTH,
  },
  { name: 'v1', parts: image => ({ ...nothing(), files: v1Files(image) }), readers: [], forms: TAR },
];
