import type { Image } from '../link/graph.js';
import { nameText } from '../scan/entries/name.js';
import type { EntrySecret, EntryTable } from '../scan/entries/table.js';
import { secretsInCommand, secretsInVariable } from '../secrets/search.js';
import type { Secret, SecretKind } from '../secrets/secret.js';
import type { ImageConfig } from '../spec/config.js';
import { type Json, pointer } from '../spec/json.js';
import type { ImageFiles } from './hidden-files.js';

/** Where an image has a secret. Layers are indexes into the image's, base 0. */
export type SecretPlace =
  | {
      readonly in: 'file';
      readonly layer: number;
      /** In the image, without a leading slash; where the file has gone, its path when it was there. */
      readonly path: string;
      /** From 1. */
      readonly line: number;
      /** Why the final file system does not show it, and the layer that did it; null where it is to be seen. */
      readonly removed: { readonly layer: number; readonly how: 'deleted' | 'overwritten' } | null;
    }
  | { readonly in: 'env' | 'label'; readonly name: string }
  | { readonly in: 'annotation'; readonly name: string }
  /** Another text of the config document, such as a health check. */
  | { readonly in: 'config'; readonly pointer: string }
  | { readonly in: 'entrypoint' | 'cmd' }
  | {
      readonly in: 'history';
      /** Index into the config's history. */
      readonly step: number;
      /** The layer of that step; null where it made none, and where the history does not fit the layers. */
      readonly layer: number | null;
    };

/** One secret of an image, wherever the image has it. */
export interface ImageSecret {
  readonly kind: SecretKind;
  /** The name that it is assigned to at the first place; null if it is not assigned. */
  readonly name: string | null;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
  /** At least one: files by layer and entry, then variables and labels, then the history. */
  readonly places: readonly SecretPlace[];
}

/**
 * The secrets of an image, each once: in files of all layers, also those that a later layer deletes or replaces, in the
 * environment, in labels, in entrypoint and cmd, in the history with its build arguments, in any other text of the
 * config document, and in annotations of the manifest.
 *
 * @param tables  of the image's layers, read with `ContentWanted.secrets`; null for a layer that cannot be read
 * @param unpacked  what `unpack` makes of them; asked only where a file holds a secret
 */
export function secretsOf(
  { config, manifest }: Image,
  tables: readonly (EntryTable | null)[],
  unpacked: () => ImageFiles,
): ImageSecret[] {
  const list = new SecretList();
  addFiles(list, tables, unpacked);
  if (config?.parsed != null) addConfig(list, config.parsed, tables.length);
  addOtherTexts(list, config?.document?.value);
  const descriptors = manifest?.descriptors ?? [];
  for (const annotations of [
    manifest?.parsed.annotations,
    ...descriptors.map(({ descriptor }) => descriptor.annotations),
  ])
    for (const [name, value] of annotations ?? [])
      for (const secret of secretsInVariable(name, value)) list.add(secret, { in: 'annotation', name });
  return list.all();
}

class SecretList {
  private readonly byFingerprint = new Map<string, ImageSecret & { readonly places: SecretPlace[] }>();

  add({ kind, name, fingerprint }: Secret, place: SecretPlace): void {
    const known = this.byFingerprint.get(fingerprint);
    if (known === undefined)
      this.byFingerprint.set(fingerprint, { kind, name, fingerprint, places: [place] });
    else known.places.push(place);
  }

  /** The ID of an AWS key is no secret of its own where the image has the key. */
  all(): ImageSecret[] {
    const found = [...this.byFingerprint.values()];
    const hasKey = found.some(({ kind }) => kind === 'aws-access-key' || kind === 'aws-secret-key');
    return hasKey ? found.filter(({ kind }) => kind !== 'aws-access-key-id') : found;
  }
}

