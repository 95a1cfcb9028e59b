// Arbitrary images: hostile content with correct metadata.
import fc from 'fast-check';
import { type Compression, canCompress, compress } from '../support/compression.js';
import { bytesOf, digestOf, goJson } from '../support/digest.js';
import { assemble, type Image, type Layer, layerOf } from '../support/image.js';
import { type EntryRecipe, layerEntries, layerTar } from './entries.js';
import { hostileText } from './texts.js';

export interface LayerRecipe {
  readonly entries: readonly EntryRecipe[];
  readonly compression: Compression;
}

export interface ImageRecipe {
  readonly layers: readonly LayerRecipe[];
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly created: string;
  readonly texts: readonly string[];
  readonly tags: readonly string[];
}

const compression: fc.Arbitrary<Compression> = fc
  .constantFrom<Compression>('none', 'none', 'gzip', 'gzip', 'zstd', 'xz', 'bzip2')
  .map(how => (canCompress(how) ? how : 'gzip'));

const platform = fc.oneof(
  fc.constantFrom(
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
    { os: 'windows', architecture: 'amd64' },
  ),
  fc.record({ os: hostileText, architecture: hostileText, variant: hostileText }),
);

const tag = fc.constantFrom(
  'app:1',
  'app:latest',
  'example.test:5000/team/app:2.0-rc_1',
  'docker.io/library/x:y',
  'a/b/c:d',
  'localhost/q:1',
);

export const imageRecipe: fc.Arbitrary<ImageRecipe> = fc.record({
  layers: fc.array(fc.record({ entries: layerEntries, compression }), { maxLength: 3 }),
  platform,
  created: fc.constantFrom(
    '2023-11-14T22:13:20Z',
    '0001-01-01T00:00:00Z',
    '2023-11-14T22:13:20.123456789+02:00',
  ),
  texts: fc.array(hostileText, { minLength: 1, maxLength: 6 }),
  tags: fc.uniqueArray(tag, { maxLength: 2 }),
});

const packed = new Map<string, Uint8Array>();

/** The same bytes are compressed once, because starting a command for each of thousands of layers is slow. */
export function packedOnce(bytes: Uint8Array, how: Compression): Uint8Array {
  const key = `${how} ${digestOf(bytes)}`;
  const known = packed.get(key) ?? compress(bytes, how);
  packed.set(key, known);
  return known;
}

const layerOfRecipe = ({ entries, compression: how }: LayerRecipe): Layer => {
  const tar = layerTar(entries);
  return layerOf(tar, packedOnce(tar, how), how, []);
};

/** Two thirds of the texts are hostile, in every place where engines and waybill show text. */
export function imageOf(recipe: ImageRecipe): Image {
  const layers = recipe.layers.map(layerOfRecipe);
  const at = (i: number) => recipe.texts[i % recipe.texts.length] as string;
  const config = {
    architecture: recipe.platform.architecture,
    author: at(0),
    comment: at(1),
    config: {
      Cmd: [at(1), 'sh'],
      Entrypoint: recipe.texts.length > 3 ? [at(2)] : null,
      Env: [`PATH=${at(3)}`, at(0)],
      ExposedPorts: { [at(4)]: {} },
      Healthcheck: { Test: ['CMD', at(2)], Interval: 30_000_000_000 },
      Labels: Object.fromEntries(recipe.texts.map((text, i) => [text, at(i + 1)])),
      OnBuild: [at(5)],
      StopSignal: at(1),
      User: at(2),
      Volumes: { [at(0)]: {} },
      WorkingDir: at(3),
    },
    created: recipe.created,
    history: [
      ...layers.map((_, i) => ({
        created: recipe.created,
        created_by: at(i),
        author: at(i + 1),
        comment: at(i + 2),
      })),
      { created: recipe.created, created_by: at(1), empty_layer: true },
    ],
    os: recipe.platform.os,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...(recipe.platform.variant !== undefined && { variant: recipe.platform.variant }),
  };
  return assemble(bytesOf(goJson(config)), layers);
}
