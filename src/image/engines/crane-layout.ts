import type { Member } from '../../source/source.js';
import { isObject, type JsonObject } from '../../spec/json.js';
import { isConfigType, isIndexType } from '../../spec/media-types.js';
import {
  attempt,
  cannotTell,
  entryKey,
  type LoadedImage,
  type Outcome,
  refuse,
  taken,
  type Verdict,
} from './answer.js';
import { extracted, memberAt, type Tree } from './extracted.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, listField, objectField, textField } from './go-json.js';
import { CRANE_INDEX, CRANE_MANIFEST } from './go-structs-crane.js';
import { IMAGE_TYPES } from './media.js';

import { storedBlob, type TarFile } from './tar-file.js';

interface Folder {
  readonly file: TarFile;
  readonly tree: Tree;
}

/**
 * `crane push DIR`: an OCI layout whose index.json lists one image, or one index, which is pushed with all that it lists.
 * go-containerregistry pkg/v1/layout, cmd/crane/cmd/push.go
 */
export function craneLayout(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const refusal = attempt(() => {
    const folder = { file, tree: extracted(file, false) };
    const index = at(folder, 'index.json');
    if (index === null) {
      return refuse('loading DIR as OCI layout: stat DIR/index.json: no such file or directory');
    }
    // It reads the file twice, and stops once after the value.
    decodeObject(file.scan.document(index), 'first', CRANE_INDEX, BUILT_WITH.crane);
    const entries = listField(read(folder, index, CRANE_INDEX), 'manifests').filter(isObject);
    if (entries.length !== 1) refuse(`layout contains ${entries.length} entries, consider --index`);
    const [entry] = entries as [JsonObject];
    const type = textField(entry, 'mediaType');
    if (!IMAGE_TYPES.has(type) && !isIndexType(type)) {
      refuse(`layout contains non-image (mediaType: "${type}"), consider --index`);
    }
    push(folder, entry, loads);
    const digest = textField(entry, 'digest');
    const actual = storedBlob(file, blob(folder, digest))?.digest ?? cannotTell('its manifest was not read');
    verdicts.set(entryKey(digest), taken(actual));
  });
  return {
    verdicts,
    loads,
    refusal,
    passed: refusal ?? 'loads another image: the one that index.json lists',
  };
}

/** An index and what it lists are pushed, children first; what is listed under any other type is a blob. */
function push(folder: Folder, entry: JsonObject, loads: LoadedImage[]): void {
  const todo = [entry];
  const seen = new Set<string>();
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [digest, type] = [textField(next, 'digest'), textField(next, 'mediaType')];
    if (seen.has(`${type} ${digest}`)) continue;
    seen.add(`${type} ${digest}`);
    const member = blob(folder, digest);
    if (isIndexType(type))
      todo.push(...listField(read(folder, member, CRANE_INDEX), 'manifests').filter(isObject));
    else if (IMAGE_TYPES.has(type)) {
      const manifest = read(folder, member, CRANE_MANIFEST);
      const described = objectField(manifest, 'config');
      const config = blob(folder, textField(described, 'digest'));
      // It pushes artifacts too.
      if (!isConfigType(textField(described, 'mediaType'))) continue;
      const layers = listField(manifest, 'layers').filter(isObject);
      loads.push({ config, layers: layers.map(layer => blob(folder, textField(layer, 'digest'))) });
    }
  }
}

const read = ({ file }: Folder, member: Member, type: typeof CRANE_INDEX): JsonObject =>
  decodeObject(file.scan.document(member), 'whole', type, BUILT_WITH.crane);

const at = ({ file, tree }: Folder, path: string): Member | null => memberAt(file, tree, path);

function blob(folder: Folder, digest: string): Member {
  const path = `blobs/${digest.replace(':', '/')}`;
  return at(folder, path) ?? refuse(`open DIR/${path}: no such file or directory`);
}
