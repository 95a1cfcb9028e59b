import { renderRows, showsColumn } from '../docker/list/formatter.js';
import {
  HISTORY_ROWS,
  type HistoryOptions,
  historyFormat,
  historyOf,
  historyRow,
} from '../docker/list/history.js';
import type { Dialect, DialectOptions } from '../docker/release.js';
import { sizeNotes } from '../docker/stores/sizes.js';
import type { StoredImage } from '../docker/stores/stored-image.js';
import { ambiguous, choiceList } from '../report/ambiguity.js';
import { type Answer, failed } from '../report/doc.js';
import type { ArchiveReading } from '../report/read.js';
import { noImage, OR_PLATFORM, type Selection } from '../report/select.js';

import type { Depth } from '../scan/scan.js';
import { visible } from '../visible.js';
import {
  depthFor,
  dialectOf,
  documentNotes,
  hostImage,
  storedForPlatform,
  storedImages,
} from './stored-images.js';

export interface HistoryCommandOptions extends HistoryOptions, DialectOptions {
  /** The time from which "3 years ago" is computed. Default: now. */
  readonly now?: Date | undefined;
  /**
   * True if the output goes to a terminal: hidden characters from the archive are escaped, so that they cannot make
   * lines, columns or colours.
   */
  readonly terminal?: boolean | undefined;
}

/**
 * The depth to read: only sizes need the layers' files.
 * @param known  the archive at depth `metadata`, which may not be enough
 */
export function historyDepth(options: HistoryCommandOptions, known?: ArchiveReading): Depth {
  const sized = showsColumn(historyFormat(options), 'Size');
  return depthFor(dialectOf(options).store, sized ? 'files' : 'metadata', known);
}

/**
 * `docker history` of one image; if a name has several platforms, of the one for Docker's host.
 * @throws InputError if the selection matches nothing, or several images
 */
export function history(
  reading: ArchiveReading,
  selection: Selection,
  options: HistoryCommandOptions,
): Answer {
  const dialect = dialectOf(options);
  const { store } = dialect;
  const found = storedForPlatform(reading, selection, dialect);
  if ('missing' in found) return failed(found.missing);
  const stored = theOne(reading, hostImage(found));
  const format = historyFormat(options);
  const items = historyOf(stored, store, parentsOf(reading, stored, dialect));
  const now = (options.now ?? new Date()).getTime() / 1000;
  const rendered = renderRows(
    format,
    HISTORY_ROWS,
    items.map(item => historyRow(item, options, now)),
    options.terminal === true ? visible : undefined,
  );
  if (rendered.error !== null) return failed(rendered.error);
  const notes = documentNotes(stored);
  if (showsColumn(format, 'Size')) {
    notes.push(...sizeNotes(stored, stored.image, store));
    if (items.some(item => item.size === null && item.layer === null))
      notes.push('the history has more steps with a layer than there are layers');
  }
  return { stdout: rendered.text, notes, exitCode: notes.length === 0 ? 0 : 1 };
}

function theOne(reading: ArchiveReading, images: readonly StoredImage[]): StoredImage {
  const [first, ...others] = images;
  const where = reading.opened.file;
  if (first === undefined) throw noImage(reading);
  if (others.length === 0) return first;
  const list = choiceList(
    images.map(({ id, tags, image: { platform } }) => ({ id: id ?? '(no config)', platform, names: tags })),
  );
  throw ambiguous(where, `it holds ${images.length} images`, list, OR_PLATFORM);
}

/** IDs of the parent images, if `docker save` wrote them into the archive too. */
function parentsOf(reading: ArchiveReading, stored: StoredImage, dialect: Dialect): string[] {
  if (dialect.store === 'containerd' || stored.parent === '') return [];
  const all = new Map(storedImages(reading, {}, dialect).map(image => [image.id, image.parent]));
  const parents: string[] = [];
  for (let id = stored.parent; id !== '' && !parents.includes(id); id = all.get(id) ?? '') parents.push(id);
  return parents;
}
