import type { Verdict } from '../checks/rule.js';
import type { DiffReport } from '../commands/diff/report.js';
import type { IdsReport } from '../commands/ids/index.js';
import type { ReadLayers } from '../commands/single-layers.js';
import type { By } from '../commands/sizes/breakdown.js';
import type { SizesReport } from '../commands/sizes/report.js';
import type { WasteReport } from '../commands/waste/index.js';
import type { DialectOptions } from '../docker/release.js';
import { InputError } from '../errors.js';
import type { FindingCode, Severity } from '../link/observation.js';
import type { FileReport } from '../report/file-report.js';
import type { Archive, ImageSelection, OpenOptions, ReadingOptions, VerifyReport } from './archive.js';
import {
  ANY,
  CALLBACK,
  COUNT,
  checkArgument,
  checkOptions,
  eitherOf,
  FLAG,
  INPUT,
  LAYER,
  OBJECT,
  type OptionTypes,
  oneOf,
  SIGNAL,
  TEXT,
  TEXTS,
} from './arguments.js';
import { CallersStream } from './stream.js';

/*
 * The functions of index.ts. Each loads the command that it calls when it is called, so that importing the library
 * costs little.
 */

const OPEN_OPTIONS: OptionTypes<OpenOptions> = {
  limits: OBJECT,
  jobs: ANY,
  memory: ANY,
  requireComplete: eitherOf(FLAG, TEXT),
  requireImage: FLAG,
  onProgress: CALLBACK,
  signal: SIGNAL,
};

/**
 * Opens an archive and reads its documents: a fraction of a second for a file of any size. A stream is read to its end,
 * as deep as any question needs, for it cannot be read again.
 * @param input  a file or directory by its path; `-` for standard input; or a stream of bytes, such as a `Readable`
 * @throws InputError when there is no image archive, or it cannot be read
 * @throws UsageError for an option that makes no sense
 * @throws the reason of the signal, as every function that reads
 */
export async function openArchive(
  input: string | AsyncIterable<Uint8Array>,
  options: OpenOptions = {},
): Promise<Archive> {
  checkArgument('input', input, INPUT);
  const source = typeof input === 'string' ? input : new CallersStream(input);
  try {
    checkOptions(options, OPEN_OPTIONS);
    return await (await import('./archive.js')).open(source, options);
  } catch (error) {
    if (typeof source !== 'string') source.destroy();
    throw error;
  }
}

/**
 * Reads every byte and compares it with every claim about it: the report of `waybill verify --json`, with verdicts and
 * findings; and with the settings, the history and the config of each image.
 * @throws InputError when the selection matches nothing, or the archive cannot be read any more
 */
export async function verifyArchive(
  archive: Archive,
  selection: ImageSelection & ReadingOptions = {},
): Promise<VerifyReport> {
  const { read, selectionIn, report } = await import('./archive.js');
  const wanted = selectionIn(archive, selection, { signal: SIGNAL });
  return report(await read(archive, 'bytes', selection.signal), wanted);
}

/** A file of an image. */
export interface ListedFile extends FileReport {
  /** The change that the layer makes, if the files of one layer are listed. */
  readonly change?: 'added' | 'modified' | 'removed';
  /** The file before the layer, if it was modified. */
  readonly before?: FileReport;
}

/**
 * The files of one image, a directory before what is in it: those that a container would see, or those that one layer
 * changes.
 * @param selection  `layer`: only what this layer changes, by its number, from 1, or the beginning of its digest or
 *   diff_id; `where`: only paths that match one of these patterns, as `waybill files --where` takes them
 * @throws InputError when it means no image or layer, or several; or the archive is damaged and the document that lists
 *   the image's layers is missing
 */
export async function* listFiles(
  archive: Archive,
  selection: FileSelection & { readonly where?: readonly string[] | undefined } = {},
): AsyncGenerator<ListedFile, void, undefined> {
  const [{ filesReport }, { read, requireListed, selectionIn }] = await Promise.all([
    import('../commands/files/index.js'),
    import('./archive.js'),
  ]);
  const wanted = selectionIn(archive, selection, { layer: LAYER, where: TEXTS, signal: SIGNAL });
  const { layer, where, signal } = selection;
  const reading = await read(archive, 'entries', signal);
  requireListed(reading, wanted);
  const report = filesReport(reading, { ...wanted, in: layerText(layer), where });
  for (const { files, changes } of report.images) {
    yield* untilAborted(files ?? [], signal);
    for (const change of ['added', 'modified', 'removed'] as const)
      for (const file of untilAborted(changes?.[change] ?? [], signal)) yield { ...file, change };
  }
}

