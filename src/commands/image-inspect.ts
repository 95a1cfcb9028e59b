import { type Inspected, inspectImage } from '../docker/inspect.js';
import type { Dialect, DialectOptions } from '../docker/release.js';
import { inspectSize, sizeNotes } from '../docker/stores/sizes.js';
import type { StoredImage } from '../docker/stores/stored-image.js';
import { InputError } from '../errors.js';
import { attempt } from '../go/template/errors.js';
import { decode, encodeJson, execute, parseTemplate, rootFields } from '../go/template/index.js';
import { ANY, sliceOf, value } from '../go/template/types.js';
import { limitText } from '../limits.js';
import type { ConfigNode } from '../link/graph.js';
import { ambiguous } from '../report/ambiguity.js';
import { type Answer, failed } from '../report/doc.js';
import type { ArchiveReading } from '../report/read.js';
import { imageIdOf } from '../report/report.js';
import { listOf, noImage, OR_PLATFORM, type Selection, selectImages } from '../report/select.js';
import { notJsonText } from '../scan/blob/document.js';
import type { Depth } from '../scan/scan.js';
import { jsonOddities } from '../spec/json-text.js';
import { visible } from '../visible.js';
import { depthFor, dialectOf, documentNotes, hostImage, storedForPlatform } from './stored-images.js';

export { STORE_NAMES } from '../docker/release.js';

export interface ImageInspectOptions extends DialectOptions {
  /** A Go template, or `json` for one line. Default: indented JSON. */
  readonly format?: string | undefined;
  /**
   * True if the output goes to a terminal: hidden characters from the archive are escaped, so that they cannot make
   * lines, columns or colours.
   */
  readonly terminal?: boolean | undefined;
}

/** One image per reference; all images of the archive if there is no selection. */
export interface InspectSelection extends Selection {
  readonly refs?: readonly string[] | undefined;
}

/**
 * The depth to read: only the disk usage of layers needs their files, and containerd's store shows it since Docker 29.
 * @param known  the archive at depth `metadata`, which may not be enough
 */
export function imageInspectDepth(options: ImageInspectOptions, known?: ArchiveReading): Depth {
  const dialect = dialectOf(options);
  return depthFor(
    dialect.store,
    measures(dialect) && needsSize(options.format) ? 'files' : 'metadata',
    known,
  );
}

const measures = ({ store, words }: Dialect) => store !== 'containerd' || words === 29;

function needsSize(format: string | undefined): boolean {
  if (isJson(format)) return true;
  const { value: fields, error } = attempt(() => rootFields(parseTemplate(format!)));
  return error === null && (fields === null || fields.has('Size') || fields.has('VirtualSize'));
}

const isJson = (format: string | undefined) => format === undefined || format === '' || format === 'json';

/**
 * `docker image inspect`.
 * @throws InputError if there is no image, the selection matches nothing, or a reference matches several images
 */
export function imageInspect(
  reading: ArchiveReading,
  selection: InspectSelection,
  options: ImageInspectOptions,
): Answer {
  const broken = isJson(options.format) ? null : attempt(() => parseTemplate(options.format!)).error;
  if (broken !== null) return failed(`template parsing error: ${broken.message}`);
  const dialect = dialectOf(options);
  const { images, notes } = choose(reading, selection, dialect);
  if (images.length === 0) return failed(...notes);
  const wanted = needsSize(options.format);
  const inspected = images.map(image => {
    const size = wanted ? inspectSize(image, dialect) : null;
    notes.push(...documentNotes(image));
    if (wanted && measures(dialect)) notes.push(...sizeNotes(image, image.image, dialect.store));
    return inspectImage(image, dialect, size);
  });
  const stdout = isJson(options.format)
    ? asJson(inspected, options.format === 'json', dialect)
    : asTemplate(inspected, options, notes);
  return { stdout, notes, exitCode: notes.length === 0 ? 0 : 1 };
}

