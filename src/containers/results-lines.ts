import { isUtf8 } from 'node:buffer';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, isSystemError, reasonOf } from '../errors.js';
import { readInherited } from './pipe.js';

/** A line of a text file: where its bytes are, without the line break. */
export interface FileLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  /** False for the last line of a file that does not end with a line break. */
  readonly isEnded: boolean;
  /** It has more bytes than `MOST`: `text` is only its beginning. */
  readonly isTooLong: boolean;
  /** Whether its bytes are valid UTF-8. Of a last line that was torn the end may not be. */
  readonly isUtf8: boolean;
}

/** Bytes of a line: a record has some kilobytes, and a hostile file one line without an end. */
const MOST = 256 * 1024 * 1024;
const BEGINNING = 200;
const CHUNK = 1024 * 1024;
const LF = 0x0a;

/**
 * Calls a function for each line of a file, which may have any number of them.
 * @param onBytes  called with the bytes that were read since the last call
 * @returns why the system could not read all of it; null if it did
 */
export async function eachLine(
  file: string,
  onLine: (line: FileLine) => void,
  onBytes: (bytes: number) => void,
): Promise<string | null> {
  const lines = new Lines(onLine);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
      lines.push(chunk as Buffer);
      onBytes((chunk as Buffer).length);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return reasonFor(error);
  }
  lines.end();
  return null;
}

function reasonFor(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'there is no such file';
  return `cannot be read: ${reasonOf(error)}`;
}

/**
 * The lines of a file that is open, read one chunk after another.
 * @throws the system's error
 */
export function* linesIn(fd: number): Generator<FileLine> {
  const found: FileLine[] = [];
  const lines = new Lines(line => void found.push(line));
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ; ) {
    const count = readSync(fd, chunk, 0, CHUNK, at);
    if (count === 0) break;
    at += count;
    lines.push(chunk.subarray(0, count));
    yield* found.splice(0);
  }
  lines.end();
  yield* found;
}

/** Cuts chunks into lines. */
class Lines {
  private number = 0;
  /** Place of the current line. */
  private offset = 0;
  private length = 0;
  private pieces: Buffer[] = [];

  constructor(private readonly onLine: (line: FileLine) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      this.add(chunk.subarray(from, end));
      this.finish(true);
      from = end + 1;
    }
    // The chunk's memory may be used again for the next one.
    if (from < chunk.length) this.add(Buffer.from(chunk.subarray(from)));
  }

  end(): void {
    if (this.length > 0) this.finish(false);
  }

  private add(piece: Buffer): void {
    this.length += piece.length;
    if (this.length <= MOST) this.pieces.push(piece);
    else if (this.pieces.length > 1 || this.pieces[0]!.length > BEGINNING)
      this.pieces = [Buffer.from(Buffer.concat(this.pieces, BEGINNING))];
  }

  private finish(isEnded: boolean): void {
    const { pieces, length, offset } = this;
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    this.number++;
    this.onLine({
      text: bytes.toString('utf8'),
      number: this.number,
      offset,
      length,
      isEnded,
      isTooLong: length > MOST,
      isUtf8: isUtf8(bytes),
    });
    this.offset += length + (isEnded ? 1 : 0);
    this.length = 0;
    this.pieces = [];
  }
}

/** Files that are open at a time: an engine may have made thousands. */
const OPEN = 64;

/** Reads lines again, by their places. `close` must be called at the end. */
export class LineReader {
  private readonly open = new Map<number, number>();

  /** @param files  paths, and their names in messages */
  constructor(private readonly files: readonly { readonly path: string; readonly shown: string }[]) {}

  /** @throws InputError if the bytes are not there any more */
  lineAt(file: number, offset: number, length: number): string {
    const bytes = Buffer.allocUnsafe(length);
    const { shown } = this.files[file]!;
    try {
      const fd = this.descriptor(file);
      for (let done = 0; done < length; ) {
        const read = readSync(fd, bytes, done, length - done, offset + done);
        if (read === 0) throw changedWhileRead(shown);
        done += read;
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new InputError(reasonFor(error), shown, null, { cause: error });
    }
    return bytes.toString('utf8');
  }

  close(): void {
    for (const fd of this.open.values()) closeSync(fd);
    this.open.clear();
  }

  private descriptor(file: number): number {
    const known = this.open.get(file);
    if (known !== undefined) return known;
    const [oldest] = this.open;
    if (this.open.size >= OPEN && oldest !== undefined) {
      closeSync(oldest[1]);
      this.open.delete(oldest[0]);
    }
    const fd = openSync(this.files[file]!.path, 'r');
    this.open.set(file, fd);
    return fd;
  }
}

export const changedWhileRead = (shown: string): InputError =>
  new InputError('it changed while it was read', shown, 'Merge results when their runs have ended.');

/** The bytes of a pipe or device; `-` is standard input. */
export const streamOf = (file: string): AsyncIterable<Uint8Array> =>
  file === '-' ? readInherited(STDIN_FD) : createReadStream(file);

const STDIN_FD = 0;

/** A file that can be read twice, a pipe or device, or a folder. */
export type FileForm = 'file' | 'stream' | 'folder' | 'absent';

export async function formOf(file: string): Promise<FileForm> {
  if (file === '-') return 'stream';
  try {
    const stats = await stat(file);
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'stream';
  } catch {
    return 'absent';
  }
}

/** Bytes of a file; 0 where it cannot be read. */
export function fileSize(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

/** The names in a folder in the order of their bytes, or why it cannot be read. */
export async function namesInFolder(
  folder: string,
): Promise<{ readonly files: readonly string[] } | { readonly reason: string }> {
  try {
    const names = await readdir(folder);
    return { files: names.sort((a, b) => (a < b ? -1 : 1)).map(name => join(folder, name)) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { reason: reasonFor(error) };
  }
}
