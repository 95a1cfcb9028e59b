// Arbitrary archives: images in every layout, and in some that no producer writes.
import fc from 'fast-check';
import { digestOf, goJson } from '../support/digest.js';
import { unpacked } from '../support/docker-layouts.js';
import type { Image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { type ImageRecipe, imageOf, imageRecipe } from './images.js';
import { hostileText } from './texts.js';

/** Layouts in which every byte is under a claim, as in test/archives/damage.test.ts, and all others. */
export const LAYOUTS = [
  'dockerV1',
  'dockerSave',
  'dockerSave25',
  'dockerContainerd',
  'buildxOci',
  'podmanDockerArchive',
  'skopeoOci',
  'skopeoDir',
  'cranePull',
  'jib',
  'containerify',
  'nixDockerTools',
  'rulesOci',
  'regctl',
  'cosignSave',
  'orasBackup',
  'nested',
] as const;
export type LayoutName = (typeof LAYOUTS)[number];

/** Layouts that hold one image. */
const SINGLE: readonly LayoutName[] = ['skopeoDir', 'jib', 'containerify', 'regctl'];

export interface ArchiveRecipe {
  readonly layout: LayoutName;
  readonly images: readonly ImageRecipe[];
  readonly texts: readonly string[];
  readonly attestations: boolean;
  /** Bits for additions: a surrounding folder, extra files, unreferenced blobs. */
  readonly extras: number;
}

export const archiveRecipe: fc.Arbitrary<ArchiveRecipe> = fc.record({
  layout: fc.constantFrom(...LAYOUTS),
  images: fc.array(imageRecipe, { minLength: 1, maxLength: 2 }),
  texts: fc.array(hostileText, { minLength: 2, maxLength: 4 }),
  attestations: fc.boolean(),
  extras: fc.nat({ max: 15 }),
});

export function membersOf(recipe: ArchiveRecipe): layouts.Member[] {
  const images = recipe.images.map(item => ({ image: imageOf(item), tags: item.tags }));
  const made = laidOut(recipe, SINGLE.includes(recipe.layout) ? images.slice(0, 1) : images);
  return withExtras(made, recipe);
}

interface Tagged {
  readonly image: Image;
  readonly tags: readonly string[];
}

const PRODUCERS: Readonly<
  Record<Exclude<LayoutName, 'nested'>, (images: readonly Tagged[]) => layouts.Member[]>
> = {
  dockerV1: images => layouts.dockerV1(plain(images).filter(hasHistory)),
  dockerSave: images => layouts.dockerSave(plain(images)),
  dockerSave25: images => layouts.dockerSave25(plain(images)),
  dockerContainerd: layouts.dockerContainerd,
  buildxOci: layouts.buildxOci,
  podmanDockerArchive: images => layouts.podmanDockerArchive(plain(images)),
  skopeoOci: layouts.skopeoOci,
  skopeoDir: layouts.skopeoDir,
  cranePull: layouts.cranePull,
  jib: layouts.jib,
  containerify: layouts.containerify,
  nixDockerTools: images => layouts.nixDockerTools(plain(images)),
  rulesOci: layouts.rulesOci,
  regctl: layouts.regctl,
  cosignSave: layouts.cosignSave,
  orasBackup: layouts.orasBackup,
};

const WITH_ATTESTATIONS = {
  dockerContainerd: layouts.dockerContainerd,
  buildxOci: layouts.buildxOci,
} as const;

function laidOut(recipe: ArchiveRecipe, images: readonly Tagged[]): layouts.Member[] {
  const { layout, attestations } = recipe;
  if (layout === 'nested') return nested(recipe, images);
  if (attestations && (layout === 'dockerContainerd' || layout === 'buildxOci')) {
    const builds = images.map(({ image, tags }) => ({ platforms: [image], tags, attestations }));
    return WITH_ATTESTATIONS[layout](builds);
  }
  return PRODUCERS[layout](images);
}

/** Images as one of the producers writes them; of those that write one image the first. */
export const layoutOf = (name: Exclude<LayoutName, 'nested'>, images: readonly Tagged[]): layouts.Member[] =>
  PRODUCERS[name](SINGLE.includes(name) ? images.slice(0, 1) : images);

/** As stored by producers that store layers uncompressed. */
const plain = (images: readonly Tagged[]) =>
  images.map(({ image, tags }) => ({ image: unpacked(image), tags }));

/** In formats before layer history, each step was a layer. */
const hasHistory = ({ image }: Tagged) => image.config.history.length > 0;

/** Nested indexes, an artifact with referrers, Docker's list, sha512, inline data, hostile annotations. */
function nested(recipe: ArchiveRecipe, images: readonly Tagged[]): layouts.Member[] {
  const [key = '', value = ''] = recipe.texts;
  const annotations = { [key]: value, [layouts.REF_ANNOTATION]: value };
  const platforms = images.map(({ image }, i) =>
    layouts.platformManifest(image, {
      docker: i % 2 === 1,
      inlineData: recipe.attestations,
      annotations,
      ...(recipe.extras % 2 === 1 && { algorithm: 'sha512' as const }),
    }),
  );
  const [first] = platforms as [layouts.Content];
  const signature = layouts.artifact({
    type: value,
    layers: [layouts.blobOf(value, key)],
    subject: first,
    annotations,
  });
  const proofs = recipe.attestations
    ? platforms.map(content => layouts.attestation(content, { name: key }))
    : [];
  const inner = layouts.indexOf([...platforms, ...proofs], { annotations });
  const outer = layouts.indexOf([inner, signature], { artifactType: value, docker: recipe.extras % 3 === 1 });
  const manifests = [outer, first, layouts.artifact({ type: key }), signature].map((content, i) =>
    layouts.described(content, { annotations: { ...annotations, [layouts.NAME_ANNOTATION]: `app:${i}` } }),
  );
  return layouts.ociLayout({ manifests, annotations, unreferenced: [] });
}

function withExtras(members: readonly layouts.Member[], { extras, texts }: ArchiveRecipe): layouts.Member[] {
  const [one = 'x', two = 'y'] = texts;
  const stray = Buffer.from(goJson({ [one]: two }));
  const all = [...members];
  if ((extras & 2) !== 0) all.push(layouts.file(layouts.blobPath(digestOf(stray)), stray));
  if ((extras & 4) !== 0) all.unshift(layouts.file(`notes ${one.replaceAll(/[\0/]/g, '')}`, two));
  if ((extras & 8) !== 0) return all.map(member => ({ ...member, path: `image/${member.path}` }));
  return all;
}
