import type { Writer } from './file.js';

/** One file of an image layout. */
export interface LayoutFile {
  /** Below the layout's root. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Where an image layout is written: its files in any order, each as long as was said of it. */
export interface LayoutTarget {
  /** Begins a file. Begun again, it starts anew. */
  open(path: string): Writer;
  commit(): void;
  discard(): void;
}
