import { replaceFile } from '../write/file.js';

/**
 * Writes a report in one step: a reader of the file sees the old content or the new, never a part of it.
 * @throws InputError where it cannot be written
 */
export function saveReport(path: string, content: Iterable<string>): void {
  replaceFile(path, content);
}
