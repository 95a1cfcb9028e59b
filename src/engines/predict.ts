import type { LimitReached } from '../limits.js';
import type { Graph, Image } from '../link/graph.js';
import type { FindingData } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import { crane, craneLayout } from './crane.js';
import { dockerClassic } from './docker-classic.js';
import { dockerContainerd } from './docker-containerd.js';
import { podman, podmanDirectory } from './podman.js';
import { skopeoDir, skopeoDockerArchive, skopeoOci, skopeoOciArchive } from './skopeo.js';
import { type TarFile, tarFile } from './tar-file.js';
import { umoci } from './umoci.js';
import { unpackNotes } from './unpack.js';
import {
  type Delivery,
  type EngineName,
  type EngineNote,
  type EngineRun,
  type EngineVerdict,
  keysOf,
  type LoadedImage,
  loadsInstead,
  type Verdict,
} from './verdict.js';

export type { Delivery, EngineName, EngineVerdict } from './verdict.js';

interface Engine {
  readonly name: EngineName;
  /** The program, as a user calls it. */
  readonly command: string;
  /** @param delivery  null where it is not known: then the file is a plain tar */
  readonly run: (file: TarFile, delivery: Delivery | null) => EngineRun;
}

/** Engines that are given the archive as a file. */
const ENGINES: readonly Engine[] = [
  { name: 'docker-classic', command: 'docker', run: dockerClassic },
  { name: 'docker-containerd', command: 'docker', run: dockerContainerd },
  { name: 'podman', command: 'podman', run: podman },
  { name: 'skopeo-docker-archive', command: 'skopeo', run: skopeoDockerArchive },
  { name: 'skopeo-oci-archive', command: 'skopeo', run: skopeoOciArchive },
  { name: 'crane', command: 'crane', run: crane },
];

/** Engines that are given a directory as it is, beside crane. */
const DIRECTORY_ENGINES: readonly Engine[] = [
  { name: 'podman-directory', command: 'podman', run: podmanDirectory },
  { name: 'skopeo-oci', command: 'skopeo', run: skopeoOci },
  { name: 'skopeo-dir', command: 'skopeo', run: skopeoDir },
  { name: 'umoci', command: 'umoci', run: umoci },
];

const enginesFor = ({ isDirectory }: Scan): readonly Engine[] =>
  isDirectory ? [...ENGINES, ...DIRECTORY_ENGINES] : ENGINES;

/** An image that engines take from a file. */
export interface EngineLoad extends LoadedImage {
  readonly engine: EngineName;
}

/** Every image that any engine would take from the file, on a machine of any platform. For scans of every byte. */
export function engineLoads(scan: Scan): EngineLoad[] {
  const file = tarFile(scan);
  // To crane a directory is no tarball.
  const engines: readonly Engine[] = scan.isDirectory
    ? [...enginesFor(scan), { name: 'crane', command: 'crane', run: craneLayout }]
    : ENGINES;
  return engines.flatMap(({ name, run }) => run(file, null).loads.map(image => ({ ...image, engine: name })));
}

/**
 * The outcome of every image of an archive in every engine: the ID by which the engine will call it, or why it does not
 * take it. Worked out from the file, for engines on linux/amd64 with an empty store, and checked against Docker 28.5.2
 * (classic and containerd store), podman 5.8.6, skopeo 1.22.0, crane 0.21 and umoci 0.6.0.
 *
 * Left out, since it does not follow from a scan: layers with two entries of one name, which the classic store and
 * podman refuse; a compressed layer whose content is whole and whose trailer is cut off; a file that was compressed
 * twice; the content of a sparse member or of a gzip stream with reserved flags; limits of the engines' own on sizes
 * and nesting. At depth `metadata` the digests of layers are those that the documents claim.
 */
export function predictEngines(
  scan: Scan,
  graph: Graph,
  delivery: Delivery,
): ReadonlyMap<Image, readonly EngineVerdict[]> {
  const reached = limitOf(graph);
  if (reached !== null) {
    const cause = { code: 'limit', path: null, reached } as const;
    const verdicts = enginesFor(scan).map(
      ({ name }): EngineVerdict => ({ engine: name, outcome: 'unknown', cause, notes: [] }),
    );
    return new Map(graph.images.map(image => [image, verdicts]));
  }
  const file = tarFile(scan);
  const runs = enginesFor(scan).map(engine => ({ engine, run: engine.run(file, delivery) }));
  return new Map(
    graph.images.map(image => [
      image,
      runs.map(({ engine, run }): EngineVerdict => {
        const verdict = verdictOf(image, run);
        const notes = verdict.outcome === 'accepted' ? acceptedNotes(file, image, engine) : [];
        return {
          ...verdict,
          engine: engine.name,
          notes: [...verdict.notes, ...notes, ...deliveryNotes(engine, delivery)],
        };
      }),
    ]),
  );
}

/**
 * The limit for which not all was looked at that the archive lists. An engine would look at all of it, and so would its
 * copy here.
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
 * The outcome of a file that holds no image in every engine. Some take an artifact for an image: then the ID is that of
 * the first artifact.
 */
export function predictFile(scan: Scan, delivery: Delivery): EngineVerdict[] {
  const file = tarFile(scan);
  return enginesFor(scan).map(engine => {
    const { name, run } = engine;
    const verdict = fileVerdict(run(file, delivery));
    return { ...verdict, engine: name, notes: [...verdict.notes, ...deliveryNotes(engine, delivery)] };
  });
}

/** An artifact that is taken, or else the error that stopped the engine, or the first one of an artifact. */
function fileVerdict(run: EngineRun): Verdict {
  const verdicts = [...run.verdicts.values()];
  const taken = verdicts.find(({ outcome }) => outcome === 'accepted');
  if (taken !== undefined) return taken;
  const first = run.stop ?? verdicts[0];
  if (first !== undefined) return { ...first, notes: [] };
  return loadsInstead(run.loadsInstead.code === 'empty-list' ? run.loadsInstead : { code: 'none' });
}

function verdictOf(image: Image, run: EngineRun): Verdict {
  const { stop, verdicts } = run;
  const verdict = keysOf(image)
    .map(key => verdicts.get(key))
    .find(found => found !== undefined);
  if (verdict === undefined) return stop === null ? loadsInstead(run.loadsInstead) : { ...stop, notes: [] };
  if (verdict.outcome !== 'accepted' || stop === null) return verdict;
  return { ...verdict, notes: [...verdict.notes, { code: 'stops-at-another', stop }] };
}

function acceptedNotes(file: TarFile, image: Image, { name }: Engine): EngineNote[] {
  const unpacking = name === 'docker-containerd' ? unpackNotes(file, image) : [];
  const isRead = file.scan.depth !== 'metadata';
  return [...unpacking, ...(isRead ? [] : [{ code: 'layers-not-read' } as const])];
}

function deliveryNotes(engine: Engine, { container, compression, inside }: Delivery): EngineNote[] {
  const { name, command } = engine;
  if (container === 'directory')
    return ENGINES.includes(engine) && name !== 'crane' ? [{ code: 'directory-as-tar' }] : [];
  if (container === 'zip' && inside === null) return [{ code: 'zip-not-read', command }];
  return name === 'crane' && compression !== 'none' ? [{ code: 'plain-tar-only' }] : [];
}