function* untilAborted<T>(items: Iterable<T>, signal: AbortSignal | undefined): Generator<T> {
  for (const item of items) {
    signal?.throwIfAborted();
    yield item;
  }
}

/** One entry of a layer. */
export interface LayerFile extends FileReport {
  /** It deletes something of lower layers and is no file of the image: its name begins with `.wh.`. */
  readonly whiteout: boolean;
}

/**
 * The entries of one layer, in its order. Of an uncompressed archive, a directory and a zip of blobs, no other layer is
 * read.
 * @param layer  its number, from 1, or the beginning of its digest or diff_id
 * @throws InputError when there is no such image or layer, or the archive does not hold it; behind its last entry, for
 *   a layer that is damaged, no tar, or not what the image claims
 */
export async function* listLayer(
  archive: Archive,
  layer: number | string,
  selection: ImageSelection & ReadingOptions = {},
): AsyncGenerator<LayerFile, void, undefined> {
  const [{ layerListing, layerOf }, { canReadLayers, read, readLayers, selectionIn, sourceOf }] =
    await Promise.all([import('../commands/files/layer.js'), import('./archive.js')]);
  const wanted = selectionIn(archive, selection, { signal: SIGNAL });
  checkArgument('layer', layer, LAYER);
  const { signal } = selection;
  signal?.throwIfAborted();
  const isAlone = canReadLayers(archive);
  const reading = isAlone ? sourceOf(archive).first : await read(archive, 'entries', signal);
  const readSome: ReadLayers = isAlone ? readLayers(archive, signal) : async ({ part }) => part.scan;
  const { chosen, index } = await layerOf(reading, wanted, String(layer), readSome);
  const { image } = chosen;
  const scan = await readSome(chosen, [image.layers[index]!]);
  const { entries, fault } = layerListing(scan, image, index);
  yield* untilAborted(entries, signal);
  if (fault !== null) throw new InputError(fault, archive.file, null, { damaged: true });
}

const layerText = (layer: number | string | undefined) => (layer === undefined ? undefined : String(layer));

/**
 * A file as one layer leaves it: the layer's number, from 1, or the beginning of its digest or diff_id. Default: the
 * last layer.
 */
type FileSelection = ImageSelection & ReadingOptions & { readonly layer?: number | string | undefined };

/**
 * The content of one file of an image. Links are followed inside the image's root. Of an uncompressed archive, a
 * directory and a zip of blobs, the layers of the image are read from the last one down, until they determine the file.
 * @param path  from the root, with or without a leading slash
 * @throws InputError when there is no such image, layer or file, it has no content, is cut short, or a damaged layer
 *   holds it or may have changed it; as `listFiles` for a damaged archive; and for an archive that came as a stream,
 *   which cannot be read again
 */
