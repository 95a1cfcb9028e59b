/** What a command gives back that prints just what another tool prints. */
export interface Answer {
  /** Text, or bytes where they are the archive's own (`--raw`). */
  readonly stdout: string | Uint8Array;
  /** It has colours of its own, and what it has of the archive has been made visible. */
  readonly painted?: boolean;
  /** Whether these are wanted, where the command line says so. */
  readonly color?: boolean | undefined;
  /** For standard error: what is not known, and why. */
  readonly notes: readonly string[];
  readonly exitCode: 0 | 1 | 2;
}

export const failed = (...notes: readonly string[]): Answer => ({ stdout: '', notes, exitCode: 1 });
