import type { Member } from '../containers/source.js';
import { attempt, refuse } from '../decoding/refused.js';
import { LayerStack } from '../filesystem/layer-stack.js';
import { containerdUnpacks, type UnpackOutcome } from '../filesystem/unloadable.js';
import type { Image, Layer } from '../link/graph.js';
import type { Refusal } from '../scan/names/facts.js';
import type { Scan } from '../scan/scan.js';
import { platformMatches } from '../spec/platform.js';
import { textOf } from '../tar/entry.js';
import { containerdLayer, digestLike, type TarFile } from './tar-file.js';
import { type EngineNote, IMAGE_TYPES } from './verdict.js';

/** Unpacks the layers of an image, one upon the other, as an engine does. */
export class Unpacking {
  private readonly stack: LayerStack;
  private note: EngineNote | null = null;

  constructor(
    private readonly scan: Scan,
    private readonly unpacks: (refusal: Refusal) => UnpackOutcome,
  ) {
    this.stack = new LayerStack(scan);
  }

  /** Notes on the layers that were taken: the first one. */
  get notes(): readonly EngineNote[] {
    return this.note === null ? [] : [this.note];
  }

  /**
   * @param member  the next layer; null where the archive does not hold it
   * @returns unpacks the layer, or refuses it in the words of the engine
   */
  next(member: Member | null): () => void {
    const refusals = this.stack.add(member === null ? null : (this.scan.facts(member)?.tar?.names ?? null));
    return () => {
      for (const one of refusals) {
        const { refusal, otherDriver } = this.unpacks(one);
        if (refusal !== null) refuse(textOf(refusal));
        if (otherDriver === null) continue;
        const { driver, message } = otherDriver;
        this.note ??= { code: 'other-driver', driver, message: textOf(message) };
      }
    };
  }
}

const HOST = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

/**
 * After `docker load` into the containerd store Docker unpacks the image for its own platform. Where that fails it says
 * so, exits with 0, and keeps the image under its ID all the same. moby daemon/containerd/image_exporter.go (LoadImage)
 */
export function unpackNotes(file: TarFile, image: Image): readonly EngineNote[] {
  if (image.platform === null || !platformMatches(image.platform, HOST)) return [];
  const stop = attempt(() => unpackAll(file, image));
  if (stop === null) return [];
  return stop.outcome === 'unknown'
    ? [{ code: 'unpacking-unknown', cause: stop.cause }]
    : [{ code: 'unpacking-fails', message: stop.message }];
}

function unpackAll(file: TarFile, { config, layers, manifest }: Image): void {
  const types = manifest?.descriptors.map(({ descriptor }) => descriptor.mediaType ?? '') ?? [];
  if (types.some(type => !IMAGE_TYPES.has(type))) refuse('descriptor is neither a manifest or index');
  if (config === null || config.member === null || config.parsed === null) return;
  // A config whose digest is not the one claimed is not stored under it, and passed over as an absent one is.
  if (!isClaimed(file, config.member, config.claimedDigest)) return;
  const diffIds = config.parsed.diffIds ?? [];
  if (diffIds.length !== layers.length) refuse('mismatched image rootfs and manifest layers');
  const unpacking = new Unpacking(file.scan, containerdUnpacks);
  for (const layer of layers) {
    const unpack = unpacking.next(layer.member);
    checkLayer(file, layer);
    unpack();
  }
}

function isClaimed(file: TarFile, member: Member, claim: string | null): boolean {
  const actual = claim === null ? null : digestLike(file, member, claim);
  return actual === null || actual === claim;
}

function checkLayer(file: TarFile, { member, ref, claimedDigest, claimedDiffId }: Layer): void {
  const stored = member !== null && isClaimed(file, member, claimedDigest) ? member : null;
  const { packError, tarError, diffId } = containerdLayer(file, stored ?? refuse(`${ref} not found`));
  const error = packError ?? tarError;
  if (error !== null) refuse(error);
  const isWrong = diffId !== null && claimedDiffId !== null && diffId !== claimedDiffId;
  if (isWrong) refuse(`wrong diff id calculated on extraction "${diffId}"`);
}
