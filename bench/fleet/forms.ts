// The forms in which a fleet's archives are stored, and the damages that some of them have, with what a reader must
// say.
import { digestOf } from '../../test/support/digest.js';
import type { Image } from '../../test/support/image.js';
import {
  blobPath,
  buildxOci,
  dockerContainerd,
  dockerSave,
  dockerSave25,
  dockerV1,
  flipByte,
  isFile,
  isLink,
  type Member,
  podmanDockerArchive,
  regctl,
  skopeoOci,
  without,
} from '../../test/support/layouts.js';
import { toZip } from '../../test/support/zip.js';
import { headerBlocks, paddingOf } from '../images/header.js';
import { gzip, type Images, type Packing, type Release, tarOf, zstdFrame } from './images.js';

/** A file of the fleet before it is written: its bytes, or the files of a directory by their paths. */
export type Content = Uint8Array | readonly Member[];

export interface Saved {
  readonly content: Content;
  /** End of the file's name; of a directory empty. */
  readonly suffix: string;
  /** `imageId` is null where there is no config: up to Docker 1.9. */
  readonly images: readonly { readonly imageId: string | null; readonly diffIds: readonly string[] }[];
}

interface Form {
  readonly packing: Packing;
  /** Images of these platforms instead of one for amd64. */
  readonly platforms?: readonly string[];
  readonly suffix: string;
  readonly save: (images: readonly Image[], tags: readonly string[]) => Content;
}

const one =
  (build: (tagged: { readonly image: Image; readonly tags: readonly string[] }) => Member[]) =>
  ([image]: readonly Image[], tags: readonly string[]): Member[] =>
    build({ image: image!, tags });

const tar = (packing: Packing, build: Parameters<typeof one>[0]): Form => ({
  packing,
  suffix: '.tar',
  save: (images, tags) => archiveOf(one(build)(images, tags)),
});

const layout = one(image => skopeoOci(image));

export const FORMS = {
  'docker-28': tar('none', dockerSave25),
  'docker-24': tar('none', dockerSave),
  oci: tar('none', skopeoOci),
  'docker-1.9': tar('none', dockerV1),
  'oci-gzip': tar('gzip', skopeoOci),
  'oci-zstd': tar('zstd', skopeoOci),
  'docker-29': tar('gzip', dockerContainerd),
  podman: tar('none', podmanDockerArchive),
  'oci-directory': { packing: 'gzip', suffix: '', save: layout },
  'multi-platform': {
    packing: 'gzip',
    platforms: ['amd64', 'arm64'],
    suffix: '.tar',
    save: (platforms, tags) => archiveOf(buildxOci({ platforms, tags, attestations: true })),
  },
  'docker-28-gzip': {
    packing: 'none',
    suffix: '.tar.gz',
    save: (images, tags) => gzip(archiveOf(one(dockerSave25)(images, tags))),
  },
  'docker-24-zstd': {
    packing: 'none',
    suffix: '.tar.zst',
    save: (images, tags) => zstdFrame(archiveOf(one(dockerSave)(images, tags))),
  },
  'oci-zip': { packing: 'gzip', suffix: '.zip', save: (images, tags) => toZip(layout(images, tags)) },
  /** Layers as gzip that does not shrink: of large images. */
  'oci-stored': tar('stored', skopeoOci),
} as const satisfies Readonly<Record<string, Form>>;

export type FormName = keyof typeof FORMS;

export function save(from: Images, release: Release, name: FormName, tags: readonly string[]): Saved {
  const form: Form = FORMS[name];
  const platforms = form.platforms ?? ['amd64'];
  const images = platforms.map(architecture => from.image(release, form.packing, architecture));
  const truth = images.map(image => ({
    imageId: name === 'docker-1.9' ? null : image.imageId,
    diffIds: image.diffIds,
  }));
  return { content: form.save(images, tags), suffix: form.suffix, images: truth };
}

