// `npm run bench`; the options are in options.ts.
import { writeFileSync } from 'node:fs';
import Grid from 'cli-table3';
import { defaultBase, ImageCache } from './cache.js';
import { readOptions, USAGE } from './options.js';
import { chosenRaces, races } from './races.js';
import { writeReadme } from './readme.js';
import { runSuite } from './suite.js';
import { circumstances, type Table, tables } from './tables.js';

const say = (text: string) => process.stderr.write(`${text}\n`);

function gridOf({ title, head, rows }: Table): string {
  const grid = new Grid({ head: [...head], style: { head: [], border: [], compact: true } });
  grid.push(...rows.map(row => [...row]));
  return `${title}\n${grid.toString()}`;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  if (options.list) return console.log(races.map(({ id, title }) => `${id.padEnd(24)} ${title}`).join('\n'));
  if (chosenRaces(options).length === 0) throw new Error('no race is called so; --list says which there are');
  const report = await runSuite(options, new ImageCache(defaultBase(), say), say);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.readme) writeReadme(new URL('../../bench/README.md', import.meta.url), report);
  console.log([circumstances(report).join('\n'), ...tables(report).map(gridOf)].join('\n\n'));
}

try {
  await main();
} catch (error) {
  say(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
