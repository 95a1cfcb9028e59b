// Every function of the library that answers about an archive.
import {
  type Answer,
  type ArchiveReading,
  attestations,
  diff,
  files,
  history,
  InputError,
  ids,
  imageInspect,
  images,
  imagetoolsInspect,
  manifestInspect,
  overview,
  packages,
  parsePlatform,
  type Result,
  rawConfig,
  show,
  sizes,
  UsageError,
  verify,
  waste,
} from '../../src/commands.js';
import { checkResult } from './formats.js';
import { forgedIn, hiddenIn } from './hidden.js';

/** The depth and contents that all commands together need. */
export const EVERYTHING = { depth: 'files', files: { digests: true, packages: true, keep: ['**'] } } as const;

const NOW = new Date('2026-01-01T00:00:00Z');

export interface Asked {
  readonly name: string;
  /** True if docs/schema.json describes it. */
  readonly schema?: boolean;
  readonly ask: (reading: ArchiveReading) => Result | Answer;
}

const stores = ['classic', 'vfs', 'containerd'] as const;
const IMAGES = { filters: [], tree: false, quiet: false, noTrunc: false, digests: false } as const;
const HISTORY = { store: 'classic', human: true, quiet: false, noTrunc: false, now: NOW } as const;

/** waybill's own reports. */
export const REPORTS: readonly Asked[] = [
  { name: 'show', schema: true, ask: reading => show(reading, {}) },
  { name: 'verify', schema: true, ask: reading => verify(reading, { failOn: 'warning' }) },
  { name: 'ids', schema: true, ask: reading => ids(reading, { find: 'sha256:4', docker: 29 }) },
  { name: 'report', schema: true, ask: reading => overview(reading, { units: 'binary' }) },
  ...([undefined, 'layer', 'directory', 'file', 'extension', 'package'] as const).map(
    (by): Asked => ({
      name: `sizes by ${by}`,
      schema: true,
      ask: reading => sizes(reading, { by, depth: 2 }),
    }),
  ),
  { name: 'files', schema: true, ask: reading => files(reading, { units: 'si' }) },
  {
    name: 'files --tree',
    schema: true,
    ask: reading => files(reading, { tree: true, where: ['**/*a*'], units: 'si' }),
  },
  { name: 'files --in 1', schema: true, ask: reading => files(reading, { in: '1', units: 'si' }) },
  { name: 'files --in 2', schema: true, ask: reading => files(reading, { in: '2' }) },
  { name: 'waste', schema: true, ask: reading => waste(reading, {}) },
  { name: 'attestations', schema: true, ask: reading => attestations(reading, { compare: true }) },
  ...(['layer', 'type', 'name'] as const).map(
    (by): Asked => ({ name: `packages by ${by}`, schema: true, ask: reading => packages(reading, { by }) }),
  ),
  {
    name: 'diff with itself',
    ask: reading => diff({ reading, selection: {} }, { reading, selection: {} }, { text: true }),
  },
];