/** With several references, those that match are shown and the others are reported. */
function choose(reading: ArchiveReading, selection: InspectSelection, dialect: Dialect) {
  const { ref, platform, position, refs = ref === undefined ? [] : [ref] } = selection;
  const images: StoredImage[] = [];
  const notes: string[] = [];
  for (const one of refs.length === 0 ? [undefined] : refs) {
    try {
      const found = storedForPlatform(reading, { ref: one, platform, position }, dialect);
      if ('missing' in found) notes.push(found.missing);
      else images.push(...(one === undefined ? found : hostImage(found)));
    } catch (error) {
      if (refs.length < 2 || !(error instanceof InputError)) throw error;
      notes.push(error.message);
    }
  }
  if (images.length === 0 && notes.length === 0) throw noImage(reading);
  return { images, notes };
}

/** Up to Docker 28 the daemon escaped HTML characters in JSON. */
function asJson(inspected: readonly Inspected[], compact: boolean, { words }: Dialect): string {
  const all = value(
    sliceOf(ANY),
    inspected.map(({ written }) => written),
  );
  return `${encodeJson(all, compact ? undefined : '    ', words === 28)}\n`;
}

/** Parses JSON as Docker's client does; numbers keep their spelling. */
function decodedAgain(json: string): unknown {
  const texts = jsonOddities(json, Number.POSITIVE_INFINITY)?.numbers;
  return decode(ANY, JSON.parse(json), { numbers: 'json.Number', texts });
}

/**
 * A template is first executed on Docker's typed answer. If that fails, it is executed on the daemon's JSON, where an
 * absent key is an error too. docker/cli cli/command/inspect/inspector.go
 */
function asTemplate(
  inspected: readonly Inspected[],
  { format, terminal }: ImageInspectOptions,
  notes: string[],
): string {
  const template = parseTemplate(format!);
  const guard = terminal === true ? visible : undefined;
  return inspected
    .map(({ typed, written }) => {
      const first = attempt(() => execute(template, typed, { guard }));
      if (first.error === null) return `${first.value}\n`;
      const raw = value(ANY, decodedAgain(encodeJson(written)));
      const second = attempt(() => execute(template, raw, { missingKey: 'error', guard }));
      if (second.error === null) return `${second.value}\n`;
      const note = `template parsing error: ${second.error.message}`;
      // An error in a template is the same for every image.
      if (!notes.includes(note)) notes.push(note);
      return '';
    })
    .join('');
}

/**
 * `waybill config --raw`: the stored bytes of an image's config, whose sha256 is the image's ID.
 * @throws InputError if the selection matches several images, or one whose config cannot be read
 */
export function rawConfig(reading: ArchiveReading, selection: Selection): Answer {
  const file = reading.opened.file;
  const images = [...selectImages(reading, selection)];
  const documents = new Map(images.map(image => [imageIdOf(image) ?? image.v1Id ?? image.at.path, image]));
  if (documents.size > 1) {
    const list = listOf([...documents.values()]);
    throw ambiguous(file, `it holds the configs of ${documents.size} images`, list, OR_PLATFORM);
  }
  const [image] = images;
  if (image === undefined) throw noImage(reading);
  const { config } = image;
  const bytes = config?.document?.bytes ?? null;
  if (bytes === null) {
    throw new InputError(`the config of the image cannot be printed: ${whyNone(config)}`, file);
  }
  return { stdout: bytes, notes: [], exitCode: 0 };
}

function whyNone(config: ConfigNode | null): string {
  if (config === null) return 'the manifest names none';
  const { path, member, document } = config;
  if (member === null) return `${path} is not in the archive`;
  const error = document?.error ?? null;
  if (error?.kind === 'limit') return `${path}: ${limitText({ ...error, seen: error.actual })}`;
  if (error?.kind === 'not-json') return `${path} cannot be read: ${notJsonText(error)}`;
  return `${path} cannot be read: ${error?.reason ?? 'it is no JSON'}`;
}
