import { InputError } from '../errors.js';
import type { ChosenImage } from './one-image.js';
import { startsWith } from './select.js';

/**
 * The index of the layer that is meant: by its place, from 1 for the base, or by the beginning of a digest that it has or is
 * claimed to have, packed or unpacked.
 * @returns null where the image has no such layer, or several
 */
export function layerIndex({ part, image }: ChosenImage, layer: string): number | null {
  const { layers } = image;
  if (/^\d{1,3}$/.test(layer)) {
    const index = Number(layer) - 1;
    return index >= 0 && index < layers.length ? index : null;
  }
  const found = layers.flatMap(({ member, claimedDigest, claimedDiffId, v1Id }, i) => {
    const facts = member === null ? null : part.scan.facts(member);
    const digests = [
      facts?.digests?.sha256,
      facts?.unpacked?.digests.sha256,
      claimedDigest,
      claimedDiffId,
      v1Id,
    ];
    return digests.some(digest => digest != null && startsWith(digest, layer)) ? [i] : [];
  });
  return found.length === 1 ? found[0]! : null;
}

/** The images that have the layer, and where. @throws InputError when none has */
export function imagesWithLayer(
  chosen: readonly ChosenImage[],
  layer: string,
  file: string,
): (ChosenImage & { readonly index: number })[] {
  const found = chosen.flatMap(one => {
    const index = layerIndex(one, layer);
    return index === null ? [] : [{ ...one, index }];
  });
  if (found.length > 0) return found;
  const most = Math.max(0, ...chosen.map(({ image }) => image.layers.length));
  throw new InputError(
    `no one layer ${JSON.stringify(layer)} in it`,
    file,
    `Name one by its number, 1 to ${most}, or by the beginning of its digest or diff_id; \`waybill ids\` lists them.`,
  );
}
