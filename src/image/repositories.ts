import { splitDigest } from '../spec/digest.js';
import { parseRepositories } from '../spec/docker-archive.js';
import { pointer } from '../spec/json.js';
import { normalName } from '../spec/reference.js';
import type { Archive } from './archive.js';
import type { Image } from './graph.js';

/**
 * Docker still writes `repositories` beside manifest.json. It points each name at the top layer of its image: by its v1 ID,
 * since Docker 25 by the hex of its diff_id.
 */
export function compareRepositories(archive: Archive, images: readonly Image[]): void {
  const member = archive.file('repositories');
  const value = member === null ? undefined : archive.json(member);
  if (member === null || value === undefined) return;
  const { names, count, problems } = parseRepositories(value);
  archive.fieldProblems(member.path, problems);
  if (!archive.mayName(count, { path: member.path, pointer: '' })) return;
  const byName = new Map<string, Image>();
  for (const image of images) {
    for (const name of image.names) {
      const normal = normalName(name);
      if (!byName.has(normal)) byName.set(normal, image);
    }
  }
  for (const [id, list] of names) {
    for (const name of list) {
      const colon = name.lastIndexOf(':');
      const at = { path: member.path, pointer: pointer('', name.slice(0, colon), name.slice(colon + 1)) };
      const image = byName.get(normalName(name));
      const expected = image === undefined ? ['no image of this name'] : topOf(image);
      if (expected.includes(id) || leadsToTop(archive, id, image)) continue;
      archive.observe('repositories-disagree', at, { name, expected: expected.join(' or '), actual: id });
    }
  }
}

/** podman and skopeo make up v1 IDs, with folders whose layer.tar is a link to the real layer. */
function leadsToTop(archive: Archive, id: string, image: Image | undefined): boolean {
  const top = image?.layers.at(-1)?.member ?? null;
  return top !== null && archive.scan.file(archive.path(`${id}/layer.tar`)) === top;
}

function topOf(image: Image): string[] {
  const top = image.layers.at(-1);
  if (top === undefined) return ['no layer'];
  const diffId = top.claimedDiffId === null ? null : splitDigest(top.claimedDiffId)[1];
  return [top.v1Id, diffId].filter(id => id !== null);
}
