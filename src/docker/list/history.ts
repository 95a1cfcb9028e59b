import { field, listField, textField } from '../../decoding/go-json.js';
import { rfc3339, unixSeconds } from '../../go/time.js';
import { humanDuration, humanSize, LONGEST_DURATION } from '../../go/units.js';
import type { Layer } from '../../link/graph.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { configOf } from '../inspect.js';
import { diskSize } from '../stores/sizes.js';
import type { Store, StoredImage } from '../stores/stored-image.js';
import { ellipsis, type Row, type RowKind, shortId } from './formatter.js';

/** A step in the making of an image; newest first in what Docker prints. */
export interface HistoryItem {
  readonly id: string;
  /** Seconds since 1970; 0 where the config does not say. */
  readonly created: number;
  readonly createdBy: string;
  readonly comment: string;
  /** Bytes; 0 for a step without a layer, null where it is not known. */
  readonly size: number | null;
  readonly layer: Layer | null;
}

export const MISSING = '<missing>';

/**
 * The steps, newest first. An entry that is not marked `empty_layer` takes the next layer, and where there is none any
 * more its size is not known. moby daemon/images/image_history.go, daemon/containerd/image_history.go
 * @param parents  IDs of the parent images that the archive holds too, nearest first
 */
export function historyOf(stored: StoredImage, store: Store, parents: readonly string[]): HistoryItem[] {
  const items = stored.image.kind === 'v1' ? v1Steps(stored, store) : steps(stored, store);
  const ids = [stored.wholeId ?? MISSING, ...parents];
  return items
    .reverse()
    .map((item, i) => (stored.image.kind === 'v1' ? item : { ...item, id: ids[i] ?? MISSING }));
}

function steps(stored: StoredImage, store: Store): HistoryItem[] {
  const layers = stored.image.layers[Symbol.iterator]();
  return listField(configOf(stored), 'history').map(entry => {
    const step: JsonObject = isObject(entry) ? entry : {};
    const empty = field(step, 'empty_layer') === true;
    const layer = empty ? null : (layers.next().value ?? null);
    const size = layer === null ? (empty ? 0 : null) : diskSize(stored, stored.image, layer, store);
    return {
      id: MISSING,
      created: unixSeconds(textField(step, 'created')) ?? 0,
      createdBy: textField(step, 'created_by'),
      comment: textField(step, 'comment'),
      size,
      layer,
    };
  });
}

/** Before image IDs each layer was an image, and told its own story. moby image/v1/imagev1.go (HistoryFromConfig) */
function v1Steps(stored: StoredImage, store: Store): HistoryItem[] {
  const { scan, image } = stored;
  return image.layers.map(layer => {
    const json = scan.file(layer.at.path);
    const value: Json | undefined = json === null ? undefined : scan.document(json).value;
    const document: JsonObject = isObject(value) ? value : {};
    const made = own(document, 'container_config');
    const command = isObject(made) ? listField(made, 'Cmd').map(String) : [];
    return {
      id: layer.v1Id ?? MISSING,
      created: unixSeconds(textField(document, 'created')) ?? 0,
      createdBy: command.join(' '),
      comment: textField(document, 'comment'),
      size: diskSize(stored, image, layer, store),
      layer,
    };
  });
}

export interface HistoryOptions {
  readonly format?: string | undefined;
  readonly noTrunc: boolean;
  readonly quiet: boolean;
  /** Sizes and times for people. */
  readonly human: boolean;
}

/** docker/cli cli/command/image/formatter_history.go */
export const HISTORY_ROWS: RowKind = {
  goType: 'image.historyContext',
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
};

export function historyFormat({ format, quiet, human }: HistoryOptions): string {
  if (format !== undefined && format !== '' && format !== 'table') return format;
  if (quiet) return '{{.ID}}';
  const created = human ? 'CreatedSince' : 'CreatedAt';
  return `table {{.ID}}\t{{.${created}}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`;
}

/** Dates before the year 2000 are taken for none. */
const EPOCH = Date.UTC(2000, 0, 1) / 1000;

/** @param now  seconds since 1970 */
export function historyRow(item: HistoryItem, { noTrunc, human }: HistoryOptions, now: number): Row {
  const createdAt = rfc3339(item.created);
  const createdBy = item.createdBy.replaceAll('\t', ' ');
  return {
    ID: noTrunc ? item.id : shortId(item.id),
    CreatedAt: createdAt,
    CreatedSince: human ? (item.created <= EPOCH ? 'N/A' : ago(item.created, now)) : createdAt,
    CreatedBy: noTrunc ? createdBy : ellipsis(createdBy, 45),
    Size: item.size === null ? 'N/A' : human ? humanSize(item.size, 3) : String(item.size),
    Comment: item.comment,
  };
}

/** @param now  seconds since 1970 */
export const ago = (created: number, now: number) =>
  `${humanDuration(Math.min(now - created, LONGEST_DURATION))} ago`;
