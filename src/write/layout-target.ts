import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { pack } from 'tar-stream';
import { InputError } from '../errors.js';
import { BLOCK } from '../tar/header.js';
import { createFile, type Writer, writeAt } from './file.js';
import { flush } from './flush.js';
import { isThere, stageDirectory } from './staged-directory.js';
import { writing } from './system-error.js';
import { abandon, finished, temporaryBeside } from './unfinished.js';

/** One file of an image layout. */
interface LayoutFile {
  /** Relative to the layout's root. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** The destination of an image layout. Its files are written in any order, each with the size that was announced. */
export interface LayoutTarget {
  /** Opens a file for writing. Opening it again starts from an empty file. */
  open(path: string): Writer;
  commit(): void;
  discard(): void;
}

/**
 * An image layout as a directory.
 * @throws InputError if `output` exists and is not empty, or cannot be written
 */
export function layoutDirectory(output: string, files: readonly LayoutFile[]): LayoutTarget {
  const staged = stageDirectory(output);
  const fileOf = (path: string) => join(staged.path, path);
  try {
    writing(output, () => {
      for (const { path } of files) mkdirSync(dirname(fileOf(path)), { recursive: true });
    });
  } catch (error) {
    staged.discard();
    throw error;
  }
  return { ...staged, open: path => createFile(fileOf(path), output) };
}

/** The end marker of a tar: two zero blocks. POSIX.1-2017, pax, "ustar Interchange Format" */
const END = 2 * BLOCK;

/**
 * An image layout as a tar. The bytes do not depend on the order in which the files are written: all sizes are known,
 * so the position of each file is computed first.
 * @throws InputError if `output` exists or cannot be written
 */
export async function layoutTar(output: string, files: readonly LayoutFile[]): Promise<LayoutTarget> {
  refuseExisting(output);
  const temporary = temporaryBeside(output);
  let fd: number | null = null;
  const close = () => {
    const open = fd;
    fd = null;
    if (open !== null) writing(output, () => closeSync(open));
  };
  const discard = () => {
    close();
    abandon(temporary);
  };
  try {
    fd = writing(output, () => openSync(temporary, 'wx'));
    const { starts, blocks, length } = await arrange(files);
    // Unwritten parts of the file read as zeros: the padding and the end marker.
    writing(output, () => {
      ftruncateSync(fd!, length);
      for (const { at, bytes } of blocks) writeAt(fd!, bytes, at);
    });
    const commit = () => {
      writing(output, () => flush(fd!));
      close();
      refuseExisting(output);
      writing(output, () => renameSync(temporary, output));
      finished(temporary);
    };
    const open = (path: string) => {
      let at = starts.get(path)!;
      const write = (chunk: Uint8Array) => {
        writing(output, () => writeAt(fd!, chunk, at));
        at += chunk.length;
      };
      return { write, close: () => {}, drop: () => {} };
    };
    return { open, commit, discard };
  } catch (error) {
    discard();
    throw error;
  }
}

function refuseExisting(output: string): void {
  if (isThere(output)) throw new InputError('exists', output, 'Choose another name, or remove it first.');
}

interface Arrangement {
  /** Offset of the content of each file. */
  readonly starts: ReadonlyMap<string, number>;
  readonly blocks: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly length: number;
}

/** Directories and files in the order of their names, as in a `docker save` archive. */
async function arrange(files: readonly LayoutFile[]): Promise<Arrangement> {
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const entries = [...[...folders].map(path => ({ path, size: 0 })), ...files];
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const starts = new Map<string, number>();
  const blocks: { at: number; bytes: Uint8Array }[] = [];
  let at = 0;
  for (const { path, size } of entries) {
    const bytes = await header(path, size);
    blocks.push({ at, bytes });
    at += bytes.length;
    starts.set(path, at);
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
  return { starts, blocks, length: at + END };
}

/** The directories of a path: `blobs/` and `blobs/sha256/` for `blobs/sha256/x`. */
function foldersOf(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? [] : [...foldersOf(folder), `${folder}/`];
}

/** A header made by tar-stream; nothing in it depends on the machine or the time. */
async function header(name: string, size: number): Promise<Uint8Array> {
  const packing = pack();
  packing.entry({ name, size, type: name.endsWith('/') ? 'directory' : 'file', mtime: new Date(0) });
  for await (const block of packing) return block as Uint8Array;
  throw new Error(`tar-stream wrote no header for ${name}`);
}
