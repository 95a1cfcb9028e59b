import { replaceFile } from '../write/file.js';

/**
 * Writes a report as one step: whoever reads the file sees what was there before, or all of it.
 * @throws InputError where it cannot be written
 */
export function saveReport(path: string, content: Iterable<string>): void {
  replaceFile(path, content);
}
