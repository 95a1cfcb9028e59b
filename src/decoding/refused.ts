import type { LimitReached } from '../limits.js';

/** A fact on which the outcome depends and that waybill did not read. */
export type UnknownCause =
  /**
   * The content of a member was not read: the scan is not deep enough, the member is too large, or another one has its
   * path.
   */
  | { readonly code: 'not-read'; readonly path: string }
  | { readonly code: 'unpacked-size-not-read'; readonly path: string }
  | { readonly code: 'manifest-not-read' }
  /** The system refused to read a document. `reason` is what it said. */
  | { readonly code: 'unreadable'; readonly path: string; readonly reason: string }
  /**
   * A limit of waybill was reached, which the engine does not have. `path` is the document; null for the whole archive.
   */
  | { readonly code: 'limit'; readonly path: string | null; readonly reached: LimitReached }
  /** A device, a pipe or a socket, where the engine opens a file. */
  | { readonly code: 'not-a-file'; readonly path: string }
  /** A tar type that some readers take for a regular file. */
  | { readonly code: 'tar-type'; readonly path: string }
  /** waybill does not fill in the holes of sparse files. */
  | { readonly code: 'sparse'; readonly path: string }
  /** A global PAX header is an entry of that name to some engines. */
  | { readonly code: 'global-header'; readonly path: string }
  /** More links in a row than waybill follows. */
  | { readonly code: 'link-chain'; readonly path: string }
  /** A link of a directory that leads out of it, where the engine follows it and waybill does not. */
  | { readonly code: 'link-leads-out'; readonly path: string }
  /** The parents of a v1 image come back to it. */
  | { readonly code: 'parent-cycle'; readonly folder: string }
  /** Docker writes numbers anew that are not written as plain integers. */
  | { readonly code: 'number-form'; readonly path: string }
  /** An index that lists itself, directly or through others. */
  | { readonly code: 'index-cycle'; readonly digest: string }
  /** The engine fetches the blob from the network. */
  | { readonly code: 'fetched'; readonly digest: string; readonly url: string }
  /** The engine takes the file for a plain tar, waybill for zstd data. */
  | { readonly code: 'tar-or-zstd' }
  /** Reserved flags of a gzip header (RFC 1952 section 2.3.1.2): engines ignore them, waybill stops. */
  | { readonly code: 'gzip-reserved-flags' };

/** One of the formats as which an engine tried a file, and the error that it gave. */
export interface FormatError {
  readonly format: string;
  /** The engine's own words. */
  readonly message: string;
  /** The engine gives this error for every file, or for every directory: it says nothing about this one. */
  readonly isConstant: boolean;
}

/** An engine ends with an error. */
export interface EngineRefusal {
  readonly outcome: 'refused';
  /** The engine's own words, with temporary paths as DIR or FILE. */
  readonly message: string;
  /** The program crashes, so none of its callers adds words of its own. */
  readonly panics?: true;
  /** The errors of an engine that tries several formats. `message` has the line before them and each of them too. */
  readonly formats?: { readonly head: string; readonly errors: readonly FormatError[] };
}

/** The bytes that were read do not tell what the engine does. */
export interface EngineUnknown {
  readonly outcome: 'unknown';
  readonly cause: UnknownCause;
}

/** Why a modelled engine ends before it has taken what it was given. */
export type EngineStop = EngineRefusal | EngineUnknown;

/**
 * Ends a modelled engine in the middle of its work, as the engine itself ends. It never leaves the model. It is no
 * Error: a stack trace would cost more than the model's work where an index lists tens of thousands of manifests.
 */
class Stopped {
  constructor(readonly stop: EngineStop) {}
}

/** The engine gives an error. @param message  in its own words */
export function refuse(message: string): never {
  throw new Stopped({ outcome: 'refused', message });
}

/** The refusal of an engine that tried a file as several formats. @param head  its words before those of each */
export function refusedFormats(head: string, errors: readonly FormatError[]): EngineRefusal {
  const message = [head, ...errors.map(formatLine)].join('\n');
  return { outcome: 'refused', message, formats: { head, errors } };
}

/** The line of one format in the error of podman. containers/common libimage/load.go */
export const formatLine = ({ format, message }: FormatError): string => ` * ${format}: ${message}`;

/** The engine crashes. @param message  what Go's runtime prints after `panic: ` */
export function panic(message: string): never {
  throw new Stopped({ outcome: 'refused', message: `panic: ${message}`, panics: true });
}

/** The outcome depends on something that waybill did not read. */
export function cannotTell(cause: UnknownCause): never {
  throw new Stopped({ outcome: 'unknown', cause });
}

/** Ends the engine for a reason that `attempt` gave. */
export function stopWith(stop: EngineStop): never {
  throw new Stopped(stop);
}

/** Runs a part of an engine. @returns why it ended early; null where it came to its end */
export function attempt(step: () => void): EngineStop | null {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof Stopped) return error.stop;
    throw error;
  }
}

/**
 * Runs a step, and puts the words around its refusal in which the engine wraps the error. A crash is not wrapped by the
 * engine, and what is unknown has no words of it.
 */
export function within<T>(wrap: (message: string) => string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    const { stop } = error;
    if (stop.outcome === 'unknown' || stop.panics === true) throw error;
    throw new Stopped({ outcome: 'refused', message: wrap(stop.message) });
  }
}
