import { digestKind } from './digest.js';
import { type FieldProblem, Fields, type Json, pointer } from './json.js';

import type { Platform } from './platform.js';

/**
 * An image configuration, OCI or Docker, and the v1 `json` of a single layer that looks much like it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export interface ImageConfig {
  /** RFC 3339, as written. */
  readonly created: string | null;
  /** null where the config names neither an OS nor an architecture. */
  readonly platform: Platform | null;
  /** Digests of the uncompressed layer tars, base first; null where the config has no `rootfs.diff_ids`. */
  readonly diffIds: readonly string[] | null;
  readonly history: readonly HistoryEntry[];
  readonly run: RunConfig;
  readonly problems: readonly FieldProblem[];
}

export interface HistoryEntry {
  readonly created: string | null;
  readonly createdBy: string | null;
  readonly comment: string | null;
  /** No layer belongs to this entry. */
  readonly emptyLayer: boolean;
}

/** How a container of the image runs: the `config` object. */
export interface RunConfig {
  readonly user: string | null;
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  readonly env: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

const KEYS = 'created author architecture os os.version os.features variant config rootfs history'.split(' ');
const ROOTFS_KEYS = ['type', 'diff_ids'];
const HISTORY_KEYS = ['created', 'created_by', 'author', 'comment', 'empty_layer'];
const RUN_KEYS =
  'User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal Healthcheck OnBuild Shell'.split(
    ' ',
  );

/** @param oci  whether the media type is OCI's: its specification requires what Docker's leaves open */
export function parseConfig(value: Json, oci = false): ImageConfig | null {
  const problems: FieldProblem[] = [];
  const fields = Fields.of(value, '', problems);
  if (fields === null) return null;
  fields.checkCase(KEYS);
  const rootfs = fields.object('rootfs');
  rootfs?.checkCase(ROOTFS_KEYS);
  if (oci) checkRequired(fields);
  checkTime(fields, 'created');
  return {
    created: fields.string('created'),
    platform: parseConfigPlatform(fields),
    diffIds: rootfs === null ? null : parseDiffIds(rootfs),
    history: (fields.array('history') ?? []).map((entry, i) => parseHistory(entry, i, problems)),
    run: parseRun(fields.object('config')),
    problems,
  };
}

function checkRequired(fields: Fields): void {
  fields.string('architecture', 'required');
  fields.string('os', 'required');
  const type = fields.object('rootfs', 'required')?.string('type', 'required') ?? null;
  if (type !== null && type !== 'layers') fields.problem('/rootfs/type', '"layers"', JSON.stringify(type));
}

const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Whether a text has the form of a time in RFC 3339, section 5.6. Go reads a little more and a little less:
 * src/go/time.ts.
 */
export const isRfc3339 = (text: string): boolean => TIME.test(text);

function checkTime(fields: Fields, key: string): void {
  const time = fields.string(key);
  if (time !== null && !isRfc3339(time))
    fields.problem(`/${key}`, 'a time as in RFC 3339', JSON.stringify(time));
}

function parseConfigPlatform(fields: Fields): Platform | null {
  const os = fields.string('os');
  const architecture = fields.string('architecture');
  if (!os && !architecture) return null;
  return {
    os: os ?? '',
    architecture: architecture ?? '',
    variant: fields.string('variant') || null,
    osVersion: fields.string('os.version') || null,
  };
}

function parseDiffIds(rootfs: Fields): readonly string[] | null {
  const diffIds = rootfs.strings('diff_ids');
  diffIds?.forEach((diffId, i) => {
    if (digestKind(diffId) === 'malformed') {
      rootfs.problem(
        pointer('/rootfs/diff_ids', i),
        'a digest such as sha256:<64 hex digits>',
        JSON.stringify(diffId),
      );
    }
  });
  return diffIds;
}

function parseHistory(value: Json, index: number, problems: FieldProblem[]): HistoryEntry {
  const entry = Fields.of(value, pointer('/history', index), problems);
  entry?.checkCase(HISTORY_KEYS);
  return {
    created: entry?.string('created') ?? null,
    createdBy: entry?.string('created_by') ?? null,
    comment: entry?.string('comment') ?? null,
    emptyLayer: entry?.boolean('empty_layer') ?? false,
  };
}

function parseRun(run: Fields | null): RunConfig {
  run?.checkCase(RUN_KEYS);
  return {
    user: run?.string('User') ?? null,
    entrypoint: stringOrList(run, 'Entrypoint'),
    cmd: stringOrList(run, 'Cmd'),
    env: run?.strings('Env') ?? [],
    labels: run?.stringMap('Labels') ?? new Map(),
  };
}

/** Docker before 1.3 wrote a bare string where a list belongs, and its Go type still accepts both. */
function stringOrList(run: Fields | null, key: string): readonly string[] | null {
  const value = run?.any(key);
  return typeof value === 'string' ? [value] : (run?.strings(key) ?? null);
}

/**
 * The history entries that made a layer, in layer order. Entries marked `empty_layer` made none.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md (history)
 */
export function layerHistory(config: ImageConfig): HistoryEntry[] {
  return config.history.filter(entry => !entry.emptyLayer);
}
