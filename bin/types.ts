// Copies the types of the library into dist/types: those that its two doors refer to, and none of the program's.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'dist/src');
const target = join(root, 'dist/types');

const OWN = /(?:\bfrom |\bimport\(|^import )["'](\.[^"']+)\.js["']/gm;

const reached = new Set<string>();
const waiting = ['index', 'commands'].map(name => join(source, name));
for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
  if (reached.has(module)) continue;
  reached.add(module);
  const text = readFileSync(`${module}.d.ts`, 'utf8');
  for (const [, path] of text.matchAll(OWN)) waiting.push(resolve(dirname(module), path!));
}

rmSync(target, { recursive: true, force: true });
for (const module of reached) {
  const file = join(target, `${relative(source, module)}.d.ts`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, readFileSync(`${module}.d.ts`));
}
