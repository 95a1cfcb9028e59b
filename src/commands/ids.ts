import type { Result } from './doc.js';
import type { ArchiveReading } from './read.js';
import type { Selection } from './select.js';
export interface IdsReport {
  x: 1;
}
export function ids(_r: ArchiveReading, _s: Selection & { find?: string | undefined }): Result {
  return { data: {}, doc: [], exitCode: 0 };
}
