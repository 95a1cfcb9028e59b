import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { Result } from '../commands/doc.js';
import { UsageError } from '../errors.js';

/** `--output FILE`, which all reports take: checked before anything is read. */
export function outputOption<T>(command: Argv<T>) {
  return command
    .option('output', {
      alias: 'o',
      describe: 'write the report to this file: .html .md .json .txt; may be repeated',
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .middleware(async args => {
      const given = args as Readonly<Record<string, string | string[] | undefined>>;
      const { output = [], archive, archives, a, b } = given;
      const read = [archive, archives, a, b]
        .flat()
        .flatMap(file => (file === undefined ? [] : [resolve(file)]));
      await checkOutputs([output].flat(), read);
    });
}

async function checkOutputs(paths: readonly string[], read: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const { OUTPUT_EXTENSIONS, outputFor } = await import('../format/outputs.js');
  for (const path of paths) {
    const shown = JSON.stringify(path);
    if (read.includes(resolve(path))) throw new UsageError(`--output: ${shown} is what is to be read`);
    if (outputFor(path) === null)
      throw new UsageError(`--output: ${shown} should end in one of ${OUTPUT_EXTENSIONS.join(' ')}`);
  }
}

/** All are made before the first is written. @throws InputError where one cannot be written */
export async function writeOutputs(paths: readonly string[], result: Result): Promise<void> {
  const { outputPiecesFor } = await import('../format/outputs.js');
  const { saveReport } = await import('../commands/save.js');
  const files = paths.map(path => ({ path, content: outputPiecesFor(path)!(result) }));
  for (const { path, content } of files) saveReport(path, content);
}
