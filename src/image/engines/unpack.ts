import type { Member } from '../../source/source.js';
import { platformMatches } from '../../spec/platform.js';
import type { Image, Layer } from '../graph.js';
import { IMAGE_TYPES } from './media.js';
import { digestLike, layerFacts, type TarFile } from './tar-file.js';

const HOST = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

/**
 * After `docker load` into the containerd store Docker unpacks what is for this machine, and where that fails says so,
 * exits with 0, and keeps the image under its ID all the same. moby daemon/containerd/image_exporter.go (LoadImage)
 */
export function unpackNote(file: TarFile, image: Image): string | null {
  if (image.platform === null || !platformMatches(image.platform, HOST)) return null;
  const why = failureOf(file, image);
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
  return layers.map(layer => layerFailure(file, layer)).find(why => why !== null) ?? null;
}

function isClaimed(file: TarFile, member: Member, claim: string | null): boolean {
  const actual = claim === null ? null : digestLike(file, member, claim);
  return actual === null || actual === claim;
}

function layerFailure(file: TarFile, { member, ref, claimedDigest, claimedDiffId }: Layer): string | null {
  if (member === null || !isClaimed(file, member, claimedDigest)) return `${ref} not found`;
  const { packError, tarError, diffId, compression } = layerFacts(file, member);
  // containerd unpacks gzip and zstd only, and reads anything else as a tar.
  if (compression === 'xz' || compression === 'bzip2') return 'unexpected EOF';
  if (packError !== null || tarError !== null) return packError ?? tarError;
  const wrong = diffId !== null && claimedDiffId !== null && diffId !== claimedDiffId;
  return wrong ? `wrong diff id calculated on extraction "${diffId}"` : null;
}
