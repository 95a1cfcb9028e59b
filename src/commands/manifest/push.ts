import { InputError, UsageError } from '../../errors.js';
import type { Resources } from '../../limits.js';
import { limitsOf } from '../../limits.js';
import type { Answer } from '../../report/doc.js';
import { OCI_INDEX } from '../../spec/media-types.js';
import { fullName, parseReference } from '../../spec/reference.js';
import { type CopiedBlob, claimOf, type LayoutContent, writeLayout } from '../../write/layout.js';
import { listBytes, listStore, type ManifestList } from '../../write/list-store.js';

import { storedList } from './stored-list.js';

export interface PushOptions extends Resources {
  /** A directory, or a file that ends in `.tar`. */
  readonly output: string;
  /** Remove the stored list after it is written. */
  readonly purge?: boolean | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * `docker manifest push LIST` to a file: writes the list with the manifests, configs and layers of its images as an OCI
 * image layout. Every blob is read from its archive again and verified; the output is created only if all match.
 * @throws InputError if the list is not complete, a blob is missing or has changed, or `output` cannot be written
 */
export async function manifestPush(directory: string, list: string, options: PushOptions): Promise<Answer> {
  const { output, purge = false, onProgress } = options;
  checkOutput(output);
  const stored = storedList(directory, list);
  const bytes = listBytes(stored);
  const limits = limitsOf(options.limits);
  await writeLayout(output, layoutOf(stored, bytes), { limits, onProgress });
  if (purge) listStore(directory).remove(stored.name);
  const repository = repositoryOf(stored.name);
  const pushed = stored.entries.map(
    ({ digest }) => `Pushed ref ${repository}@${digest} with digest: ${digest}`,
  );
  return { stdout: `${[...pushed, claimOf(bytes).digest].join('\n')}\n`, notes: [], exitCode: 0 };
}

function checkOutput(output: string): void {
  if (output === '' || output === '-' || /\.(tgz|tbz2?|txz|tzst|zip|tar\.\w+)$/i.test(output)) {
    throw new UsageError(
      `--output: expected a directory or a file that ends in .tar, found ${JSON.stringify(output)}`,
    );
  }
}

function layoutOf(list: ManifestList, bytes: Uint8Array): LayoutContent {
  const { name, entries } = list;
  if (entries.length === 0) throw new InputError('the list has no entries', name);
  const copies: CopiedBlob[] = [];
  for (const { archive, inside, blobs, platform, name: image } of entries) {
    if (platform.os === '' || platform.architecture === '') {
      throw new InputError(
        `manifest ${image} must have an OS and Architecture to be pushed`,
        name,
        'Set them with `waybill manifest annotate --os OS --arch ARCH`.',
      );
    }
    for (const { path, what, ...claim } of blobs) {
      if (path !== null) copies.push({ ...claim, archive, inside, path, what: `${what} of ${image}` });
    }
  }
  const here = new Set(copies.map(copy => copy.digest));
  for (const { archive, blobs, name: image } of entries) {
    const absent = blobs.find(({ digest }) => !here.has(digest));
    if (absent !== undefined)
      throw new InputError(
        `${absent.what} of ${image} (${absent.digest}) is not in it`,
        archive,
        'Name an archive that holds the whole image.',
      );
  }
  const documents = entries.map(({ digest, manifest }) => ({
    digest,
    size: manifest.length,
    bytes: manifest,
  }));
  return {
    index: indexOf(list, bytes),
    documents: [...documents, { ...claimOf(bytes), bytes }],
    copies,
  };
}

/**
 * The entry of index.json has both names, as BuildKit writes them: the tag, as the specification requires, and the full
 * name, which Docker and containerd use. https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
 */
function indexOf({ name }: ManifestList, bytes: Uint8Array): Uint8Array {
  const { digest, size } = claimOf(bytes);
  const reference = parseReference(name);
  const tag = typeof reference === 'string' ? null : reference.tag;
  const annotations = {
    'io.containerd.image.name': name,
    ...(tag !== null && { 'org.opencontainers.image.ref.name': tag }),
  };
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType: string };
  const manifests = [{ mediaType, digest, size, annotations }];
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

/** The name without tag and digest. */
function repositoryOf(name: string): string {
  const reference = parseReference(name);
  if (typeof reference === 'string') return name;
  return fullName({ ...reference, tag: 'x', digest: null }).slice(0, -':x'.length);
}
