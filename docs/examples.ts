import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Examples of a page: TypeScript, and below it what it prints. */
const EXAMPLE = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g;

export const examplesIn = (page: string): readonly string[] =>
  [...page.matchAll(EXAMPLE)].map(([, source]) => source!);

const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  types: ['node'],
};

/**
 * A page with the output of each example as it is now.
 * @param root     the repository, in whose folder the examples run
 * @param project  a folder with `waybill` and `@types/node` in its node_modules, where the examples are compiled
 * @throws Error when an example does not compile or fails
 */
export function withExampleOutputs(page: string, root: string, project: string): string {
  const sources = examplesIn(page);
  const files = sources.map((_, i) => `example-${i + 1}`);
  for (const [i, file] of files.entries()) writeFileSync(join(project, `${file}.ts`), sources[i]!);
  const config = { compilerOptions: COMPILER_OPTIONS, include: ['example-*.ts'] };
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const run = (...args: readonly string[]) =>
    execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  run(join(root, 'node_modules/typescript/bin/tsc'), '-p', project);
  const outputs = files.map(file => run(join(project, `${file}.js`)));
  let at = 0;
  return page.replace(
    EXAMPLE,
    (_, source: string) => `\`\`\`ts\n${source}\`\`\`\n\n\`\`\`text\n${outputs[at++]}\`\`\``,
  );
}
