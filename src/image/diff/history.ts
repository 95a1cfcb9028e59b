import { isObject, type Json, type JsonObject } from '../../spec/json.js';
import type { Change } from './config.js';
import { pairUp } from './sequence.js';
import { sameField, shown } from './value.js';

/**
 * Steps of two histories that are not the same. A step that was done again at another time differs in its time.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md (history)
 */
export function historyChanges(a: readonly Json[], b: readonly Json[]): Change[] {
  const changes: Change[] = [];
  for (const [i, j] of pairUp(a.map(stepKey), b.map(stepKey))) {
    const [left, right] = [i === null ? null : a[i]!, j === null ? null : b[j]!];
    if (left === null || right === null)
      changes.push({ kind: 'history', key: `history.${i ?? j}`, a: shown(left), b: shown(right) });
    else if (!sameField(timeOf(left), timeOf(right)))
      changes.push({ kind: 'times', key: `history.${i}.created`, a: timeOf(left), b: timeOf(right) });
  }
  return changes;
}

const timeOf = (step: Json): Json =>
  isObject(step) && typeof step.created === 'string' ? step.created : null;

/** Everything but the time, keys in one order; what is not said is as good as empty. */
function stepKey(step: Json): string {
  if (!isObject(step)) return JSON.stringify(shown(step));
  const { created: _, ...rest } = shown(step) as JsonObject;
  const entries = Object.entries(rest).filter(
    ([, value]) => value !== '' && value !== false && value !== null,
  );
  return JSON.stringify(entries.sort(([x], [y]) => (x < y ? -1 : 1)));
}
