import { signatureRules } from '../checks/rules-signatures.js';
import { UsageError } from '../errors.js';
import { isObject, type Json, own } from '../spec/json.js';
import type { ReportedFinding } from './doc.js';
import { count } from './words.js';

/** Version of the format of baselines. */
const VERSION = 1;

/**
 * A known finding. Only the fingerprint is compared; the other fields are for people who read the file and its diffs.
 */
export interface BaselineEntry {
  readonly fingerprint: string;
  readonly code: string;
  /** As `ReportedFinding` has it. */
  readonly subject: string;
  readonly place: string;
}

/** The reason why a text is not a baseline. */
export interface BaselineFault {
  readonly what: string;
  readonly remedy: string;
}

/** The known findings, and which of them a run has found again. */
export class Baseline {
  private readonly entries: ReadonlyMap<string, BaselineEntry>;
  private readonly matched = new Set<string>();
  private readonly examined = new Set<string>();
  private readonly present = new Map<string, BaselineEntry>();

  /**
   * @param file        as the user named it
   * @param isUpdating  true if it is written again: then every finding of the run is known
   */
  constructor(
    readonly file: string,
    entries: readonly BaselineEntry[],
    readonly isUpdating: boolean,
  ) {
    this.entries = new Map(entries.map(entry => [entry.fingerprint, entry]));
  }

  /** Records that an image or archive was checked. */
  examine(subject: string): void {
    this.examined.add(subject);
  }

  /**
   * True if a finding is known and not reported. An archive without a report is never known, nor one that is not signed
   * as it must be: a fingerprint has no digests, and would stand for any other image.
   */
  hides({ fingerprint, code, severity, subject, place }: ReportedFinding): boolean {
    if (code === 'archive-unreadable') return false;
    if (severity === 'error' && Object.hasOwn(signatureRules, code)) return false;
    this.present.set(fingerprint, { fingerprint, code, subject, place });
    if (this.entries.has(fingerprint)) this.matched.add(fingerprint);
    return this.isUpdating || this.entries.has(fingerprint);
  }

  /** The entries of a new baseline: the findings of the run, and the known findings of images that it did not check. */
  updated(): readonly BaselineEntry[] {
    return [...this.present.values(), ...this.elsewhere];
  }

  /** Remarks about the baseline after all archives were read. */
  notes(): readonly string[] {
    const { file, entries, stale, elsewhere } = this;
    const others = [...new Set(elsewhere.map(({ subject }) => subject))];
    const kept =
      elsewhere.length === 0
        ? []
        : [
            `${file}: ${count(elsewhere.length, 'entry', 'entries')} about what this run did not look at: ${shortList(others)}`,
          ];
    if (this.isUpdating) {
      const removed =
        stale === 0 ? '' : `, ${stale} removed that no longer ${stale === 1 ? 'matches' : 'match'}`;
      return [`${file}: ${count(this.updated().length, 'known finding')}${removed}`, ...kept];
    }
    if (stale === 0) return kept;
    return [
      `${file}: ${stale} of ${count(entries.size, 'entry', 'entries')} no longer ${stale === 1 ? 'matches' : 'match'}; --update-baseline removes ${stale === 1 ? 'it' : 'them'}`,
      ...kept,
    ];
  }

  /** The number of entries about checked images that were not found again. */
  private get stale(): number {
    return this.unmatched.filter(({ subject }) => this.examined.has(subject)).length;
  }

  private get elsewhere(): readonly BaselineEntry[] {
    return this.unmatched.filter(({ subject }) => !this.examined.has(subject));
  }

  private get unmatched(): readonly BaselineEntry[] {
    return [...this.entries.values()].filter(({ fingerprint }) => !this.matched.has(fingerprint));
  }
}

/** Number of names that are listed; the others are counted. */
const NAMED = 3;

const shortList = (names: readonly string[]): string =>
  names.length <= NAMED
    ? names.join('; ')
    : `${names.slice(0, NAMED).join('; ')} and ${names.length - NAMED} more`;

const ORDER = ['subject', 'code', 'place', 'fingerprint'] as const;

/** The content of a baseline file: sorted, with one property on each line, so that diffs are short. */
export function baselineText(entries: readonly BaselineEntry[]): string {
  const findings = [...entries].sort((a, b) => {
    const key = ORDER.find(name => a[name] !== b[name]) ?? 'fingerprint';
    return a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0;
  });
  return `${JSON.stringify({ type: 'waybill-baseline', schemaVersion: VERSION, findings }, null, 2)}\n`;
}

/** Parses the output of `baselineText`. */
export function parseBaseline(text: string): readonly BaselineEntry[] | BaselineFault {
  const fault = (what: string): BaselineFault => ({
    what,
    remedy: 'Remove it, and write it again with --update-baseline.',
  });
  if (text.trim() === '') return fault('not a baseline: the file is empty');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    const isCut = !text.trimEnd().endsWith('}');
    return fault(
      `not a baseline: ${isCut ? 'the file is cut short' : 'not JSON'} (${(error as Error).message.split('\n')[0]})`,
    );
  }
  if (!isObject(value) || own(value, 'type') !== 'waybill-baseline')
    return {
      what: 'not a baseline: expected "type": "waybill-baseline"',
      remedy: 'Name a file that --update-baseline wrote; a report is not a baseline.',
    };
  const version = own(value, 'schemaVersion');
  if (version !== VERSION)
    return fault(
      `a baseline of another version: expected "schemaVersion": ${VERSION}, found ${JSON.stringify(version) ?? 'none'}`,
    );
  const findings = own(value, 'findings');
  if (!Array.isArray(findings)) return fault('expected a list "findings", found none');
  const entries: BaselineEntry[] = [];
  for (const [i, item] of findings.entries()) {
    const entry = entryOf(item);
    if (entry === null)
      return fault(
        `/findings/${i}: expected "fingerprint" (64 hexadecimal digits), "code", "subject" and "place" as texts`,
      );
    entries.push(entry);
  }
  return entries;
}

function entryOf(value: Json): BaselineEntry | null {
  if (!isObject(value)) return null;
  const [fingerprint, code, subject, place] = ['fingerprint', 'code', 'subject', 'place'].map(key =>
    own(value, key),
  );
  if (typeof fingerprint !== 'string' || !/^[0-9a-f]{64}$/.test(fingerprint)) return null;
  if (typeof code !== 'string' || typeof subject !== 'string' || typeof place !== 'string') return null;
  return { fingerprint, code, subject, place };
}

/** @throws UsageError for an empty file name, and for `--update-baseline` without `--baseline` */
export function checkBaselineOptions(baseline: string | undefined, isUpdating: boolean): void {
  if (baseline === '') throw new UsageError('--baseline: expected a file, found an empty name');
  if (isUpdating && baseline === undefined)
    throw new UsageError('--update-baseline: name the file with --baseline FILE');
}