/** A tar of the members, in their order. */
export function archiveOf(members: readonly Member[]): Buffer {
  const pieces: Uint8Array[] = [];
  for (const member of members) {
    const { path, mode, mtime = 0 } = member;
    if (isFile(member)) {
      const { bytes } = member;
      pieces.push(headerBlocks({ name: path, type: 'file', mode: mode ?? 0o644, size: bytes.length, mtime }));
      pieces.push(bytes, Buffer.alloc(paddingOf(bytes.length)));
    } else if (isLink(member))
      pieces.push(headerBlocks({ name: path, type: 'symlink', mode: 0o777, target: member.link, mtime }));
    else pieces.push(headerBlocks({ name: path, type: 'directory', mode: mode ?? 0o755, mtime }));
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

/** yes, no, or null: not known. */
export interface Verdicts {
  readonly intact: boolean | null;
  readonly complete: boolean | null;
  readonly conformant: boolean | null;
}

export const SOUND: Verdicts = { intact: true, complete: true, conformant: true };

/** A file that is not what it should be, and the truth about it. `verdicts` is null where there can be no report. */
export interface Damage extends Omit<Saved, 'images'> {
  readonly verdicts: Verdicts | null;
  /** `other`: not an archive, so that a search through folders leaves it out. */
  readonly kind: 'archive' | 'other';
}

const BROKEN: Verdicts = { intact: false, complete: true, conformant: true };
/** The part that is cut off may have been anything. */
const CUT: Verdicts = { intact: false, complete: null, conformant: true };

interface Material {
  readonly image: Image;
  readonly compressed: Image;
  readonly tags: readonly string[];
}

const archive = (content: Uint8Array, verdicts: Verdicts | null, suffix = '.tar'): Damage => ({
  content,
  suffix,
  verdicts,
  kind: 'archive',
});

const other = (content: Uint8Array, suffix: string): Damage => ({
  content,
  suffix,
  verdicts: null,
  kind: 'other',
});

const lastLayer = ({ image }: Material) => blobPath(image.diffIds.at(-1)!);

export const DAMAGES = {
  'a byte of a layer is changed': material =>
    archive(archiveOf(flipByte(dockerSave25(material), lastLayer(material), 700)), BROKEN),
  'a zip without its end': ({ compressed, tags }) =>
    archive(toZip(skopeoOci({ image: compressed, tags })).subarray(0, -40), null, '.zip'),
  'cut within the last layer, after the documents': material => {
    const bytes = archiveOf(regctl(material));
    const start = bytes.indexOf(material.image.layers.at(-1)!.blob);
    return archive(bytes.subarray(0, start + 600), CUT);
  },
  'a layer is missing': material =>
    archive(archiveOf(without(skopeoOci(material), lastLayer(material))), {
      intact: true,
      complete: false,
      conformant: true,
    }),
  'the config claims another diff_id': ({ compressed, tags }) => {
    const wrong = compressed.diffIds.with(-1, digestOf('another layer'));
    const config = { ...compressed.config, rootfs: { type: 'layers', diff_ids: wrong } };
    const configBytes = Buffer.from(JSON.stringify(config));
    const image = { ...compressed, config, configBytes, imageId: digestOf(configBytes), diffIds: wrong };
    return archive(archiveOf(skopeoOci({ image, tags })), BROKEN);
  },
  'cut before the documents': material => {
    const bytes = archiveOf(dockerSave25(material));
    return archive(bytes.subarray(0, bytes.indexOf('index.json') - 512), CUT);
  },
  'a gzip stream that is cut': material => {
    const bytes = gzip(archiveOf(regctl(material)));
    return archive(bytes.subarray(0, Math.floor(bytes.length * 0.8)), CUT, '.tar.gz');
  },
  'a tar without members': () => archive(tarOf([]), null),
} as const satisfies Readonly<Record<string, (material: Material) => Damage>>;

/** Files that lie between archives, and downloads that failed. */
export const OTHERS = {
  'a list of checksums': ({ image }) =>
    other(Buffer.from(`${image.imageId.slice(7)}  image.tar\n`), '.sha256'),
  'an empty file': () => archive(Buffer.alloc(0), null),
  'text with the name of an archive': () => archive(Buffer.from('<html>404 Not Found</html>\n'), null),
  'a tar of sources': () => other(tarOf([{ name: 'main.c', bytes: Buffer.from('int main;\n') }]), '.tar'),
} as const satisfies Readonly<Record<string, (material: Material) => Damage>>;

export function damaged(
  from: Images,
  release: Release,
  name: keyof typeof DAMAGES | keyof typeof OTHERS,
  tags: readonly string[],
): Damage {
  const [image, compressed] = [from.image(release), from.image(release, 'gzip')];
  return { ...DAMAGES, ...OTHERS }[name]({ image, compressed, tags });
}
