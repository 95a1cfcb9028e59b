import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createFile } from './file.js';
import type { LayoutFile, LayoutTarget } from './layout-target.js';
import { stageDirectory } from './staged-directory.js';
import { writing } from './system-error.js';

/** An image layout as a directory. @throws InputError when `output` exists and is not empty, or cannot be written */
export function layoutDirectory(output: string, files: readonly LayoutFile[]): LayoutTarget {
  const staged = stageDirectory(output);
  const fileOf = (path: string) => join(staged.path, path);
  try {
    writing(output, () => {
      for (const { path } of files) mkdirSync(dirname(fileOf(path)), { recursive: true });
    });
  } catch (error) {
    staged.discard();
    throw error;
  }
  return { ...staged, open: path => createFile(fileOf(path), output) };
}
