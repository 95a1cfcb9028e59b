import {
  attempt,
  cannotTell,
  itemKey,
  LISTED_ONLY,
  type LoadedImage,
  type Outcome,
  refuse,
  taken,
  type Verdict,
  within,
} from './answer.js';
import { type DockerArchive, loadedItem, openDockerArchive, openItem } from './docker-archive.js';
import { BUILT_WITH } from './go-faults.js';
import type { Item } from './go-json.js';
import { containersImageManifest, manifestDigest } from './synthesise.js';
import type { TarFile } from './tar-file.js';

/**
 * `skopeo inspect docker-archive:FILE`: the digest of a manifest that skopeo makes up. Of several images it wants to be
 * told which, by name or as `FILE:@0`. containers/image docker/archive, skopeo cmd/skopeo/inspect.go
 */
export function skopeoDockerArchive(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const refusal = attempt(() => {
    const archive = within(
      words => `Error parsing image name "docker-archive:FILE": ${words}`,
      () => openDockerArchive(file, BUILT_WITH.skopeo),
    );
    const count = archive.items.length;
    loads.push(...archive.items.flatMap(item => loadedItem(archive, item) ?? []));
    const retrieving = (words: string) => `Error retrieving manifest for image: ${words}`;
    if (count === 1) {
      const [item] = archive.items as [Item];
      verdicts.set(itemKey(0), taken(within(retrieving, () => digestOf(archive, item))));
      return;
    }
    const several = retrieving(`Unexpected tar manifest.json: expected 1 item, got ${count}`);
    for (const [i, item] of archive.items.entries()) {
      verdicts.set(itemKey(i), { id: null, refusal: several, note: byIndex(archive, item, i) });
    }
    refuse(several);
  });
  return { verdicts, loads, refusal, passed: refusal ?? LISTED_ONLY };
}

function byIndex(archive: DockerArchive, item: Item, index: number): string | null {
  let digest: string | null = null;
  attempt(() => {
    digest = digestOf(archive, item);
  });
  return digest === null ? null : `asked for docker-archive:FILE:@${index} it prints ${digest}`;
}

function digestOf(archive: DockerArchive, item: Item): string {
  const { config, layers } = openItem(archive, item);
  const sized = layers.map(({ diffId, size, path }) => ({
    digest: diffId,
    size: size ?? cannotTell(`the size of ${path} unpacked was not read`),
  }));
  return manifestDigest(containersImageManifest(config, sized));
}
