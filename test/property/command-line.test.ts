// The command line prints what the library returns, for any archive; and no command line causes a bug.
import fc from 'fast-check';
import { test } from 'uvu';
import {
  type Answer,
  InputError,
  type ReadOptions,
  type Result,
  readArchive,
  type UsageError,
} from '../../src/commands.js';
import { toJson } from '../../src/format/json.js';
import { toText } from '../../src/format/text.js';
import { said } from '../support/terminal.js';
import { archiveRecipe, membersOf } from './archives.js';
import { type Asked, askedOf, EVERYTHING, REPORTS, WORDS } from './commands.js';
import { tarOf } from './containers.js';
import { damagedMembers, memberDamage } from './damage.js';
import { forgedIn } from './hidden.js';
import { kept } from './readings.js';
import { always } from './runs.js';
import { hostileText } from './texts.js';

/** Arguments that are equivalent to entries of `REPORTS` and `WORDS`. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  show: ['show'],
  verify: ['verify', '--fail-on', 'warning'],
  ids: ['ids', '--find', 'sha256:4'],
  report: ['report', '--binary'],
  'sizes by layer': ['sizes', '--by', 'layer', '--depth', '2'],
  'sizes by directory': ['sizes', '--by', 'directory', '--depth', '2'],
  'sizes by package': ['sizes', '--by', 'package', '--depth', '2'],
  files: ['files'],
  'files --tree': ['files', '--tree', '--where', '**/*a*'],
  'files --in 1': ['files', '--in', '1'],
  waste: ['waste'],
  'packages by type': ['packages', '--by', 'type'],
  'inspect classic': ['inspect', '--store', 'classic', '--api', '1.51'],
  'inspect containerd 1.24': ['inspect', '--store', 'containerd', '--api', '1.24', '--json'],
  'images containerd json': ['images', '--store', 'containerd', '--format', 'json'],
  'history json': ['history', '--store', 'classic', '--json', '--no-trunc'],
  'manifest inspect -v': ['manifest', 'inspect', '-v'],
  'imagetools json': ['imagetools', 'inspect', '--json'],
  config: ['config'],
};
const ASKED = [...REPORTS, ...WORDS].filter(({ name }) => name in ARGUMENTS);
/** Depths differ, because the result depends on whether all bytes were read. */
const DEPTHS: Readonly<Record<string, ReadOptions>> = { show: { depth: 'metadata' }, verify: {}, ids: {} };
const NOW = new Date('2026-01-01T00:00:00Z');

interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const damaged = fc.record({ recipe: archiveRecipe, damages: fc.array(memberDamage, { maxLength: 3 }) });

function expected(made: Result | Answer | InputError | UsageError, json: boolean): Said {
  if (made instanceof Error) return { stdout: '', stderr: made.message, status: 2 };
  if ('doc' in made) {
    const stdout = json ? toJson(made.data) : toText(made.doc, { width: null, color: false });
    return { stdout, stderr: '', status: made.exitCode };
  }
  const stdout = typeof made.stdout === 'string' ? made.stdout : Buffer.from(made.stdout).toString();
  return { stdout, stderr: made.notes.join('\n'), status: made.exitCode };
}

async function compare(file: string, asked: Asked, json: boolean): Promise<void> {
  const [word = '', ...options] = ARGUMENTS[asked.name]!;
  const isNested = word === 'manifest' || word === 'imagetools';
  const command = isNested ? [word, ...options.splice(0, 1)] : [word];
  const isReport = REPORTS.includes(asked);
  const args = [...command, file, ...options, ...(json && isReport ? ['--json'] : [])];
  const actual = await said(args, { now: NOW });
  const reading = await readArchive(file, DEPTHS[asked.name] ?? EVERYTHING).catch(error => {
    if (!(error instanceof InputError)) throw error;
    return error;
  });
  const wanted = expected(
    reading instanceof InputError ? reading : askedOf(reading, asked),
    json && isReport,
  );
  for (const part of ['stdout', 'stderr', 'status'] as const) {
    if (actual[part] === wanted[part]) continue;
    const shown = [actual, wanted].map(one => JSON.stringify(one[part]).slice(0, 600)).join('\n  ');
    throw new Error(
      `${args.slice(1).join(' ')}: the command line and the library differ in ${part}:\n  ${shown}`,
    );
  }
}

test('the command line prints what the library gives', async () => {
  const what = fc.record({
    archive: damaged,
    asked: fc.subarray(ASKED, { minLength: 4, maxLength: 4 }),
    json: fc.boolean(),
  });
  let number = 0;
  await always(what, 12, async ({ archive: { recipe, damages }, asked, json }) => {
    // `said` caches readings by file name.
    const file = kept(tarOf(damages.reduce(damagedMembers, membersOf(recipe))), `image-${number++}.tar`);
    for (const one of asked) await compare(file, one, json);
  });
});

const OPTIONS = [
  '--json',
  '--platform',
  'linux/amd64',
  '--format',
  '{{.}}',
  '{{json .Config}}',
  'table {{.ID}}',
  '--filter',
  'reference=*',
  'until=1h',
  '--where',
  '--in',
  '1',
  '--by',
  'package',
  '--top',
  '0',
  '-1',
  '--depth',
  '--find',
  '--jobs',
  '1',
  '--limit',
  'members=1',
  'documentBytes=10',
  '--no-trunc',
  '-q',
  '--store',
  'containerd',
  '--api',
  '1.24',
  '--raw',
  '-v',
  '--units',
  '--score',
  '--fail-on',
  '--require-complete',
  '--',
  '-',
  '#',
];
const COMMANDS = [
  'show',
  'verify',
  'ids',
  'sizes',
  'files',
  'waste',
  'packages',
  'attestations',
  'report',
  'inspect',
  'history',
  'images',
  'config',
  'explain',
  'diff',
];

test('any arguments give an answer, or a refusal with the reason', async () => {
  const file = kept(tarOf(membersOf(fc.sample(archiveRecipe, { seed: 3, numRuns: 1 })[0]!)), 'typed.tar');
  const word = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...OPTIONS) },
    { weight: 1, arbitrary: hostileText },
    { weight: 1, arbitrary: fc.constant(file) },
  );
  const what = fc.record({ command: fc.constantFrom(...COMMANDS), words: fc.array(word, { maxLength: 4 }) });
  await always(what, 60, async ({ command, words }) => {
    // Standard input is the test runner's own.
    const args = [command, file, ...words.filter(one => one !== '-' && !/^--?(?:h|help|version)$/.test(one))];
    const { stderr, status } = await said(args, { now: NOW });
    if (![0, 1, 2].includes(status)) throw new Error(`status ${status}`);
    const forged = forgedIn(stderr);
    if (forged !== null) throw new Error(`${args.join(' ')}: ${forged}`);
  });
});

test.run();
