/** `docker images --filter`. moby daemon/images/image_list.go, daemon/containerd/image_list.go */

import { goPattern } from '../../go/pattern.js';
import { timestamp } from '../../go/time.js';
import { type Store, splitRepoName } from '../stores/stored-image.js';
import { isDangling, listedDigests, type Summary } from './images.js';

export type Filters = ReadonlyMap<string, readonly string[]>;

const NAMES: readonly string[] = ['dangling', 'label', 'before', 'since', 'reference', 'until'];

/** Reads `name=value`, as often as given. @returns the complaint, in Docker's words, where that is none */
export function parseFilters(texts: readonly string[], store: Store): Filters | string {
  const filters = new Map<string, string[]>();
  for (const text of texts.filter(t => t !== '')) {
    const equals = text.indexOf('=');
    if (equals < 0) return 'bad format of filter (expected name=value)';
    const name = text.slice(0, equals).trim().toLowerCase();
    if (!NAMES.includes(name) && !(name === 'label!' && store === 'containerd'))
      return `invalid filter '${name}'`;
    filters.set(name, [...(filters.get(name) ?? []), text.slice(equals + 1).trim()]);
  }
  return filters;
}

export interface FilterContext {
  readonly store: Store;
  /** Seconds since 1970. */
  readonly now: number;
  /** When the image of a name or ID was made, for `before` and `since`; undefined if there is none such. */
  readonly createdOf: (ref: string) => number | null | undefined;
}

/** One step: the image as it is left, or null when it is filtered out. */
type Step = (summary: Summary) => Summary | null;

/** @returns the filtered list, or the complaint */
export function filterSummaries(
  summaries: readonly Summary[],
  filters: Filters,
  context: FilterContext,
): readonly Summary[] | string {
  const steps: Step[] = [];
  for (const make of [ageSteps, labelStep, referenceStep, danglingStep]) {
    const made = make(filters, context);
    if (typeof made === 'string') return made;
    steps.push(...made);
  }
  return summaries.flatMap(summary => {
    let left: Summary | null = summary;
    for (const step of steps) if (left !== null) left = step(left);
    return left === null ? [] : [left];
  });
}

type Made = readonly Step[] | string;

/** All values together: older than the oldest `before` and `until`, younger than the youngest `since`. */
function ageSteps(filters: Filters, { now, createdOf }: FilterContext): Made {
  const steps: Step[] = [];
  for (const name of ['before', 'since', 'until'] as const) {
    for (const text of filters.get(name) ?? []) {
      const limit = name === 'until' ? timestamp(text, now) : createdOf(text);
      if (limit === null && name === 'until') return `failed to parse value as time or duration: "${text}"`;
      if (limit === undefined) return `No such image: ${text}`;
      // An image without a date of its own limits nothing.
      if (limit === null) continue;
      const holds = (created: number) => (name === 'since' ? created > limit : created < limit);
      steps.push(summary => (summary.created !== null && holds(summary.created) ? summary : null));
    }
  }
  return steps;
}

function labelStep(filters: Filters, { store }: FilterContext): Made {
  const checks = ['label', 'label!'].flatMap(name =>
    (filters.get(name) ?? []).map(text => toCheck(name, text, store)),
  );
  if (checks.length === 0) return [];
  return [summary => (summary.labels.some(labels => checks.every(check => check(labels))) ? summary : null)];
}

type LabelCheck = (labels: ReadonlyMap<string, string>) => boolean;

function toCheck(name: string, text: string, store: Store): LabelCheck {
  const [, given, wanted] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  // Only containerd's store knows `label=key!=value` and `label!=key`; both negate.
  const flips = store === 'containerd' && given!.endsWith('!');
  const key = flips ? given!.slice(0, -1) : given!;
  const negated = (name === 'label!') !== flips;
  return labels => {
    if (wanted === undefined) return labels.has(key) !== negated;
    return labels.has(key) && (labels.get(key) === wanted) !== negated;
  };
}

/**
 * One of the patterns has to fit, and an image keeps only the names that do. containerd's store calls an image without
 * a name by its digest, and that name a pattern may fit too.
 */
function referenceStep(filters: Filters): Made {
  const patterns = (filters.get('reference') ?? []).map(goPattern);
  if (patterns.length === 0) return [];
  if (patterns.includes(null)) return 'syntax error in pattern';
  const fits = (name: string) => {
    const { repository } = splitRepoName(name);
    return patterns.some(pattern => pattern!.test(name) || pattern!.test(repository));
  };
  return [
    summary => {
      const { stored } = summary;
      if (stored.target !== null && isDangling(summary))
        return fits(`moby-dangling@${stored.id}`) ? summary : null;
      const tags = summary.tags.filter(fits);
      const isRecord = stored.target !== null && tags.length > 0;
      const digests = isRecord ? listedDigests(stored, tags) : summary.digests.filter(fits);
      return tags.length === 0 && digests.length === 0 ? null : { ...summary, tags, digests };
    },
  ];
}

function danglingStep(filters: Filters): Made {
  const values = filters.get('dangling');
  if (values === undefined) return [];
  const yes = values.includes('1') || values.includes('true');
  const no = values.includes('0') || values.includes('false');
  if (yes === no) return `invalid filter 'dangling=[${values.join(' ')}]'`;
  return [summary => ((summary.tags.length === 0) === yes ? summary : null)];
}
