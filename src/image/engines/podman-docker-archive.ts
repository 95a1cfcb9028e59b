import {
  attempt,
  itemKey,
  LISTED_ONLY,
  LISTS_NONE,
  type LoadedImage,
  type Outcome,
  refuse,
  taken,
  type Verdict,
  within,
} from './answer.js';
import { component, type DockerArchive, loadedItem, openDockerArchive, openItem } from './docker-archive.js';
import { BUILT_WITH } from './go-faults.js';
import { decode, type Item } from './go-json.js';
import { OCI_IMAGE } from './go-structs.js';
import { dockerReference, podmanName, showReference } from './names.js';
import { checkDiffId, checkDuplicates, containersLayer, type TarFile } from './tar-file.js';
import { podmanUnpacks } from './unpack-words.js';
import { Unpacking } from './unpacking.js';

/** A file as podman loads it as a docker-archive: every name of every item, each copied by itself. */
export function podmanDockerArchive(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let passed = LISTED_ONLY;
  const refusal = attempt(() => {
    const archive = openDockerArchive(file, BUILT_WITH.podman);
    const { items } = archive;
    if (items.length === 0) passed = LISTS_NONE;
    const names = items.map((item, i) => item.tags.map(tag => fullName(tag, i)));
    const owners = ownersOf(names);
    const stored = new Set<string>();
    const load = (i: number) => {
      // For another name of it, all of its layers are in the store.
      if (verdicts.has(itemKey(i))) return;
      verdicts.set(itemKey(i), copy(archive, items[i]!, stored));
      const image = loadedItem(archive, items[i]!);
      if (image !== null) loads.push(image);
    };
    for (const [i, item] of items.entries()) {
      for (const name of names[i]!) {
        // Looked up again by its name: the first item of that name answers.
        const [owner, tag] = owners.get(name)!;
        podmanName(items[owner]!.tags[tag]!);
        load(owner);
      }
      if (item.tags.length === 0) load(i);
    }
    // All the names of an item may belong to one before it.
    for (const [i] of items.entries()) {
      const [owner] = owners.get(names[i]![0] ?? '') ?? [];
      if (!verdicts.has(itemKey(i)) && owner !== undefined) {
        verdicts.set(itemKey(i), {
          id: null,
          refusal: `loads another image: item ${owner + 1} of manifest.json, which has the same name`,
          note: null,
        });
      }
    }
  });
  return { verdicts, loads, refusal, passed: refusal ?? passed };
}

/** For each name the first item that has it, and the index of the tag in that item. */
function ownersOf(names: readonly (readonly string[])[]): Map<string, [item: number, tag: number]> {
  const owners = new Map<string, [number, number]>();
  for (const [i, list] of names.entries()) {
    for (const [j, name] of list.entries()) if (!owners.has(name)) owners.set(name, [i, j]);
  }
  return owners;
}

/** containers/image docker/internal/tarfile/reader.go: a tag must be one, and a digest is none. */
function fullName(text: string, index: number): string {
  const reference = within(
    words => `Invalid tag "${text}" in manifest item @${index}: ${words}`,
    () => dockerReference(text, 'short'),
  );
  const full = showReference(reference);
  if (reference.tag === null) refuse(`Invalid tag "${text}" (${full}): does not contain a tag`);
  if (reference.digest !== null) {
    const reason = `docker-archive doesn't support digest references: ${full}`;
    refuse(`creating a reference for tag "${text}" in manifest item @${index}: ${reason}`);
  }
  return full;
}

function copy(archive: DockerArchive, item: Item, stored: Set<string>): Verdict {
  const { config, member, layers } = openItem(archive, item);
  within(
    words => `parsing image configuration: ${words}`,
    () => decode(archive.file.scan.document(member), 'whole', OCI_IMAGE, archive.go),
  );
  const unpacking = new Unpacking(archive.file.scan, podmanUnpacks);
  for (const { diffId, size, path } of layers) {
    const unpack = unpacking.next(component(archive.first, path));
    // What is in the store is not read again.
    if (!stored.has(diffId)) copyLayer(archive, diffId, size, path, unpack);
    stored.add(diffId);
  }
  return taken(config.digest, unpacking.note);
}

function copyLayer(
  { file, first }: DockerArchive,
  diffId: string,
  size: number | null,
  path: string,
  unpack: () => void,
): void {
  const member = component(first, path) ?? refuse(`reading blob ${diffId}: file does not exist`);
  if (member.type !== 'file' && member.type !== 'hardlink') {
    const reason = `Error reading tar archive component "${member.name}": not a regular file`;
    refuse(`reading blob ${diffId}: ${reason}`);
  }
  if (!/^sha256:[a-f0-9]{64}$/.test(diffId)) refuse('Can not check for a blob with invalid digest');
  const facts = containersLayer(file, member);
  const words = (actual: string) => `Digest did not match, expected ${diffId}, got ${actual}`;
  const read = member.type === 'hardlink' ? { ...facts, diffId: EMPTY_DIGEST } : facts;
  checkDiffId(file, member, read, diffId, words);
  if (facts.size !== null && facts.size !== size) refuse('writing blob: blob size mismatch');
  if (facts.tarError !== null) refuse(facts.tarError);
  unpack();
  checkDuplicates(file, member);
}

/** A hard link has no bytes of its own, and containers/image does not follow it. */
const EMPTY_DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