export async function readFile(
  archive: Archive,
  path: string,
  selection: FileSelection = {},
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of streamFile(archive, path, selection)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/**
 * The same in pieces, for files that need not fit into memory.
 * @throws InputError as `readFile`; damage that shows behind the file is thrown at its end, and what came before is not
 *   to be used
 */
export async function* streamFile(
  archive: Archive,
  path: string,
  selection: FileSelection = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { catFrom, catFromLayers } = await import('../commands/cat.js');
  const { canReadLayers, read, readLayers, selectionIn, sourceOf, whenAborted } = await import(
    './archive.js'
  );
  const { first, options } = sourceOf(archive);
  checkArgument('path', path, TEXT);
  const chosen = selectionIn(archive, selection, { layer: LAYER, signal: SIGNAL });
  const { layer, signal } = selection;
  signal?.throwIfAborted();
  const { file, container } = archive;
  if (container === 'stream')
    throw new InputError(
      'files cannot be read from a stream that has passed',
      first.opened.file,
      'Save it to a file and open that.',
    );
  const wanted = {
    ...chosen,
    in: layerText(layer),
    limits: options.limits,
    signal,
  };
  const pipe = new Pipe();
  const found = canReadLayers(archive)
    ? catFromLayers(first, path, pipe.put, readLayers(archive, signal), wanted)
    : read(archive, 'entries', signal).then(reading => catFrom(reading, path, pipe.put, wanted));
  const work = found.then(
    ({ notes }) =>
      pipe.end(notes.length === 0 ? null : new InputError(notes.join('; '), file, null, { damaged: true })),
    error => pipe.end(error),
  );
  const forget = whenAborted(signal, () => pipe.stop());
  try {
    yield* untilEndOf(pipe, signal);
  } finally {
    forget();
    pipe.stop();
    await work;
  }
}

async function* untilEndOf(pipe: Pipe, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of pipe.joined()) {
      signal?.throwIfAborted();
      yield piece;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Pieces are joined up to so many bytes: those of a tar come as blocks of 512. */
const PIECE_BYTES = 64 * 1024;

/** Between a writer that puts pieces and a reader that takes them, joined: the writer waits until they are taken. */
class Pipe {
  private pieces: Uint8Array[] = [];
  private length = 0;
  private ended: { readonly error: unknown } | null = null;
  private isStopped = false;
  private wake: () => void = () => {};

  readonly put = async (piece: Uint8Array): Promise<void> => {
    // Its memory is used again for the next one.
    this.pieces.push(Uint8Array.from(piece));
    this.length += piece.length;
    if (this.length >= PIECE_BYTES) this.wake();
    while (this.length >= PIECE_BYTES && !this.isStopped) await this.changed();
    if (this.isStopped) throw new Error('no more is wanted');
  };

  end(error: unknown): void {
    this.ended = { error };
    this.wake();
  }

  /** No more is wanted. */
  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  async *joined(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.length >= PIECE_BYTES || (this.ended !== null && this.length > 0)) {
        yield this.take();
        this.wake();
      } else if (this.ended === null) await this.changed();
      else if (this.ended.error === null) return;
      else throw this.ended.error;
    }
  }

  private take(): Uint8Array {
    const { pieces, length } = this;
    this.pieces = [];
    this.length = 0;
    if (pieces.length === 1) return pieces[0]!;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  /** Reader and writer never wait at the same time: one of them has pieces to take, or room for one. */
  private changed(): Promise<void> {
    return new Promise(resolve => {
      this.wake = resolve;
    });
  }
}

/**
 * The sizes of images, stored, compressed, unpacked and in Docker, by layer: the report of `waybill sizes --json`.
 * @param options  `by`: what to add up besides; `top`: only so many of the largest
 * @throws InputError when the selection matches nothing
 */
export async function measureSizes(
  archive: Archive,
  options: ImageSelection &
    ReadingOptions & { readonly by?: By | undefined; readonly top?: number | undefined } = {},
): Promise<SizesReport> {
  const { BREAKDOWNS, sizesOf } = await import('../commands/sizes/index.js');
  const { read, selectionIn } = await import('./archive.js');
  const wanted = selectionIn(archive, options, { by: oneOf(BREAKDOWNS), top: COUNT, signal: SIGNAL });
  const { by, top, signal } = options;
  const reading = await read(archive, by === 'package' ? 'contents' : 'entries', signal);
  return sizesOf(reading, { ...wanted, by, top });
}

/**
 * Lists files that images ship and do not use: overwritten, deleted, duplicated and cached files; with dive's score.
 * @throws InputError when the selection matches nothing
 */
export async function findWaste(
  archive: Archive,
  selection: ImageSelection & ReadingOptions = {},
): Promise<WasteReport> {
  const { wasteReport } = await import('../commands/waste/index.js');
  const { read, selectionIn } = await import('./archive.js');
  const wanted = selectionIn(archive, selection, { signal: SIGNAL });
  return wasteReport(await read(archive, 'contents', selection.signal), wanted);
}

/** One side of a comparison: all images of an archive, or some of them. */
type ComparedImages = Archive | ChosenImages;
type ChosenImages = { readonly archive: Archive } & ImageSelection;

const isChosen = (compared: ComparedImages): compared is ChosenImages =>
  OBJECT.accepts(compared) && 'archive' in compared;

/**
 * In what the images of two archives differ, or two images of one: the report of `waybill diff --json`.
 * @param options  `ignore`: kinds of differences that do not count, as `times` or `config.labels`
 * @throws InputError when a selection matches nothing
 * @throws UsageError for a kind of differences that does not exist
 */
export async function compareImages(
  a: ComparedImages,
  b: ComparedImages,
  options: ReadingOptions & { readonly ignore?: readonly string[] | undefined } = {},
): Promise<DiffReport> {
  const { checkIgnored, diffReport } = await import('../commands/diff/index.js');
  const { read, selectionIn, sourceOf } = await import('./archive.js');
  checkOptions(options, { ignore: TEXTS, signal: SIGNAL });
  const { ignore = [], signal } = options;
  checkIgnored(ignore);
  const [left, right] = Object.entries({ a, b }).map(([name, compared]) => {
    const { archive, ...selection } = isChosen(compared) ? compared : { archive: compared };
    sourceOf(archive, name);
    const wanted = selectionIn<ImageSelection>(archive, selection, {});
    return async () => ({ reading: await read(archive, 'contents', signal), selection: wanted });
  });
  return diffReport(await left!(), await right!(), { ignore });
}

/**
 * Every name, ID and digest of the images, and what each engine calls them after loading the file: the report of
 * `waybill ids --json`.
 * @param options  `find`: a digest, or its beginning, to look for in the file
 * @throws InputError when the selection matches nothing
 */
export async function listIds(
  archive: Archive,
  options: ImageSelection &
    ReadingOptions &
    Pick<DialectOptions, 'docker'> & { readonly find?: string | undefined } = {},
): Promise<IdsReport> {
  const { idsReport } = await import('../commands/ids/index.js');
  const { read, selectionIn } = await import('./archive.js');
  const wanted = selectionIn(archive, options, { docker: COUNT, find: TEXT, signal: SIGNAL });
  const { docker, find, signal } = options;
  return idsReport(await read(archive, 'bytes', signal), { ...wanted, docker, find });
}

/**
 * Returns the output of `docker image inspect` for the images: indented JSON, or each image by a Go template.
 * @param options  `format`: the template; `docker`: the release whose output is printed; `store`: Docker's image store
 * @returns the text, and what in it is not known, and why
 * @throws InputError when nothing can be printed
 * @throws UsageError for options that contradict each other
 */
export async function inspectImages(
  archive: Archive,
  options: ImageSelection & ReadingOptions & DialectOptions & { readonly format?: string | undefined } = {},
): Promise<{ readonly text: string; readonly notes: readonly string[] }> {
  const { imageInspect, imageInspectDepth, STORE_NAMES } = await import('../commands/image-inspect.js');
  const { read, selectionIn, sourceOf } = await import('./archive.js');
  const own = { format: TEXT, docker: COUNT, store: oneOf(STORE_NAMES), api: TEXT, signal: SIGNAL };
  const wanted = selectionIn(archive, options, own);
  const { format, docker, store, api, signal } = options;
  const asked = { format, docker, store, api };
  const depth = imageInspectDepth(asked, sourceOf(archive).first);
  const reading = await read(archive, DEPTH_OF[depth], signal);
  const { stdout, notes, exitCode } = imageInspect(reading, wanted, asked);
  if (exitCode !== 0 && stdout.length === 0) throw new InputError(notes.join('; '), archive.file);
  return { text: stdout.toString(), notes };
}

const DEPTH_OF = { metadata: 'documents', digests: 'bytes', files: 'entries' } as const;

/**
 * Applies a Go template (text/template, with Docker's functions) to plain data.
 * @throws TemplateError with Go's message, for a template that does not parse or fails
 */
export async function renderTemplate(template: string, data: unknown): Promise<string> {
  checkArgument('template', template, TEXT);
  return (await import('../go/template/index.js')).renderTemplate(template, data);
}

/**
 * Explains a finding: its meaning, its severity, and what to do about it.
 * @throws UsageError for a code that does not exist
 */
export async function explainFinding(code: FindingCode): Promise<{
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The verdict that it makes false; null where it affects none. */
  readonly verdict: Verdict | null;
  readonly explanation: string;
}> {
  checkArgument('code', code, TEXT);
  const { explanationOf } = await import('../commands/explain.js');
  return explanationOf(code);
}
