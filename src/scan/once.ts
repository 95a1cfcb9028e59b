import type { Member } from '../containers/source.js';
import type { BlobFacts } from './blob/facts.js';
import type { Once, Scan } from './scan.js';

/** Results that are kept by rule and argument. They live as long as this function does. */
export function keptResults(
  known: readonly (readonly [rule: object, argument: object, result: unknown])[] = [],
): Once {
  const results = new Map<object, Map<object, unknown>>();
  const of = (rule: object) => {
    const kept = results.get(rule) ?? new Map<object, unknown>();
    results.set(rule, kept);
    return kept;
  };
  for (const [rule, argument, result] of known) of(rule).set(argument, result);
  return <A extends object, R>(rule: (argument: A) => R, argument: A): R => {
    const kept = of(rule);
    if (!kept.has(argument)) kept.set(argument, rule(argument));
    return kept.get(argument) as R;
  };
}

/** A lookup that holds on to nothing but the facts. */
export const factsIn =
  (facts: ReadonlyMap<Member, BlobFacts>): Scan['facts'] =>
  file =>
    facts.get(file) ?? null;

/**
 * The same archive without the entries of its layers, for a caller that holds many archives at a time. The facts of the
 * scan that is given stay as they are; its memory is free when the caller drops it.
 * @param rule  its results are computed before the entries go, and `once` of the new scan returns them
 */
export function withoutEntries(scan: Scan, rule: (facts: BlobFacts) => unknown): Scan {
  const facts = new Map<Member, BlobFacts>();
  const results: [object, object, unknown][] = [];
  for (const member of scan.members) {
    const whole = scan.facts(member);
    if (whole === null) continue;
    const light = whole.tar?.table == null ? whole : { ...whole, tar: { ...whole.tar, table: null } };
    facts.set(member, light);
    results.push([rule, light, scan.once(rule, whole)]);
  }
  return { ...scan, facts: factsIn(facts), once: keptResults(results) };
}
