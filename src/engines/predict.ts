import { type LimitReached, limitText } from '../limits.js';
import type { Graph, Image } from '../link/graph.js';
import type { FindingData } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import {
  type Delivery,
  type EngineAnswer,
  type EngineName,
  joinNotes,
  keysOf,
  type LoadedImage,
  type Outcome,
  type Verdict,
} from './answer.js';
import { crane, craneLayout } from './crane.js';

import { dockerClassic } from './docker-classic.js';
import { dockerContainerd } from './docker-containerd.js';
import { podman, podmanDirectory } from './podman.js';
import { skopeoDir, skopeoDockerArchive, skopeoOci, skopeoOciArchive } from './skopeo.js';

import { type TarFile, tarFile } from './tar-file.js';
import { umoci } from './umoci.js';
import { unpackNote } from './unpack.js';

export type { Delivery, EngineAnswer, EngineName } from './answer.js';

/** @param delivery  null where it is not known: then the file is a plain tar */
type Engine = (file: TarFile, delivery: Delivery | null) => Outcome;

type Named = readonly [name: EngineName, engine: Engine];

/** What is given the archive as a file. */
const ENGINES: readonly Named[] = [
  ['docker-classic', dockerClassic],
  ['docker-containerd', dockerContainerd],
  ['podman', podman],
  ['skopeo-docker-archive', skopeoDockerArchive],
  ['skopeo-oci-archive', skopeoOciArchive],
  ['crane', crane],
];

/** What is given a directory as it is, beside crane. */
const DIRECTORY_ENGINES: readonly Named[] = [
  ['podman-directory', podmanDirectory],
  ['skopeo-oci', skopeoOci],
  ['skopeo-dir', skopeoDir],
  ['umoci', umoci],
];

const enginesFor = ({ isDirectory }: Scan): readonly Named[] =>
  isDirectory ? [...ENGINES, ...DIRECTORY_ENGINES] : ENGINES;

/** An image that engines take from a file. */
export interface EngineLoad extends LoadedImage {
  readonly engine: EngineName;
}

/** Every image that any engine would take from the file, on a machine of any platform. For scans of every byte. */
export function engineLoads(scan: Scan): EngineLoad[] {
  const file = tarFile(scan);
  // To crane a directory is no tarball.
  const engines: readonly Named[] = scan.isDirectory
    ? [...enginesFor(scan), ['crane', craneLayout]]
    : ENGINES;
  return engines.flatMap(([engine, run]) => run(file, null).loads.map(image => ({ ...image, engine })));
}

/**
 * What every engine makes of every image of an archive: the ID by which it will call it, or the words in which it
 * refuses. Worked out from the file, for engines on linux/amd64 with an empty store, and checked against Docker 28.5.2
 * (classic and containerd store), podman 5.8.6, skopeo 1.22.0, crane 0.21 and umoci 0.6.0.
 *
 * Left out, since it does not follow from a scan: layers with two entries of one name, which the classic store and podman
 * refuse; a compressed layer whose content is whole and whose trailer is cut off; a file that was compressed twice;
 * what a sparse member or a gzip stream with reserved flags holds; limits of the engines' own on sizes and nesting. At depth `metadata` layers are taken at
 * their word.
 */
export function predictEngines(
  scan: Scan,
  graph: Graph,
  delivery: Delivery,
): ReadonlyMap<Image, readonly EngineAnswer[]> {
  const limit = limitOf(graph);
  if (limit !== null) {
    const refusal = `cannot be told: ${limitText(limit)}`;
    const answers = enginesFor(scan).map(
      ([engine]): EngineAnswer => ({ engine, id: null, refusal, note: null }),
    );
    return new Map(graph.images.map(image => [image, answers]));
  }
  const file = tarFile(scan);
  const outcomes = enginesFor(scan).map(([engine, run]) => ({ engine, outcome: run(file, delivery) }));
  return new Map(
    graph.images.map(image => [
      image,
      outcomes.map(({ engine, outcome }): EngineAnswer => {
        const { id, refusal, note } = verdictOf(image, outcome);
        const unpack = engine === 'docker-containerd' && id !== null ? unpackNote(file, image) : null;
        const unread = id !== null && scan.depth === 'metadata' ? UNREAD : null;
        return { engine, id, refusal, note: joinNotes(note, unpack, unread, deliveryNote(engine, delivery)) };
      }),
    ]),
  );
}

/**
 * The limit for which not all was looked at that the archive lists. An engine would look at all of it, and so would its copy
 * here.
 */
export function limitOf(graph: Graph): LimitReached | null {
  for (const { code, data } of graph.observations) {
    if (code !== 'limit-reached') continue;
    const { limit, value } = data as FindingData['limit-reached'];
    if (['manifests', 'descriptors', 'names', 'seconds'].includes(limit)) return { limit, value };
  }
  return null;
}

/**
 * What every engine makes of a file that holds no image. Some take an artifact for one: then the ID is what they call the first
 * of them.
 */
export function predictFile(scan: Scan, delivery: Delivery): EngineAnswer[] {
  const file = tarFile(scan);
  return enginesFor(scan).map(([engine, run]) => {
    const { verdicts, refusal, passed } = run(file, delivery);
    const taken = [...verdicts.values()].find(({ id }) => id !== null);
    const { id, note } = taken ?? { id: null, note: null };
    const refused = refusal ?? [...verdicts.values()].find(one => one.refusal !== null)?.refusal;
    const words = id === null ? (refused ?? (passed.startsWith('loads no') ? passed : LOADS_NONE)) : null;
    return { engine, id, refusal: words, note: joinNotes(note, deliveryNote(engine, delivery)) };
  });
}

const LOADS_NONE = 'loads no image';

const UNREAD = 'layers were taken at their word, not read';

function verdictOf(image: Image, { verdicts, refusal, passed }: Outcome): Verdict {
  const verdict = keysOf(image)
    .map(key => verdicts.get(key))
    .find(found => found !== undefined);
  if (verdict === undefined) return { id: null, refusal: passed, note: null };
  if (verdict.id === null || refusal === null) return verdict;
  return { ...verdict, note: joinNotes(verdict.note, `then fails at another image: ${refusal}`) };
}

function deliveryNote(engine: EngineName, { container, compression, inside }: Delivery): string | null {
  if (container === 'directory')
    return ENGINES.some(([name]) => name === engine && name !== 'crane')
      ? 'as a tar of this directory'
      : null;
  const [command] = engine.split('-');
  if (container === 'zip' && inside === null) return `${command} cannot read a zip: unpack it first`;
  const isPacked = engine === 'crane' && compression !== 'none';
  return isPacked ? 'crane reads plain tars alone: decompress it first' : null;
}
