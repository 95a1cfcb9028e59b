// How often properties are tried, and how a failure is repeated.
import fc from 'fast-check';

const factor = Number(process.env.WAYBILL_RUNS ?? 1);
const seed = Number(process.env.WAYBILL_SEED ?? 20_260_101);

/** What has not ended by then never will; generous, for machines that do other things too. Milliseconds. */
export const GUARD = 60_000;

/**
 * WAYBILL_RUNS=20 tries every property twenty times as often, WAYBILL_SEED draws other values. A failure is printed with the seed
 * and the smallest value that fails.
 */
const parameters = <T>(times: number): fc.Parameters<T> => ({
  seed,
  numRuns: Math.max(1, Math.round(times * factor)),
});

/** Tries a property. One that has not ended in a minute fails too. */
export async function always<T>(
  what: fc.Arbitrary<T>,
  times: number,
  holds: (value: T) => Promise<void>,
): Promise<void> {
  const patient = patience();
  const property = fc.asyncProperty(what, async value => {
    patient.check();
    await holds(value).catch(patient.failed);
  });
  report(await fc.check(property, { ...parameters<[T]>(times), timeout: GUARD }));
}

/** The same for what is all synchronous, which is faster. */
export function alwaysSync<T>(what: fc.Arbitrary<T>, times: number, holds: (value: T) => void): void {
  const patient = patience();
  const property = fc.property(what, value => {
    patient.check();
    try {
      holds(value);
    } catch (error) {
      patient.failed(error);
    }
  });
  report(fc.check(property, parameters<[T]>(times)));
}

/** Milliseconds that go into making a failing value small. */
const SHRINKING = 15_000;

/** Values are made smaller for a while after the first failure; then whatever is left passes. */
function patience() {
  let since: number | null = null;
  return {
    check: () => fc.pre(since === null || performance.now() - since < SHRINKING),
    failed: (error: unknown): never => {
      since ??= performance.now();
      throw error;
    },
  };
}

/** The failing value, how to have it again, and what failed: uvu shows no causes. */
function report<T>({ failed, seed: used, counterexample, errorInstance }: fc.RunDetails<[T]>): void {
  if (!failed) return;
  const value = counterexample == null ? '' : fc.stringify(counterexample[0]);
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  throw new Error(`WAYBILL_SEED=${used} fails for ${value}\n${why}`);
}
