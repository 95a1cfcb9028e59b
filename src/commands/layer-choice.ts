import { InputError } from '../errors.js';
import type { ChosenImage } from './one-image.js';
import { startsWith } from './select.js';
import { count } from './words.js';

const isNumber = (layer: string) => /^\d{1,3}$/.test(layer);

/** The indexes of the layers that are meant: one by its place, from 1 for the base, or those that have or claim a digest that begins so. */
function layerIndexes({ part, image }: ChosenImage, layer: string): number[] {
  const { layers } = image;
  if (isNumber(layer)) return layers[Number(layer) - 1] === undefined ? [] : [Number(layer) - 1];
  return layers.flatMap(({ member, claimedDigest, claimedDiffId, v1Id }, i) => {
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
}

/** The images that have the layer, and where. @throws InputError when none has */
export function imagesWithLayer(
  chosen: readonly ChosenImage[],
  layer: string,
  file: string,
): (ChosenImage & { readonly index: number })[] {
  const found = chosen.map(one => ({ one, indexes: layerIndexes(one, layer) }));
  const clear = found.flatMap(({ one, indexes }) =>
    indexes.length === 1 ? [{ ...one, index: indexes[0]! }] : [],
  );
  if (clear.length > 0) return clear;
  const many = Math.max(0, ...found.map(({ indexes }) => indexes.length));
  const most = Math.max(0, ...chosen.map(({ image }) => image.layers.length));
  const whose = chosen.length === 1 ? 'the image has' : 'its images have at most';
  const what = isNumber(layer)
    ? `no layer ${layer}: ${whose} ${count(most, 'layer')}`
    : many > 1
      ? `${JSON.stringify(layer)} means ${many} layers`
      : `no layer ${JSON.stringify(layer)}: no digest and no diff_id begins with it`;
  const range = most === 1 ? '1' : `1 to ${most}`;
  const remedy = `Name one by its number, ${range}, or by the beginning of its digest or diff_id; \`waybill ids\` lists them.`;
  throw new InputError(what, file, most === 0 ? null : remedy);
}
