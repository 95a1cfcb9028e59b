import { bytes } from './checks/rule.js';

/**
 * Milliseconds before the bar is drawn. Most archives are read by then, and a bar that only flashes is a distraction.
 */
const QUIET_MS = 1000;
const EVERY_MS = 100;
const CLEAR = '\r\u001b[2K';

/** A progress bar on a terminal, for work that takes longer than a second. The line is cleared at the end. */
export class Progress {
  private started = Date.now();
  private drawnAt = 0;

  /** @param onDraw  called before a line is drawn that has to be cleared again */
  constructor(
    private readonly terminal: NodeJS.WriteStream | null,
    private readonly onDraw: () => void,
  ) {}

  readonly update = (done: number, total: number | null): void => {
    const now = Date.now();
    if (this.terminal === null || now - this.started < QUIET_MS || now - this.drawnAt < EVERY_MS) return;
    if (this.drawnAt === 0) this.onDraw();
    this.drawnAt = now;
    // Clearing a line that wraps leaves its first part on the screen, so it is cut to the width.
    this.terminal.write(CLEAR + this.line(done, total, now).slice(0, this.width - 1));
  };

  clear(): void {
    if (this.drawnAt > 0) this.terminal?.write(CLEAR);
    this.drawnAt = 0;
    // Each of several archives has its own bar.
    this.started = Date.now();
  }

  private get width(): number {
    return this.terminal?.columns || 80;
  }

  private line(done: number, total: number | null, now: number): string {
    const rate = `${bytes(Math.round((done * 1000) / Math.max(1, now - this.started)))}/s`;
    if (total === null || total === 0) return `${bytes(done)} read, ${rate}`;
    const part = Math.min(1, done / total);
    const text = ` ${Math.floor(part * 100)}%  ${bytes(done)} of ${bytes(total)}, ${rate}`;
    const cells = Math.max(0, Math.min(30, this.width - text.length - 3));
    const full = Math.round(part * cells);
    return `[${'#'.repeat(full)}${'.'.repeat(cells - full)}]${text}`;
  }
}
