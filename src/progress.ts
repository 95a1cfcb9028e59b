import { bytes } from './checks/rule.js';

/**
 * Milliseconds before the bar is drawn. Most archives are read by then, and a bar that only flashes is a distraction.
 */
const QUIET_MS = 1000;
const EVERY_MS = 100;
const CLEAR = '\r\u001b[2K';

/** How far a run over many archives is. */
interface RunProgress {
  readonly archives: number;
  readonly ofArchives: number;
  readonly bytes: number;
  /** null while it is not known. */
  readonly ofBytes: number | null;
  /** Archives without a report. */
  readonly failed: number;
}

/** The time for an archive beside that for its bytes: as much as for so many bytes. */
const ARCHIVE_BYTES = 512 * 1024;

/** The state of a run in one line, with an estimate of the time that is left. @param ms  since it began */
export function runLine(run: RunProgress, ms: number): string {
  const { archives, ofArchives, ofBytes, failed } = run;
  const part = partOf(run);
  const left = part === 0 ? '' : `, ${timeLeft((ms * (1 - part)) / part)}`;
  const size = ofBytes === null ? `${bytes(run.bytes)} read` : `${bytes(run.bytes)} of ${bytes(ofBytes)}`;
  const bad = failed === 0 ? '' : `, ${failed} without a report`;
  return `${Math.floor(part * 100)}%  ${archives} of ${ofArchives} archives, ${size}${bad}${left}`;
}

function partOf({ archives, ofArchives, bytes, ofBytes }: RunProgress): number {
  if (ofBytes === null) return archives / ofArchives;
  const work = (count: number, size: number) => count * ARCHIVE_BYTES + size;
  return Math.min(1, work(archives, Math.min(bytes, ofBytes)) / work(ofArchives, ofBytes));
}

function timeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `about ${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
}

/** A progress bar on a terminal, for work that takes longer than a second. The line is cleared at the end. */
export class Progress {
  private started = Date.now();
  private drawnAt = 0;

  /** @param onDraw  called before a line is drawn that has to be cleared again */
  constructor(
    private readonly terminal: NodeJS.WriteStream | null,
    private readonly onDraw: () => void,
  ) {}

  readonly update = (done: number, total: number | null): void =>
    this.draw(now => this.line(done, total, now));

  readonly updateRun = (run: RunProgress): void => this.draw(now => runLine(run, now - this.started));

  private draw(lineAt: (now: number) => string): void {
    const now = Date.now();
    if (this.terminal === null || now - this.started < QUIET_MS || now - this.drawnAt < EVERY_MS) return;
    if (this.drawnAt === 0) this.onDraw();
    this.drawnAt = now;
    // Clearing a line that wraps leaves its first part on the screen, so it is cut to the width.
    this.terminal.write(CLEAR + lineAt(now).slice(0, this.width - 1));
  }

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
