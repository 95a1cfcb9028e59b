import { setImmediate } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A part of the program that has to clean up before the process ends holds the signals that would end it. Without a
 * holder there is no listener, and the system ends the process at once; a listener would run only after the current
 * computation.
 */
export class Signals {
  private readonly holders = new Set<string>();
  private listening = false;

  /**
   * @param tidy  removes unfinished files and restores the terminal
   * @param end   ends the process by a signal whose listener was removed
   */
  constructor(
    private readonly tidy: () => void,
    private readonly end: (signal: NodeJS.Signals) => void,
  ) {
    // The kernel ignores a signal to process 1 of a container unless the process has a listener.
    if (process.pid === 1) this.hold('init');
  }

  hold(holder: string): void {
    this.holders.add(holder);
    if (this.listening) return;
    for (const signal of SIGNALS) process.on(signal, this.came);
    this.listening = true;
  }

  async release(holder: string): Promise<void> {
    if (!this.holders.delete(holder)) return;
    // A signal that arrived during a computation is only seen in the next turn of the event loop.
    await setImmediate();
    await setImmediate();
    if (this.holders.size === 0) this.ignore();
  }

  /** A second signal must not interrupt the cleanup that the first one started. */
  private readonly came = (signal: NodeJS.Signals): void => {
    this.tidy();
    this.ignore();
    this.end(signal);
  };

  private ignore(): void {
    for (const signal of SIGNALS) process.off(signal, this.came);
    this.listening = false;
  }
}
