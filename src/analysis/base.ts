import { digestKind, soundChainIds } from '../spec/digest.js';
import { isObject, type Json, typeName } from '../spec/json.js';

/** An image that others are built upon: what is needed to recognise it in them. */
export interface BaseImage {
  /** In the order of their bytes. */
  readonly names: readonly string[];
  /** os/arch[/variant]; null where its config names none. */
  readonly platform: string | null;
  /** As its config has it; null where it names no time. */
  readonly created: string | null;
  /** The chain ID of all its layers. */
  readonly chainId: string;
  /** Base first; at least one. */
  readonly diffIds: readonly string[];
}

/** The base that an image begins with, in a report. */
export interface BaseReport extends Omit<BaseImage, 'diffIds'> {
  /** How many of the image's layers are the base's. */
  readonly layers: number;
}

/** A value of the base's layers, and one of the layers above the base. */
export interface Apart<T> {
  /** The value of the base's layers. */
  readonly theirs: T;
  /** The value of the layers above the base. */
  readonly ours: T;
}

export function baseReport(base: BaseImage | null): BaseReport | null {
  if (base === null) return null;
  const { names, platform, created, chainId, diffIds } = base;
  return { names, platform, created, chainId, layers: diffIds.length };
}

/** A list of bases, as `waybill base` writes it. */
export interface BaseList {
  readonly schemaVersion: 1;
  readonly bases: readonly BaseImage[];
}

/** The diff_id of a layer: computed, or as claimed if its bytes are not known. */
export interface LayerIdentity {
  readonly diffId: string | null;
  readonly claimedDiffId: string | null;
}

export const diffIdOf = ({ diffId, claimedDiffId }: LayerIdentity): string | null => diffId ?? claimedDiffId;

/**
 * The base that an image begins with: all layers of the base are the image's first ones. Of several the one with most
 * layers, and of those one for the image's platform.
 */
export function baseOf(
  { layers, platform }: { readonly layers: readonly LayerIdentity[]; readonly platform: string | null },
  bases: readonly BaseImage[],
): BaseImage | null {
  const diffIds = layers.map(diffIdOf);
  const found = bases.filter(base => base.diffIds.every((diffId, i) => diffId === diffIds[i]));
  const rank = (base: BaseImage) => 2 * base.diffIds.length + (base.platform === platform ? 1 : 0);
  return found.reduce<BaseImage | null>(
    (best, base) => (best === null || rank(base) > rank(best) ? base : best),
    null,
  );
}

/**
 * Each image once, by its layers and its platform, with all of its names, in an order that does not depend on the
 * reading's.
 */
export function mergedBases(bases: readonly BaseImage[]): BaseImage[] {
  const merged = new Map<string, BaseImage>();
  for (const base of bases) {
    const key = `${base.chainId} ${base.platform}`;
    const names = [...new Set([...(merged.get(key)?.names ?? []), ...base.names])].sort(inBytes);
    merged.set(key, { ...base, names });
  }
  const orderOf = ({ names, platform, chainId }: BaseImage) =>
    [names[0] ?? '', platform ?? '', chainId].join('\0');
  return [...merged.values()].sort((a, b) => inBytes(orderOf(a), orderOf(b)));
}

const inBytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Reads a list of bases.
 * @returns why it is none, in place of the list: where, what was expected, what was found
 */
export function parseBases(
  text: string,
): { readonly bases: readonly BaseImage[] } | { readonly reason: string } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return {
      reason: 'expected a list of `waybill base` in JSON, found other text, or one that is cut short',
    };
  }
  if (!isObject(value))
    return { reason: `expected an object with schemaVersion and bases, found ${typeName(value)}` };
  const { schemaVersion, bases } = value;
  if (schemaVersion !== 1) {
    const found = schemaVersion === undefined ? 'none' : JSON.stringify(schemaVersion);
    return {
      reason: `expected schemaVersion 1, found ${found}: make the list again with this \`waybill base\``,
    };
  }
  if (!Array.isArray(bases)) return { reason: `/bases: expected an array, found ${typeName(bases)}` };
  const read: BaseImage[] = [];
  for (const [i, entry] of bases.entries()) {
    const base = parseBase(entry, `/bases/${i}`);
    if ('reason' in base) return base;
    read.push(base);
  }
  return { bases: read };
}

function parseBase(value: Json, at: string): BaseImage | { readonly reason: string } {
  const wrong = (key: string, expected: string, found: Json | undefined) => ({
    reason: `${at}${key}: expected ${expected}, found ${typeName(found)}`,
  });
  if (!isObject(value)) return wrong('', 'an object', value);
  const { names, platform, created, chainId, diffIds } = value;
  const isText = (one: unknown): one is string => typeof one === 'string';
  if (!Array.isArray(names) || !names.every(isText)) return wrong('/names', 'an array of strings', names);
  if (platform !== null && !isText(platform)) return wrong('/platform', 'a string or null', platform);
  if (created !== null && !isText(created)) return wrong('/created', 'a string or null', created);
  if (!Array.isArray(diffIds) || diffIds.length === 0 || !diffIds.every(isText))
    return wrong('/diffIds', 'an array of at least one string', diffIds);
  const bad = diffIds.findIndex(diffId => digestKind(diffId) === 'malformed');
  if (bad >= 0)
    return { reason: `${at}/diffIds/${bad}: expected a digest, found ${JSON.stringify(diffIds[bad])}` };
  const chain = soundChainIds(diffIds).at(-1)!;
  if (chainId !== chain)
    return {
      reason: `${at}/chainId: expected ${chain}, which its diffIds make, found ${JSON.stringify(chainId ?? null)}`,
    };
  return { names, platform, created, chainId: chain, diffIds };
}
