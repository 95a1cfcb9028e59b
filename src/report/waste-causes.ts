import { CACHE_RULES, type WastedFile } from '../analysis/waste.js';
import { nameText } from '../scan/entries/name.js';

/** A wasted file as plain data. Paths without a leading slash; layers are indexes into the image's layers. */
export interface WastedFileReport {
  readonly path: string;
  readonly bytes: number;
  readonly kind: WastedFile['kind'];
  /** The layer that ships it. */
  readonly layer: number;
  /** The layer that overwrote or deleted it; null for a visible file. */
  readonly hiddenBy: number | null;
  /** Overwritten with the same bytes. */
  readonly metadataOnly: boolean;
  /** For a duplicate, the first file with this content; otherwise null. */
  readonly copyOf: string | null;
  /** For `cached`, the description of the cache; otherwise null. */
  readonly rule: string | null;
}

export function wastedFileReport(file: WastedFile): WastedFileReport {
  const { path, bytes, kind, layer } = file;
  const isHidden = kind === 'overwritten' || kind === 'deleted';
  return {
    path: nameText(path),
    bytes,
    kind,
    layer,
    hiddenBy: isHidden ? file.hiddenBy : null,
    metadataOnly: isHidden && file.metadataOnly,
    copyOf: kind === 'duplicated' ? nameText(file.copyOf) : null,
    rule: kind === 'cached' ? file.rule.name : null,
  };
}

/** Wasted files that have one cause and one remedy. */
export interface WasteCause {
  /** The kind of waste, in words that follow a place. */
  readonly what: string;
  /** How to write the image without it. */
  readonly instead: string;
  readonly bytes: number;
  readonly files: number;
  /** The file, or the directory that contains all of them, with a leading slash. */
  readonly place: string;
  /** The layers that ship the files, sorted. */
  readonly layers: readonly number[];
  readonly kind: WastedFile['kind'];
  /** The layer that overwrote or deleted them; null for visible files. */
  readonly hiddenBy: number | null;
}

interface Group {
  readonly files: WastedFileReport[];
  bytes: number;
}

/**
 * Groups wasted files by cause, the one that costs most first.
 *
 * @param instructions  of the image's layers, as a Dockerfile has them
 */
export function wasteCauses(
  files: readonly WastedFileReport[],
  instructions: readonly string[],
): WasteCause[] {
  const groups = new Map<string, Group>();
  for (const file of files) {
    const { kind, layer, hiddenBy, metadataOnly, copyOf, rule } = file;
    const key = JSON.stringify(rule ?? copyOf ?? [kind, layer, hiddenBy, metadataOnly]);
    const group = groups.get(key) ?? { files: [], bytes: 0 };
    groups.set(key, group);
    group.files.push(file);
    group.bytes += file.bytes;
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes).map(group => causeOf(group, instructions));
}

function causeOf({ files, bytes }: Group, instructions: readonly string[]): WasteCause {
  const file = files[0]!;
  return {
    what: WHAT[file.kind](file),
    instead: remedyOf(file, instructions),
    bytes,
    files: files.length,
    place: files.length === 1 ? `/${file.path}` : commonDirectory(files),
    layers: [...new Set(files.map(({ layer }) => layer))].sort((a, b) => a - b),
    kind: file.kind,
    hiddenBy: file.hiddenBy,
  };
}

function commonDirectory(files: readonly WastedFileReport[]): string {
  let common = files[0]!.path.split('/').slice(0, -1);
  for (const { path } of files) {
    const segments = path.split('/').slice(0, -1);
    const differs = common.findIndex((segment, i) => segment !== segments[i]);
    if (differs >= 0) common = common.slice(0, differs);
  }
  return `/${common.join('/')}`;
}

const WHAT: Readonly<Record<WastedFile['kind'], (file: WastedFileReport) => string>> = {
  overwritten: ({ metadataOnly }) => (metadataOnly ? 'overwritten with the same bytes' : 'overwritten'),
  deleted: () => 'deleted, and still shipped',
  duplicated: ({ copyOf }) => `the same as /${copyOf}`,
  cached: ({ rule }) => cacheRuleNamed(rule)?.what ?? 'caches',
};

const cacheRuleNamed = (name: string | null) => CACHE_RULES.find(rule => rule.name === name);

/** Commands that write a file to another layer for its mode, owner or time alone. */
const CHANGES_METADATA = /\b(?:chown|chmod|chgrp|setfacl|touch)\b/;

function remedyOf(
  { kind, rule, metadataOnly, layer, hiddenBy }: WastedFileReport,
  instructions: readonly string[],
): string {
  const isCopied = /^(?:COPY|ADD) /.test(instructions[layer] ?? '');
  if (kind === 'cached') return cacheRuleNamed(rule)?.instead ?? '';
  if (kind === 'duplicated') return 'keep one and link to it (ln -s)';
  if (layer === hiddenBy)
    return 'the layer has two entries of this name, of which the last counts: change the tool that wrote it';
  if (kind === 'deleted') {
    return isCopied
      ? 'do not copy it (.dockerignore), or copy into a stage of its own and COPY --from what is needed'
      : 'delete it in the RUN that makes it, or make it in a stage of its own';
  }
  const setAtOnce = isCopied
    ? 'set mode and owner where it is added: COPY --chmod=… --chown=…'
    : 'set mode and owner in the RUN that makes it';
  if (metadataOnly) return setAtOnce;
  const change = 'change it where it is added, so that it ships once';
  const mayBeMetadata = hiddenBy !== null && CHANGES_METADATA.test(instructions[hiddenBy] ?? '');
  return mayBeMetadata ? `${change}; if only mode or owner change, ${setAtOnce}` : change;
}
