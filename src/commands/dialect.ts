import { type Dialect, type DialectOptions, dialectFor } from '../docker/release.js';
import { UsageError } from '../errors.js';

/** Whose words are wanted. @throws UsageError for what is not known, and for options that contradict each other */
export function dialectOf(options: DialectOptions): Dialect {
  const dialect = dialectFor(options);
  if (typeof dialect === 'string') throw new UsageError(dialect);
  return dialect;
}
