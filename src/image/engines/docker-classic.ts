import type { Member } from '../../source/source.js';
import { chainIds } from '../../spec/chain-id.js';
import {
  attempt,
  cannotTell,
  type Delivery,
  itemKey,
  LISTED_ONLY,
  LISTS_NONE,
  type LoadedImage,
  type Outcome,
  refuse,
  storedAllTheSame,
  taken,
  type Verdict,
} from './answer.js';
import { engineConfig } from './docker-config.js';
import { loadV1, MAX_DEPTH } from './docker-v1.js';
import { extracted, holds, open, type Tree } from './extracted.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, type Item, manifestItems } from './go-json.js';
import { MOBY_IMAGE, MOBY_ITEMS } from './go-structs-docker.js';
import { dockerReference } from './names.js';
import { checkDiffId, checkDuplicates, layerFacts, storedBlob, type TarFile } from './tar-file.js';
import { dockerUnpacks } from './unpack-words.js';
import { Unpacking } from './unpacking.js';

/** The first release that loads no archive from before manifest.json. */
const NO_V1 = 29;

/**
 * `docker load` into the classic store: unpacks the file to a folder, and follows manifest.json in it; without one it
 * takes the file for an archive from before Docker 1.10, which since Docker 29 it refuses. The ID is the config's digest.
 * moby image/tarexport/load.go
 */
export function dockerClassic(file: TarFile, delivery: Delivery | null): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let passed = LISTED_ONLY;
  const refusal = attempt(() => {
    if (file.error !== null) refuse(file.error);
    const tree = extracted(file, true);
    if (!holds(tree, 'manifest.json')) {
      if (delivery !== null && delivery.docker >= NO_V1)
        return refuse('invalid archive: does not contain a manifest.json');
      passed = 'loads another image: only what the folders at the top hold';
      loadV1(file, tree, verdicts, loads);
      return;
    }
    const document = file.scan.document(open(tree, 'manifest.json'));
    const items = manifestItems(document, 'first', MOBY_ITEMS, BUILT_WITH.docker);
    if (items === null) return refuse('invalid manifest, manifest cannot be null (but can be [])');
    if (items.length === 0) passed = LISTS_NONE;
    const stored: Stored = { layers: new Map(), images: loads };
    for (const [i, item] of items.entries())
      loadItem(file, tree, item, stored, v => verdicts.set(itemKey(i), v));
  });
  return { verdicts, loads, refusal, passed: refusal ?? passed };
}

/** What the store holds so far: layers by their chain IDs, and images. */
interface Stored {
  readonly layers: Map<string, Member>;
  readonly images: LoadedImage[];
}

function loadItem(
  file: TarFile,
  tree: Tree,
  item: Item,
  stored: Stored,
  tell: (verdict: Verdict) => void,
): void {
  const member = open(tree, item.config);
  const document = file.scan.document(member);
  const config = engineConfig(decodeObject(document, 'whole', MOBY_IMAGE, BUILT_WITH.docker));
  const { diffIds, os, layerSteps } = config;
  if (diffIds === null) {
    refuse('invalid image JSON, no RootFS key');
    return;
  }
  if (os.toLowerCase() !== 'linux') refuse(`cannot load ${os} image on linux`);
  const wanted = item.layers.length;
  if (wanted !== diffIds.length) {
    refuse(`invalid manifest, layers length mismatch: expected ${wanted}, got ${diffIds.length}`);
  }
  const note = checkLayers(file, tree, item, diffIds, stored);
  if (layerSteps > diffIds.length) refuse('too many non-empty layers in History section');
  const id = storedBlob(file, member)?.digest ?? cannotTell(`${member.path} was not read`);
  stored.images.push({ config: member, layers: chainIds(diffIds).map(id => stored.layers.get(id)!) });
  const badName = attempt(() => item.tags.forEach(checkName));
  if (badName === null) {
    tell(taken(id, note));
    return;
  }
  tell(storedAllTheSame(id, badName));
  refuse(badName);
}

/** @returns what else there is to know of them */
function checkLayers(
  file: TarFile,
  tree: Tree,
  item: Item,
  diffIds: readonly string[],
  stored: Stored,
): string | null {
  const unpacking = new Unpacking(file.scan, dockerUnpacks);
  for (const [i, chainId] of chainIds(diffIds).entries()) {
    if (i >= MAX_DEPTH) refuse('max depth exceeded');
    // A chain that is in the store already is not read again.
    const known = stored.layers.get(chainId);
    const member = known ?? open(tree, item.layers[i]!);
    const unpack = unpacking.next(member);
    if (known === undefined) checkLayer(file, member, i, diffIds[i]!, unpack);
    stored.layers.set(chainId, member);
  }
  return unpacking.note;
}

function checkName(text: string): void {
  if (dockerReference(text).tag === null) refuse(`invalid tag "${text}"`);
}

function checkLayer(file: TarFile, member: Member, index: number, diffId: string, unpack: () => void): void {
  const facts = layerFacts(file, member);
  // Docker stops reading at the tar's end, before a checksum behind it can be wrong.
  if (facts.packError !== null && !facts.lateError) refuse(facts.packError);
  if (facts.tarError !== null) refuse(facts.tarError);
  unpack();
  checkDuplicates(file, member);
  const words = (actual: string) =>
    `invalid diffID for layer ${index}: expected "${diffId}", got "${actual}"`;
  checkDiffId(file, member, facts, diffId, words);
}
