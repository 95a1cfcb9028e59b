import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLParseError,
} from 'yaml';
import type { SourceEntry, SourceNode, SourcePlace, SourceProblem } from './source.js';

export interface ParsedSource {
  /** null for an empty text, and where there are problems. */
  readonly root: SourceNode | null;
  readonly problems: readonly SourceProblem[];
}

/** Values that a text may have. An alias counts each time, so that a few lines cannot stand for billions. */
const MOST_NODES = 100_000;
const DEEPEST = 64;

/** Parses YAML 1.2, of which JSON is a part, keeping the place of each value. */
export function parseSource(text: string): ParsedSource {
  const lines = new LineCounter();
  const parsed = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    // With `silent` it would say nothing of a second document.
    logLevel: 'error',
  });
  const placeAt = (offset: number): SourcePlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (parsed.errors.length > 0) return { root: null, problems: problemsIn(parsed.errors, placeAt) };
  if (parsed.contents === null) return { root: null, problems: [] };
  const conversion = new Conversion(placeAt, alias => alias.resolve(parsed) ?? null);
  const root = conversion.node(parsed.contents, 0);
  return conversion.problem === null
    ? { root, problems: [] }
    : { root: null, problems: [conversion.problem] };
}

/** In place of what the parser says. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the key is repeated in this mapping',
  MULTIPLE_DOCS: 'expected one document, found a second behind ---',
};

/** Only the first syntax error is kept: most others are its consequences. */
function problemsIn(
  errors: readonly YAMLParseError[],
  placeAt: (offset: number) => SourcePlace,
): readonly SourceProblem[] {
  const first = errors.find(({ code }) => OWN_WORDS[code] === undefined);
  return (first === undefined ? errors : [first]).map(({ code, message, pos }) => ({
    at: placeAt(pos[0]),
    message: OWN_WORDS[code] ?? brief(message),
  }));
}

/** It may quote a line of any length. */
const BRIEF = 200;
const brief = (sentence: string) =>
  sentence.charAt(0).toLowerCase() + sentence.slice(1, BRIEF) + (sentence.length > BRIEF ? '…' : '');

type Alias = Extract<Node, { source: string; resolve: unknown }>;

/** The nodes of the parser as plain data. */
class Conversion {
  problem: SourceProblem | null = null;
  private count = 0;

  constructor(
    private readonly placeAt: (offset: number) => SourcePlace,
    private readonly resolve: (alias: Alias) => Node | null,
  ) {}

  node(node: unknown, depth: number): SourceNode {
    const at = this.placeAt((node as Node | null)?.range?.[0] ?? 0);
    if (++this.count > MOST_NODES || depth > DEEPEST) {
      this.problem ??= {
        at,
        message: `more than ${MOST_NODES} values, or ${DEEPEST} levels, aliases included`,
      };
      return { at, kind: 'scalar', value: null, text: '' };
    }
    if (isAlias(node)) return { ...this.node(this.resolve(node), depth + 1), at };
    if (isMap(node)) return { at, kind: 'mapping', entries: this.entries(node.items, depth, at) };
    if (isSeq(node))
      return { at, kind: 'sequence', items: node.items.map(item => this.node(item, depth + 1)) };
    return { at, ...scalar(node) };
  }

  private entries(
    items: readonly { key: unknown; value: unknown }[],
    depth: number,
    at: SourcePlace,
  ): SourceEntry[] {
    return items.map(({ key, value }) => {
      const name = this.node(key, depth + 1);
      // `key:` with nothing behind it has no node in JSON-like mappings.
      const content =
        value === null ? ({ at: name.at, ...scalar(null) } as const) : this.node(value, depth + 1);
      if (name.kind !== 'scalar') this.problem ??= { at: name.at, message: 'expected a text as the key' };
      return { key: name.kind === 'scalar' ? name.text : '', at: name.at ?? at, value: content };
    });
  }
}

function scalar(node: unknown) {
  const value: unknown = isScalar(node) ? node.value : null;
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
  const known = isPlain ? (value as string | number | boolean) : value === null ? null : String(value);
  const written = isScalar(node) && typeof known !== 'string' ? node.source : undefined;
  return { kind: 'scalar' as const, value: known, text: written ?? String(known ?? '') };
}
