import { binarySize, humanSize } from '../docker/units.js';
import { NONE } from './words.js';

/** How sizes are written for people: as Docker prints them, in powers of 1024, or as whole bytes. */
export type Units = 'si' | 'binary' | 'bytes';

const WRITERS: Readonly<Record<Units, (bytes: number) => string>> = {
  si: bytes => humanSize(bytes, 3),
  binary: bytes => binarySize(bytes),
  bytes: String,
};

/** @returns takes bytes, or null for a size that is not known */
export function sizeWriter(units: Units = 'si'): (bytes: number | null) => string {
  return bytes => (bytes === null ? NONE : WRITERS[units](bytes));
}
