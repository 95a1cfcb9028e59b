// The number of runs of a property, and how to repeat a failure.
import fc from 'fast-check';

const factor = Number(process.env.WAYBILL_RUNS ?? 1);
const seed = Number(process.env.WAYBILL_SEED ?? 20_260_101);

/** Milliseconds after which a run is regarded as hanging; generous, for busy machines. */
export const GUARD = 60_000;

/**
 * WAYBILL_RUNS=20 runs every property twenty times as often, WAYBILL_SEED sets the seed. A failure is printed with the
 * seed and the smallest failing value.
 */
const parameters = <T>(times: number): fc.Parameters<T> => ({
  seed,
  numRuns: Math.max(1, Math.round(times * factor)),
});

/** Runs a property. One that does not end in a minute fails too. */
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

/** The same for synchronous properties, which is faster. */
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

/** Milliseconds for minimising a failing value. */
const SHRINKING = 15_000;

/** Minimises for a limited time after the first failure; afterwards every value passes. */
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

/** The failing value, how to repeat it, and the error: uvu does not print causes. */
function report<T>({ failed, seed: used, counterexample, errorInstance }: fc.RunDetails<[T]>): void {
  if (!failed) return;
  const value = counterexample == null ? '' : fc.stringify(counterexample[0]);
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  throw new Error(`WAYBILL_SEED=${used} fails for ${value}\n${why}`);
}
