import { foldKey, isObject, type Json, type JsonObject } from '../../spec/json.js';
import { NO_NUMBERS, type NumberTexts } from '../../spec/json-text.js';
import { wellFormed } from '../template/text.js';
import { type Fault, type FaultPlace, hashFault, timeFault } from './faults.js';
import type { GoField, GoStruct, GoType } from './types.js';

/** A document as a Go struct takes it. */
export interface Decoded {
  /** Only keys that the struct knows, as it spells them; what is null or has the wrong type is left out. */
  readonly value: Json;
  /** Why Go refuses the document, in its order; empty where it takes it. */
  readonly faults: readonly Fault[];
}

/** Most faults that are kept of one document. */
const KEPT = 1000;

/**
 * encoding/json's Unmarshal: keys match whatever their case, and of several that match one field each is decoded on top
 * of the one before; unknown keys are ignored; a value of a wrong type is passed over, and told at the end.
 * https://pkg.go.dev/encoding/json#Unmarshal
 */
export function decodeAs(type: GoType, json: Json, numbers: NumberTexts): Decoded {
  const decoder = new Decoder();
  const value = decoder.value(type, json, numbers, null, undefined);
  return { value: value ?? null, faults: decoder.faults };
}

type Texts = string | NumberTexts | undefined;

class Decoder {
  readonly faults: Fault[] = [];

  /** @param old  what the field holds already. @returns what it holds then; undefined is its zero value */
  value(
    type: GoType,
    json: Json,
    texts: Texts,
    at: FaultPlace | null,
    old: Json | undefined,
  ): Json | undefined {
    if (json === null) return this.null(type, at, old);
    switch (type.kind) {
      case 'string':
        return typeof json === 'string' ? wellFormed(json) : this.wrong(type, json, at, old);
      case 'bool':
        return typeof json === 'boolean' ? json : this.wrong(type, json, at, old);
      case 'int':
        return this.int(type, json, texts, at, old);
      case 'time':
      case 'hash':
        return this.checked(type, json, at, old);
      case 'bytes':
        return this.bytes(type, json, at, old);
      case 'words':
        return this.words(type, json, at, old);
      case 'pointer':
        return this.value(type.of, json, texts, at, old ?? undefined);
      case 'list':
        return Array.isArray(json)
          ? json.map((item, i) =>
              // A list has room for a million names, each of which would have a place of its own.
              type.of.kind === 'string' && typeof item === 'string'
                ? wellFormed(item)
                : this.item(type.of, item, texts, { at, segment: i }),
            )
          : this.wrong(type, json, at, old);
      case 'map':
        return isObject(json) ? this.map(type, json, texts, at, old) : this.wrong(type, json, at, old);
      case 'struct':
        return isObject(json) ? this.struct(type, json, texts, at, old) : this.wrong(type, json, at, old);
      default:
        if (type.kind === 'any') this.floats(texts, at);
        return json;
    }
  }

  private null(type: GoType, at: FaultPlace | null, old: Json | undefined): Json | undefined {
    if (type.kind === 'hash') this.add({ at, kind: 'hash', fatal: true, words: hashFault('')!, wrong: null });
    if (type.kind === 'raw') return null;
    return 'string int bool time hash struct'.split(' ').includes(type.kind) ? old : undefined;
  }

  private item(type: GoType, json: Json, texts: Texts, place: Omit<FaultPlace, 'field' | 'of'>): Json {
    const at = { ...place, field: null, of: null };
    return this.value(type, json, below(texts, place.segment), at, undefined) ?? zero(type);
  }

  private int(type: GoType, json: Json, texts: Texts, at: FaultPlace | null, old: Json | undefined) {
    if (typeof json !== 'number') return this.wrong(type, json, at, old);
    const text = typeof texts === 'string' ? texts : String(json);
    if (/^-?\d+$/.test(text) && isInt64(BigInt(text))) return json;
    return this.wrong(type, json, at, old, text);
  }

  /** Types that look at their own text: what they say ends the decoding. */
  private checked(type: GoType, json: Json, at: FaultPlace | null, old: Json | undefined): Json | undefined {
    if (type.kind === 'hash' && typeof json !== 'string')
      return this.wrong({ kind: 'string', name: 'string' }, json, at, old, null, true);
    const words = type.kind === 'hash' ? hashFault(wellFormed(json as string)) : timeFault(json);
    if (words === null) return json;
    this.add({ at, kind: type.kind, fatal: true, words, wrong: null });
    return old;
  }

