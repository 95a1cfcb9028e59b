import { NO_SCOPE } from './file.js';
import type { Setting } from './policy.js';
import { foundText, type SourceEntry, type SourceNode, type SourceProblem } from './source.js';
import { parseSource } from './yaml.js';

/**
 * Keys of dive's rules as it has them now and had them first, the rules that they mean here, and dive's own defaults.
 */
interface DiveKey {
  readonly keys: readonly string[];
  readonly code: string;
  readonly option: string;
  readonly fallback: number | null;
  readonly expected: string;
  readonly parse: (text: string) => number | null;
}

/** From 0 to 1, as Go's strconv.ParseFloat reads it. */
function ratio(text: string): number | null {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= 1 ? value : null;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  ...Object.fromEntries(
    [...'kmgtpe'].flatMap((unit, i) => [
      [unit, 1000 ** (i + 1)],
      [`${unit}b`, 1000 ** (i + 1)],
      [`${unit}i`, 1024 ** (i + 1)],
      [`${unit}ib`, 1024 ** (i + 1)],
    ]),
  ),
};

/**
 * `20Mb`, `19 MiB`, `1,000`: bytes as humanize.ParseBytes reads them.
 * https://pkg.go.dev/github.com/dustin/go-humanize#ParseBytes
 */
function humanBytes(text: string): number | null {
  const [, digits, unit = ''] = /^([\d.,]+)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const number = Number(digits?.replaceAll(',', '') || Number.NaN);
  return factor === undefined || Number.isNaN(number) ? null : Math.trunc(number * factor);
}

const DIVE_KEYS: readonly DiveKey[] = [
  {
    keys: ['lowestEfficiency', 'lowest-efficiency-threshold'],
    code: 'dive-efficiency',
    option: 'lowest',
    fallback: 0.9,
    expected: 'a number from 0 to 1',
    parse: ratio,
  },
  {
    keys: ['highestWastedBytes', 'highest-wasted-bytes'],
    code: 'dive-wasted-bytes',
    option: 'highest',
    fallback: null,
    expected: 'a size such as 20MB',
    parse: humanBytes,
  },
  {
    keys: ['highestUserWastedPercent', 'highest-user-wasted-percent'],
    code: 'dive-user-wasted',
    option: 'highest',
    fallback: 0.1,
    expected: 'a number from 0 to 1',
    parse: ratio,
  },
];

const DISABLED = ['', 'disabled', 'off', 'false'];

export interface DiveCi {
  /** By the codes of rules. */
  readonly settings: ReadonlyMap<string, Setting>;
  /** Unknown keys, which dive ignores. */
  readonly notes: readonly SourceProblem[];
  readonly problems: readonly SourceProblem[];
}

/**
 * Reads a .dive-ci file: the three rules of dive, with its defaults for those that are not named. Dive passes over keys
 * that it does not know; here they are told, because a misspelt one leaves a default in force. wagoodman/dive
 * cmd/dive/cli/internal/options/ci_rules.go, command/ci/rules.go
 */
export function parseDiveCi(text: string, source: string): DiveCi {
  const { root, problems } = parseSource(text);
  if (problems.length > 0) return { settings: new Map(), notes: [], problems };
  const notes: SourceProblem[] = [];
  const wrong: SourceProblem[] = [];
  const top = entriesOf(root, 'a mapping with rules', wrong);
  const note = ({ key, at }: SourceEntry) =>
    notes.push({
      at,
      message: `unknown key ${JSON.stringify(key)}: dive ignores it, and so does waybill`,
    });
  for (const entry of top) if (entry.key !== 'rules') note(entry);
  const rules = top.find(({ key }) => key === 'rules')?.value ?? null;
  const entries = entriesOf(rules, 'a mapping of rules', wrong);
  for (const entry of entries) if (!DIVE_KEYS.some(({ keys }) => keys.includes(entry.key))) note(entry);
  const settings = new Map<string, Setting>();
  for (const key of DIVE_KEYS) {
    const entry = entries.find(one => key.keys.includes(one.key));
    const value = entry === undefined ? key.fallback : thresholdOf(key, entry, wrong);
    const origin = { source, isPreset: false, line: (entry?.at ?? root?.at ?? { line: 1 }).line };
    if (value !== null)
      settings.set(key.code, {
        severity: 'error',
        options: { [key.option]: value },
        scope: NO_SCOPE,
        origin,
      });
  }
  return { settings, notes, problems: wrong };
}

function entriesOf(
  node: SourceNode | null,
  expected: string,
  problems: SourceProblem[],
): readonly SourceEntry[] {
  if (node === null || (node.kind === 'scalar' && node.value === null)) return [];
  if (node.kind === 'mapping') return node.entries;
  problems.push({ at: node.at, message: `expected ${expected}, found ${foundText(node)}` });
  return [];
}

/** null for a rule that is disabled, and for what cannot be read. */
function thresholdOf(
  { expected, parse }: DiveKey,
  { key, value }: SourceEntry,
  problems: SourceProblem[],
): number | null {
  const text = value.kind === 'scalar' ? value.text.trim() : null;
  if (text !== null && DISABLED.includes(text.toLowerCase())) return null;
  const number = text === null ? null : parse(text);
  if (number === null)
    problems.push({
      at: value.at,
      message: `${key}: expected ${expected}, or disabled, found ${foundText(value)}`,
    });
  return number;
}