function addFiles(
  list: SecretList,
  tables: readonly (EntryTable | null)[],
  unpacked: () => ImageFiles,
): void {
  const found = tables.map(table => table?.contents?.secrets?.found ?? []);
  if (found.every(({ length }) => length === 0)) return;
  const whereabouts = whereaboutsOf(unpacked(), found);
  for (const [layer, secrets] of found.entries())
    for (const secret of secrets) {
      const { path, removed } = whereabouts.get(keyOf(layer, secret.index)) ?? { path: '', removed: null };
      list.add(secret, { in: 'file', layer, path, line: secret.line, removed });
    }
}

interface Whereabouts {
  readonly path: string;
  readonly removed: Extract<SecretPlace, { in: 'file' }>['removed'];
}

const keyOf = (layer: number, index: number) => `${layer}:${index}`;

/** Where each entry with a secret is in the file system, or was. */
function whereaboutsOf(
  { tree, stowaways }: ImageFiles,
  found: readonly (readonly EntrySecret[])[],
): Map<string, Whereabouts> {
  const wanted = new Set(found.flatMap((secrets, layer) => secrets.map(({ index }) => keyOf(layer, index))));
  const known = new Map<string, Whereabouts>();
  for (const { inode, path } of tree.passing) {
    const key = keyOf(inode.layer, inode.index);
    if (wanted.has(key) && !known.has(key)) known.set(key, { path: nameText(path), removed: null });
  }
  for (const { layer, index, path, hiddenBy, how } of stowaways) {
    const key = keyOf(layer, index);
    if (wanted.has(key)) known.set(key, { path: nameText(path), removed: { layer: hiddenBy, how } });
  }
  return known;
}

function addConfig(list: SecretList, { run, history }: ImageConfig, layers: number): void {
  for (const entry of run.env) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    for (const secret of secretsInVariable(name, entry.slice(name.length + 1)))
      list.add(secret, { in: 'env', name });
  }
  for (const [name, value] of run.labels)
    for (const secret of secretsInVariable(name, value)) list.add(secret, { in: 'label', name });
  for (const place of ['entrypoint', 'cmd'] as const)
    for (const secret of secretsInCommand((run[place] ?? []).join(' '))) list.add(secret, { in: place });
  const fits = history.filter(({ emptyLayer }) => !emptyLayer).length === layers;
  let layer = 0;
  for (const [step, { createdBy, emptyLayer }] of history.entries()) {
    const made = emptyLayer ? null : layer++;
    for (const secret of secretsInCommand(createdBy ?? ''))
      list.add(secret, { in: 'history', step, layer: fits ? made : null });
  }
}

/** Texts of the config that `addConfig` searches with more knowledge. */
const KNOWN_TEXTS =
  /^\/(?:config\/(?:Env|Labels|Entrypoint|Cmd)|history\/\d+\/created_by|rootfs|created|architecture|os)(?:\/|$)/i;

/**
 * Searches health checks, ONBUILD, the shell, comments, `container_config` of older Dockers, and what engines do not
 * know. A list of words is a command; a word of the form NAME=value is a variable.
 */
function addOtherTexts(list: SecretList, document: Json | undefined): void {
  const left: [string, Json][] = document === undefined ? [] : [['', document]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [at, value] = next;
    if (KNOWN_TEXTS.test(at)) continue;
    const place = { in: 'config' as const, pointer: at };
    const found = typeof value === 'string' ? secretsInText(value) : secretsInWords(value);
    for (const secret of found) list.add(secret, place);
    if (isCommand(value)) continue;
    if (typeof value !== 'object' || value === null) continue;
    const parts = Array.isArray(value) ? value.entries() : Object.entries(value);
    for (const [key, part] of parts) left.push([pointer(at, key), part]);
  }
}

const VARIABLE = /^(\w{1,200})=/;

const isCommand = (value: Json): value is string[] =>
  Array.isArray(value) && value.every(word => typeof word === 'string' && !VARIABLE.test(word));

const secretsInWords = (value: Json): Secret[] => (isCommand(value) ? secretsInCommand(value.join(' ')) : []);

function secretsInText(text: string): Secret[] {
  const variable = VARIABLE.exec(text);
  return variable === null
    ? secretsInCommand(text)
    : secretsInVariable(variable[1]!, text.slice(variable[0].length));
}