  private bytes(type: GoType, json: Json, at: FaultPlace | null, old: Json | undefined): Json | undefined {
    if (Array.isArray(json)) return json.map((item, i) => this.byte(item, { at, segment: i }));
    if (typeof json !== 'string') return this.wrong(type, json, at, old);
    const text = json.replace(/[\r\n]/g, '');
    const bad = /[^A-Za-z0-9+/]/.exec(text.replace(/={0,2}$/, ''))?.index;
    if (bad === undefined && text.length % 4 === 0) return json;
    const words = `illegal base64 data at input byte ${bad ?? text.length - (text.length % 4)}`;
    this.add({ at, kind: 'bytes', fatal: false, words, wrong: { actual: 'string', number: null, of: type } });
    return old;
  }

  private byte(json: Json, place: Omit<FaultPlace, 'field' | 'of'>): Json {
    if (json === null || (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json < 256))
      return json ?? 0;
    const number = typeof json === 'number' ? String(json) : null;
    this.wrong({ kind: 'int', name: 'uint8' }, json, { ...place, field: null, of: null }, 0, number);
    return 0;
  }

  private words(type: GoType, json: Json, at: FaultPlace | null, old: Json | undefined): Json | undefined {
    if (typeof json === 'string') return [wellFormed(json)];
    const isList = Array.isArray(json) && json.every(item => item === null || typeof item === 'string');
    if (isList) return json.map(item => (typeof item === 'string' ? wellFormed(item) : ''));
    return this.wrong({ ...type, name: 'string' }, json, at, old, null, true);
  }

  private map(
    type: GoType & { readonly kind: 'map' },
    json: JsonObject,
    texts: Texts,
    at: FaultPlace | null,
    old: Json | undefined,
  ): JsonObject {
    const entries = isObject(old) ? Object.entries(old) : [];
    for (const [key, item] of Object.entries(json)) {
      const place = { at, segment: key };
      entries.push([wellFormed(key), this.item(type.of, item, texts, place)]);
      const bad = type.key.kind === 'hash' ? hashFault(key) : null;
      if (bad !== null)
        this.add({
          at: { ...place, field: null, of: null },
          kind: 'hash',
          fatal: true,
          words: bad,
          wrong: null,
        });
    }
    return Object.fromEntries(entries);
  }

  private struct(
    type: GoStruct,
    json: JsonObject,
    texts: Texts,
    at: FaultPlace | null,
    old: Json | undefined,
  ): JsonObject {
    const held: JsonObject = isObject(old) ? { ...old } : {};
    for (const [key, item] of Object.entries(json)) {
      const found = fieldOf(type, key);
      if (found === undefined) continue;
      const [name, { type: wanted }] = found;
      const place = { at, segment: key, field: found, of: type };
      const value = this.value(wanted, item, below(texts, key), place, held[name]);
      if (value === undefined) delete held[name];
      else held[name] = value;
    }
    return held;
  }

  /** In what is kept as it is, a number has to be one of those that a float64 holds. */
  private floats(texts: Texts, at: FaultPlace | null): void {
    if (texts === undefined) return;
    if (typeof texts !== 'string') {
      for (const [segment, inner] of texts) this.floats(inner, { at, segment, field: null, of: null });
      return;
    }
    if (Number.isFinite(Number(texts))) return;
    this.add({
      at,
      kind: 'any',
      fatal: false,
      words: null,
      wrong: { actual: 'number', number: texts, of: FLOAT64 },
    });
  }

  private wrong(
    type: GoType,
    json: Json,
    at: FaultPlace | null,
    old: Json | undefined,
    number: string | null = null,
    fatal = false,
  ): Json | undefined {
    const wrong = { actual: goKind(json), number, of: type };
    this.add({ at, kind: type.kind, fatal, words: null, wrong, inner: fatal });
    return old;
  }

  private add(fault: Fault): void {
    if (this.faults.length < KEPT || (fault.fatal && !this.faults.some(({ fatal }) => fatal)))
      this.faults.push(fault);
  }
}

/** The element of a list or map for a value that Go could not decode, or for null. */
function zero({ kind }: GoType): Json {
  if (kind === 'string' || kind === 'time' || kind === 'hash') return '';
  if (kind === 'int') return 0;
  return kind === 'bool' ? false : kind === 'struct' ? {} : null;
}

const FLOAT64: GoType = { kind: 'any', name: 'float64' };

const below = (texts: Texts, segment: string | number): Texts =>
  texts === undefined || texts === NO_NUMBERS || typeof texts === 'string' ? undefined : texts.get(segment);

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

/** Go's word for a JSON type. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

type Named = readonly [name: string, field: GoField];

const folded = new WeakMap<GoStruct, ReadonlyMap<string, Named>>();

function fieldOf(type: GoStruct, key: string): Named | undefined {
  const exact = type.fields.get(key);
  if (exact !== undefined) return [key, exact];
  let names = folded.get(type);
  if (names === undefined) {
    names = new Map([...type.fields].map(([name, field]) => [foldKey(name), [name, field]]));
    folded.set(type, names);
  }
  return names.get(foldKey(key));
}
