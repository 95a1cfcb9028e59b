import type { Action, Operand, Pipeline, Template } from './parse.js';

/**
 * Go's types, as far as a template can tell them apart: what `%T` and `%v` print, which fields there are, and how
 * encoding/json writes a value. https://pkg.go.dev/reflect
 *
 * A value is told by its type and a raw JavaScript value beneath it:
 *
 * | kind | raw |
 * |---|---|
 * | bool, string, float | `boolean`, `string`, `number` |
 * | int, uint | `number` (safe integers) or `bigint` |
 * | slice | `readonly unknown[]` of raws of `elem`, or null (a nil slice) |
 * | map | `ReadonlyMap<raw of key, raw of elem>`, or null (a nil map) |
 * | pointer | raw of `elem`, or null (nil) |
 * | struct | an object by Go's field names; a field that is absent has its zero value |
 * | any | a `Value`, or null (nil) |
 * | time | RFC 3339 text; empty for the zero time |
 * | complex | `{ re, im }` |
 */
export type Type =
  | (Named & { readonly kind: 'bool' })
  | (Named & { readonly kind: 'string' })
  | (Named & { readonly kind: 'int'; readonly bits: 0 | 8 | 16 | 32 | 64 })
  | (Named & { readonly kind: 'uint'; readonly bits: 0 | 8 | 16 | 32 | 64 })
  | (Named & { readonly kind: 'float'; readonly bits: 32 | 64 })
  | (Named & { readonly kind: 'slice'; readonly elem: Type })
  | (Named & {
      readonly kind: 'map';
      readonly key: Type;
      readonly elem: Type;
      /** encoding/json would sort the keys; this map keeps them as they came. */
      readonly ordered?: boolean;
    })
  | { readonly kind: 'pointer'; readonly elem: Type }
  | StructType
  | { readonly kind: 'any' }
  /** `complex128`: what the constant `2i` of a template is. */
  | { readonly kind: 'complex' }
  /** `time.Time`: printed by its String method, written to JSON as RFC 3339. */
  | { readonly kind: 'time' };

export interface Named {
  /** With its package, as `%T` prints it: `digest.Digest`. */
  readonly name?: string;
  /** Niladic methods that templates may call and, as `String`, that printing uses. They get the raw value. */
  readonly methods?: Readonly<Record<string, (raw: never) => Value>>;
}

export interface StructType {
  readonly kind: 'struct';
  /** With its package, as `%T` prints it: `image.InspectResponse`; `struct {}` for the anonymous empty one. */
  readonly name: string;
  readonly fields: readonly Field[];
  /** As in `Named`; they get the raw struct. */
  readonly methods?: Readonly<Record<string, (raw: Readonly<Record<string, unknown>>) => Value>>;
  /** `MarshalJSON`: what encoders write in place of the fields; its text is only made compact or indented. */
  readonly marshalJson?: (raw: Readonly<Record<string, unknown>>) => string;
}

export interface Field {
  readonly name: string;
  readonly type: Type;
  /** Key in JSON; `-` where it is left out. Default: the name. */
  readonly json?: string;
  readonly omitEmpty?: boolean;
  /** An embedded struct: its fields and methods are promoted, and so are its JSON keys unless `json` names it. */
  readonly embedded?: boolean;
}

export interface Value {
  readonly type: Type;
  readonly raw: unknown;
  /** Text that the template itself has, or that has been made safe: see guard.ts. */
  readonly own?: boolean;
}

export const BOOL: Type = { kind: 'bool' };
export const STRING: Type = { kind: 'string' };
export const INT: Type = { kind: 'int', bits: 0 };
export const INT64: Type = { kind: 'int', bits: 64 };
export const FLOAT64: Type = { kind: 'float', bits: 64 };
export const ANY: Type = { kind: 'any' };
export const TIME: Type = { kind: 'time' };
export const STRINGS: Type = { kind: 'slice', elem: STRING };
export const STRING_MAP: Type = { kind: 'map', key: STRING, elem: STRING };

export const sliceOf = (elem: Type): Type => ({ kind: 'slice', elem });
export const mapOf = (elem: Type, key: Type = STRING): Type => ({ kind: 'map', key, elem });
export const pointerTo = (elem: Type): Type => ({ kind: 'pointer', elem });
export const struct = (
  name: string,
  fields: readonly Field[],
  methods?: StructType['methods'],
): StructType =>
  methods === undefined ? { kind: 'struct', name, fields } : { kind: 'struct', name, fields, methods };
export const value = (type: Type, raw: unknown): Value => ({ type, raw });

// What a template can touch of its data, so that what it cannot touch need not be read.

interface Finding {
  readonly template: Template;
  readonly fields: Set<string>;
  /** Templates that have been looked into with the root as their dot. */
  readonly seen: Set<string>;
  whole: boolean;
}

/**
 * Names of the root value's fields and methods, promoted ones among them, that the template may use; null where it may
 * use the value whole.
 */
export function rootFields(template: Template): ReadonlySet<string> | null {
  const finding: Finding = { template, fields: new Set(), seen: new Set(['']), whole: false };
  scan(finding, template.bodies.get('') ?? [], true, true);
  return finding.whole ? null : finding.fields;
}

/** `dot` and `dollar`: whether they are the root here. */
function scan(finding: Finding, actions: readonly Action[], dot: boolean, dollar: boolean): void {
  for (const action of actions) {
    switch (action.kind) {
      case 'action':
        pipeline(finding, action.pipeline, dot, dollar);
        break;
      case 'template':
        if (action.pipeline !== null) invocation(finding, action.name, action.pipeline, dot, dollar);
        break;
      case 'if':
      case 'range':
      case 'with': {
        const inner = action.kind === 'if' ? dot : false;
        pipeline(finding, action.pipeline, dot, dollar);
        scan(finding, action.body, inner, dollar);
        scan(finding, action.otherwise ?? [], dot, dollar);
      }
    }
  }
}

/** A template that gets the root itself is looked into; any other argument is a pipeline like any other. */
function invocation(finding: Finding, name: string, argument: Pipeline, dot: boolean, dollar: boolean): void {
  const only = argument.commands.length === 1 ? argument.commands[0]!.operands : [];
  const [operand] = only;
  const isRoot =
    only.length === 1 &&
    argument.variables.length === 0 &&
    ((operand!.kind === 'dot' && dot) ||
      (operand!.kind === 'variable' && operand!.name === '$' && operand!.path.length === 0 && dollar));
  if (!isRoot) pipeline(finding, argument, dot, dollar);
  else if (!finding.seen.has(name)) {
    finding.seen.add(name);
    scan(finding, finding.template.bodies.get(name) ?? [], true, true);
  }
}

function pipeline(finding: Finding, { commands }: Pipeline, dot: boolean, dollar: boolean): void {
  for (const command of commands) {
    for (const operand of command.operands) touch(finding, operand, dot, dollar);
  }
}

function touch(finding: Finding, node: Operand, dot: boolean, dollar: boolean): void {
  if (node.kind === 'pipeline') pipeline(finding, node, dot, dollar);
  else if (node.kind === 'chain') touch(finding, node.operand, dot, dollar);
  else if (node.kind === 'dot') finding.whole ||= dot;
  else if (node.kind === 'field' && dot) finding.fields.add(node.path[0]!);
  else if (node.kind === 'variable' && node.name === '$' && dollar) {
    if (node.path.length === 0) finding.whole = true;
    else finding.fields.add(node.path[0]!);
  }
}
