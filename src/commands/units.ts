import { binarySizeText, sizeText } from '../spec/size-text.js';
import { NONE } from './words.js';

/** How sizes are written for people: `15.4 kB`, in powers of 1024, or as whole bytes. */
export type Units = 'si' | 'binary' | 'bytes';

const WRITERS: Readonly<Record<Units, (bytes: number) => string>> = {
  si: sizeText,
  binary: binarySizeText,
  bytes: String,
};

/** @returns takes bytes, or null for a size that is not known */
export function sizeWriter(units: Units = 'si'): (bytes: number | null) => string {
  return bytes => (bytes === null ? NONE : WRITERS[units](bytes));
}
