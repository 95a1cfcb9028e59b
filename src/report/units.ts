import type { SizeName, Sizes } from '../analysis/weigh.js';
import { binarySizeText, sizeText } from '../spec/size-text.js';

/** How sizes are written for people: `15.4 kB`, in powers of 1024, or as whole bytes. */
export type Units = 'si' | 'binary' | 'bytes';

const WRITERS: Readonly<Record<Units, (bytes: number) => string>> = {
  si: sizeText,
  binary: binarySizeText,
  bytes: String,
};

/** What stands for a size that is not known. */
export const UNKNOWN = 'unknown';

/** @returns takes bytes, or null for a size that is not known */
export function sizeWriter(units: Units = 'si'): (bytes: number | null) => string {
  return bytes => (bytes === null ? UNKNOWN : WRITERS[units](bytes));
}

/** One of several sizes; `at least` where something that it should count is not known. */
export function sizeWords(sizes: Sizes, name: SizeName, write: (bytes: number | null) => string): string {
  return `${sizes.partial?.includes(name) ? 'at least ' : ''}${write(sizes[name])}`;
}
