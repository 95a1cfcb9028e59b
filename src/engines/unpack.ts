import type { Member } from '../containers/source.js';
import { attempt, isUntold, refuse } from '../decoding/refused.js';
import { LayerStack } from '../filesystem/layer-stack.js';
import { containerdUnpacks, type UnpackAnswer } from '../filesystem/unloadable.js';
import type { Image, Layer } from '../link/graph.js';
import type { Refusal } from '../scan/names/facts.js';
import type { Scan } from '../scan/scan.js';
import { platformMatches } from '../spec/platform.js';
import { textOf } from '../tar/entry.js';
import { IMAGE_TYPES } from './answer.js';
import { containerdLayer, digestLike, type TarFile } from './tar-file.js';

/** Unpacks the layers of an image, one upon the other, as an engine does. */
export class Unpacking {
  private readonly stack: LayerStack;
  /** What else there is to know of the layers that were taken. */
  note: string | null = null;

  constructor(
    private readonly scan: Scan,
    private readonly unpacks: (refusal: Refusal) => UnpackAnswer,
  ) {
    this.stack = new LayerStack(scan);
  }

  /**
   * @param member  the next layer; null where it is not here
   * @returns unpacks it, or refuses it in the words of the engine
   */
  next(member: Member | null): () => void {
    const refusals = this.stack.add(member === null ? null : (this.scan.facts(member)?.tar?.names ?? null));
    return () => {
      for (const one of refusals) {
        const { refusal, note } = this.unpacks(one);
        if (refusal !== null) refuse(textOf(refusal));
        if (note !== null) this.note ??= textOf(note);
      }
    };
  }
}

const HOST = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

/**
 * After `docker load` into the containerd store Docker unpacks what is for this machine, and where that fails says so,
 * exits with 0, and keeps the image under its ID all the same. moby daemon/containerd/image_exporter.go (LoadImage)
 */
export function unpackNote(file: TarFile, image: Image): string | null {
  if (image.platform === null || !platformMatches(image.platform, HOST)) return null;
  const why = failureOf(file, image);
  if (isUntold(why)) return `whether it can be unpacked ${why}`;
  return why === null ? null : `prints \`Error unpacking image\` (${why}) and keeps the ID`;
}

function failureOf(file: TarFile, { config, layers, manifest }: Image): string | null {
  const types = manifest?.descriptors.map(({ descriptor }) => descriptor.mediaType ?? '') ?? [];
  if (types.some(type => !IMAGE_TYPES.has(type))) return 'descriptor is neither a manifest or index';
  if (config === null || config.member === null || config.parsed === null) return null;
  // A config under a digest that is not its own is as good as absent, and passed over.
  if (!isClaimed(file, config.member, config.claimedDigest)) return null;
  const diffIds = config.parsed.diffIds ?? [];
  if (diffIds.length !== layers.length) return 'mismatched image rootfs and manifest layers';
  const unpack = new Unpacking(file.scan, containerdUnpacks);
  for (const layer of layers) {
    const check = unpack.next(layer.member);
    const why = failureIn(() => layerFailure(file, layer)) ?? attempt(check);
    if (why !== null) return why;
  }
  return null;
}

function isClaimed(file: TarFile, member: Member, claim: string | null): boolean {
  const actual = claim === null ? null : digestLike(file, member, claim);
  return actual === null || actual === claim;
}

/** What a step finds, or why it stopped. */
function failureIn(step: () => string | null): string | null {
  let found: string | null = null;
  return (
    attempt(() => {
      found = step();
    }) ?? found
  );
}

function layerFailure(file: TarFile, { member, ref, claimedDigest, claimedDiffId }: Layer): string | null {
  if (member === null || !isClaimed(file, member, claimedDigest)) return `${ref} not found`;
  const { packError, tarError, diffId } = containerdLayer(file, member);
  if (packError !== null || tarError !== null) return packError ?? tarError;
  const wrong = diffId !== null && claimedDiffId !== null && diffId !== claimedDiffId;
  return wrong ? `wrong diff id calculated on extraction "${diffId}"` : null;
}
