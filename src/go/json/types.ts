/**
 * The Go structs into which engines decode documents, as data: for each, which keys it knows and what types they must
 * have. The part of Go's types that decides whether encoding/json accepts a value, and the names in its errors.
 */
export type GoType =
  | { readonly kind: 'string' | 'int' | 'bool' | 'time' | 'hash'; readonly name: string }
  /** Any value, kept as it is: `any`, and json.RawMessage, which keeps null too. */
  | { readonly kind: 'any' | 'raw'; readonly name: string }
  | { readonly kind: 'bytes'; readonly name: string }
  /** strslice.StrSlice: a list of strings, or one string. */
  | { readonly kind: 'words'; readonly name: string }
  | { readonly kind: 'list'; readonly name: string; readonly of: GoType }
  | { readonly kind: 'map'; readonly name: string; readonly of: GoType; readonly key: GoType }
  | { readonly kind: 'pointer'; readonly name: string; readonly of: GoType }
  | GoStruct;

export interface GoStruct {
  readonly kind: 'struct';
  readonly name: string;
  /** By the key in JSON, in Go's order. */
  readonly fields: ReadonlyMap<string, GoField>;
}

export interface GoField {
  readonly type: GoType;
  /** The embedded structs through which the field is reached, outermost first. */
  readonly via: readonly string[];
}

type Fields = Readonly<Record<string, GoType>>;

export const STRING: GoType = { kind: 'string', name: 'string' };
export const INT: GoType = { kind: 'int', name: 'int' };
export const INT64: GoType = { kind: 'int', name: 'int64' };
export const BOOL: GoType = { kind: 'bool', name: 'bool' };
export const ANY: GoType = { kind: 'any', name: 'interface {}' };
export const RAW: GoType = { kind: 'raw', name: 'json.RawMessage' };
export const TIME: GoType = { kind: 'time', name: 'time.Time' };
/** go-containerregistry's digest, which checks itself as it is decoded. */
export const HASH: GoType = { kind: 'hash', name: 'v1.Hash' };
export const BYTES: GoType = { kind: 'bytes', name: '[]uint8' };
export const DIGEST: GoType = { kind: 'string', name: 'digest.Digest' };
export const DURATION: GoType = { kind: 'int', name: 'time.Duration' };

export const list = (of: GoType, name = `[]${of.name}`): GoType => ({ kind: 'list', name, of });
export const map = (of: GoType, key: GoType = STRING, name = `map[${key.name}]${of.name}`): GoType => {
  return { kind: 'map', name, of, key };
};
export const pointer = (of: GoType): GoType => ({ kind: 'pointer', name: of.name, of });
export const words = (name: string): GoType => ({ kind: 'words', name });

export const STRINGS = list(STRING);
export const STRING_MAP = map(STRING);

/** @param embedded  by the name of the struct that is embedded, whose fields count as the struct's own */
export function struct(name: string, own: Fields, embedded: Readonly<Record<string, GoType>> = {}): GoStruct {
  const fields = new Map<string, GoField>();
  for (const [inner, type] of Object.entries(embedded)) {
    if (type.kind !== 'struct') continue;
    for (const [key, field] of type.fields) fields.set(key, { ...field, via: [inner, ...field.via] });
  }
  for (const [key, type] of Object.entries(own)) fields.set(key, { type, via: [] });
  return { kind: 'struct', name, fields };
}

export const EMPTY_STRUCT = struct('struct {}', {});
export const SET = map(EMPTY_STRUCT);
