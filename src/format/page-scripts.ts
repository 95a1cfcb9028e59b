import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** In the order in which they depend on each other: they share one scope. */
const SCRIPTS = ['element', 'tree', 'layout', 'view', 'start'] as const;

/**
 * Scripts that draw the maps of a page: the library with its licence, and our own. Read from the files of the build;
 * the bundle has this function's result in its place (`bin/bundle.ts`).
 */
export function mapScripts(): readonly string[] {
  const library = createRequire(import.meta.url).resolve('d3-hierarchy');
  const licence = readFileSync(join(library, '../../LICENSE'), 'utf8');
  const code = readFileSync(join(library, '../d3-hierarchy.min.js'), 'utf8');
  const own = SCRIPTS.map(name => readFileSync(new URL(`page/${name}.js`, import.meta.url), 'utf8'));
  return [
    `/* d3-hierarchy\n${licence.trim()}\n*/\n${code}`,
    `(() => {\n"use strict";\n${own.map(withoutDirective).join('\n')}\n})();`,
  ];
}

const withoutDirective = (script: string) => script.replace(/^"use strict";\n/, '');
