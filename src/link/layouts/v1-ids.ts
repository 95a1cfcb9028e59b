import type { Member } from '../../containers/source.js';
import type { Scan } from '../../scan/scan.js';
import { v1Id } from '../../spec/docker-archive.js';
import { isObject, own } from '../../spec/json.js';
import type { Image } from '../graph.js';

/** A layer's v1 folder, and the ID that follows from what stands in it. */
export interface V1Folder {
  readonly layer: number;
  readonly json: Member;
  readonly folder: string;
  readonly computed: string;
  /** What its JSON calls itself, and its parent. */
  readonly claimedId: string | null;
  readonly claimedParent: string | null;
  readonly parent: string | null;
}

/** The v1 folders of an image of `docker save` 1.10 to 24, base first, as far as they have their JSON. */
export function v1Folders(scan: Scan, root: string, image: Image): V1Folder[] {
  const folders: V1Folder[] = [];
  let parent: string | null = null;
  for (const [i, layer] of image.layers.entries()) {
    const folder = layer.v1Id;
    const json = folder === null ? null : scan.file(`${root}${folder}/json`);
    const value = json === null ? undefined : scan.document(json).value;
    if (folder === null || json === null || layer.chainId === null || !isObject(value)) break;
    const computed = v1Id(value, layer.chainId, parent, i === image.layers.length - 1);
    const text = (key: string) => {
      const field = own(value, key);
      return typeof field === 'string' && field !== '' ? field : null;
    };
    folders.push({
      layer: i,
      json,
      folder,
      computed,
      claimedId: text('id'),
      claimedParent: text('parent'),
      parent,
    });
    parent = folder;
  }
  return folders;
}