/** Docker's commands. Their output is Docker's: hidden characters are escaped only for a terminal. */
export const WORDS: readonly Asked[] = [
  ...stores.flatMap((store): Asked[] => [
    {
      name: `inspect ${store} of Docker 28`,
      ask: reading => imageInspect(reading, {}, { store, docker: 28 }),
    },
    {
      name: `images ${store} of Docker 28`,
      ask: reading => images([reading], { ...IMAGES, store, docker: 28, now: NOW }),
    },
    { name: `inspect ${store}`, ask: reading => imageInspect(reading, {}, { store, api: '1.51' }) },
    {
      name: `inspect ${store} 1.24`,
      ask: reading => imageInspect(reading, {}, { store, api: '1.24', format: 'json' }),
    },
    { name: `images ${store}`, ask: reading => images([reading], { ...IMAGES, store, now: NOW }) },
    {
      name: `images ${store} json`,
      ask: reading => images([reading], { ...IMAGES, store, now: NOW, format: 'json' }),
    },
    { name: `history ${store}`, ask: reading => history(reading, {}, { ...HISTORY, store }) },
  ]),
  {
    name: 'inspect template',
    ask: reading => imageInspect(reading, {}, { store: 'classic', api: '1.51', format: '{{json .}} {{.}}' }),
  },
  {
    name: 'images tree',
    ask: reading => images([reading], { ...IMAGES, store: 'containerd', tree: true, now: NOW }),
  },
  {
    name: 'images filtered',
    ask: reading =>
      images([reading, reading], {
        ...IMAGES,
        store: 'classic',
        digests: true,
        filters: ['label=a', 'reference=*:*'],
        now: NOW,
      }),
  },
  {
    name: 'history json',
    ask: reading => history(reading, {}, { ...HISTORY, format: 'json', noTrunc: true }),
  },
  {
    name: 'history template',
    ask: reading =>
      history(reading, {}, { ...HISTORY, format: 'table {{.ID}}\t{{.CreatedBy}}\t{{.Comment}}' }),
  },
  { name: 'manifest inspect', ask: reading => manifestInspect(reading, {}, {}) },
  { name: 'manifest inspect -v', ask: reading => manifestInspect(reading, {}, { verbose: true }) },
  { name: 'manifest inspect --raw', ask: reading => manifestInspect(reading, {}, { raw: true }) },
  { name: 'imagetools', ask: reading => imagetoolsInspect(reading, {}, {}) },
  { name: 'imagetools --raw', ask: reading => imagetoolsInspect(reading, {}, { raw: true }) },
  { name: 'imagetools json', ask: reading => imagetoolsInspect(reading, {}, { format: '{{json .}}' }) },
  { name: 'config', ask: reading => rawConfig(reading, {}) },
  {
    name: 'config of a platform',
    ask: reading => rawConfig(reading, { platform: parsePlatform('linux/arm64/v8')! }),
  },
];

/** The result of a query: an answer, or a refusal with a clear message. Any other error is rethrown. */
export function askedOf(
  reading: ArchiveReading,
  { name, ask }: Asked,
): Result | Answer | InputError | UsageError {
  try {
    return ask(reading);
  } catch (error) {
    if (error instanceof InputError || error instanceof UsageError) return error;
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

const JSON_WORDS = /^inspect (?!template)|^manifest inspect(?! --raw)|^imagetools json/;

/** Asks everything, and looks at every answer in every format. */
/**
 * Runs every query, and checks every answer in every format.
 * @param asPages  the reports that are also rendered as pages, which takes time
 */
export function checkCommands(reading: ArchiveReading, asPages: readonly Asked[] = REPORTS): void {
  for (const one of [...REPORTS, ...WORDS]) {
    const answer = askedOf(reading, one);
    if (answer instanceof Error) checkRefusal(answer, one.name);
    else if ('doc' in answer)
      checkResult(answer, one.name, { schema: one.schema ?? false, pages: asPages.includes(one) });
    else checkAnswer(answer, one.name);
  }
}

/** Checks that text of an archive cannot make a line of its own in an error. */
export function checkRefusal(error: Error, what: string): void {
  const hidden = hiddenIn(error.message) ?? forgedIn(error.message);
  if (hidden !== null)
    throw new Error(`${what} refuses with ${hidden} in ${JSON.stringify(error.message.slice(0, 300))}`);
}

function checkAnswer({ stdout, exitCode, notes }: Answer, what: string): void {
  if (exitCode !== 0 && exitCode !== 1) throw new Error(`${what}: exit code ${exitCode}`);
  const text = typeof stdout === 'string' ? stdout : Buffer.from(stdout).toString();
  const documents = JSON_WORDS.test(what) ? [text] : what.endsWith(' json') ? text.split('\n') : [];
  if (exitCode === 0) for (const document of documents) if (document !== '') checkJson(document, what);
  for (const note of notes) {
    // Notes are printed one per line, each escaped.
    const hidden = forgedIn(note);
    if (hidden !== null) throw new Error(`${what} notes ${hidden} in ${JSON.stringify(note.slice(0, 300))}`);
  }
}

function checkJson(text: string, what: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}: ${text.slice(0, 300)}`);
  }
}
