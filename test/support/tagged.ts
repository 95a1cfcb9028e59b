// The content of an archive: images and their names.
import type { Image } from './image.js';

export interface Tagged {
  readonly image: Image;
  /** `repo:tag`, as the user typed it; empty for an untagged image. */
  readonly tags?: readonly string[];
  /** The parent image, if it is in the same archive. */
  readonly parent?: Image;
}

export type Images = Image | Tagged | readonly (Image | Tagged)[];

export interface Entry {
  readonly image: Image;
  readonly tags: readonly string[];
  readonly parent?: Image;
}

/** Normalises one image or several, with or without names, to a list with names. */
export function entriesOf(images: Images): Entry[] {
  const list = Array.isArray(images) ? (images as readonly (Image | Tagged)[]) : [images as Image | Tagged];
  return list.map(item => ('image' in item ? { tags: [], ...item } : { image: item, tags: [] }));
}

export const tagsOrNull = (tags: readonly string[]): readonly string[] | null =>
  tags.length > 0 ? tags : null;

/** Seconds since 1970 of the image's creation. */
export const createdSeconds = (image: Image): number => Math.floor(Date.parse(image.created) / 1000);
