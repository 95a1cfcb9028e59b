import { InputError } from '../../errors.js';
import { Evaluator } from '../../policy/evaluate.js';
import { DEFAULT_PRESET } from '../../policy/presets.js';
import { type CheckContext, type ImageSubject, subjectsOf } from '../../policy/subject.js';
import { parsePorts, ports, quotedInYaml } from '../../policy/types.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { reportOf } from '../../report/report.js';
import { type Selection, selectImages } from '../../report/select.js';
import { bytes, count } from '../../report/words.js';
import { nameText } from '../../scan/entries/name.js';
import { formatPlatform } from '../../spec/platform.js';
import { visible } from '../../visible.js';

/** The options to read an archive for `initialPolicy`. */
export const initReadOptions: ReadOptions = {
  depth: 'files',
  files: { digests: true, secrets: true, keep: ['/etc/passwd'] },
};

/** A rule as it would stand in a policy. */
interface Line {
  readonly code: string;
  /** In YAML, one line. */
  readonly value: string;
  /** Today's value, for the comment. */
  readonly today: string;
}

const SOURCE = 'waybill.yaml';

/**
 * A policy that an archive passes: what it is today becomes the budget. What it would not pass stands in comments.
 * @throws InputError where the selection matches nothing, and where there is no image
 */
export async function initialPolicy(
  reading: ArchiveReading,
  selection: Selection,
  context: CheckContext,
): Promise<string> {
  const chosen = selectImages(reading, selection);
  const report = reportOf(reading, chosen);
  const subjects = subjectsOf(reading, chosen, report, context);
  if (subjects.length === 0)
    throw new InputError('it holds no image to take budgets from', reading.opened.file);
  const lines = linesFor(subjects);
  const { composePolicy } = await import('../../policy/compose.js');
  const { policy } = await composePolicy({ presets: [], files: [SOURCE], diveCi: null }, async () => ({
    text: policyText(lines),
  }));
  const { findings } = new Evaluator(policy, context, 'error').evaluate(reading, chosen, report);
  const broken = new Map(
    findings.flatMap(({ code, rule, message }) => (rule === null ? [] : [[rule ?? code, message] as const])),
  );
  const passes = lines.filter(({ code }) => !broken.has(code));
  const fails = lines.filter(({ code }) => broken.has(code));
  const unsound = findings.filter(({ rule, severity }) => rule === null && severity === 'error').length;
  return `${head(reading, unsound)}${policyText(passes)}${openLines(fails, broken)}`;
}

const policyText = (lines: readonly Line[]) =>
  `extends: ${DEFAULT_PRESET}\nrules:\n${lines.map(({ code, value, today }) => `  # ${visible(today)}\n  ${code}: ${value}\n`).join('')}`;

function head({ opened: { file } }: ReadingOf, unsound: number): string {
  const name = file === '-' ? 'standard input' : visible(file);
  const lines = [
    `Policy for \`waybill check\`, written by --init from ${name}.`,
    'What it is today is its budget. `waybill explain RULE` says what a rule means and which options it has.',
    ...(unsound === 0
      ? []
      : [`The archive itself has ${count(unsound, 'error')}, which no policy passes: waybill verify.`]),
  ];
  return lines.map(line => `# ${line}\n`).join('');
}

type ReadingOf = Pick<ArchiveReading, 'opened'>;

/** Rules that the archive does not pass today, to be switched on once it does. */
function openLines(lines: readonly Line[], broken: ReadonlyMap<string, string>): string {
  if (lines.length === 0) return '';
  const texts = lines.map(
    ({ code, value }) => `  # ${code}: ${value}   # today: ${visible(broken.get(code)!)}\n`,
  );
  return `\n  # Not passed today; remove the # once they are:\n${texts.join('')}`;
}

function linesFor(subjects: readonly ImageSubject[]): Line[] {
  return [...sizeLines(subjects), ...configLines(subjects), ...secretLines(subjects), ...fixedLines()];
}

const most = (numbers: readonly number[]) => Math.max(0, ...numbers);

function sizeLines(subjects: readonly ImageSubject[]): Line[] {
  const unpacked = subjects.map(({ sizes }) => sizes.unpacked);
  const isKnown = subjects.every(({ sizes, unread }) => unread === null && sizes.unpacked !== null);
  const layers = most(subjects.map(({ image }) => image.layers.length));
  const budgetOfLayers = {
    code: 'layer-count',
    value: String(Math.max(1, layers)),
    today: count(layers, 'layer'),
  };
  if (!isKnown) return [budgetOfLayers];
  const size = most(unpacked as readonly number[]);
  const waste = most(subjects.map(subject => subject.waste.total));
  const file = largestFile(subjects);
  return [
    { code: 'image-size', value: budget(size), today: `${bytes(size)} unpacked` },
    budgetOfLayers,
    ...(file === null
      ? []
      : [
          {
            code: 'file-size',
            value: budget(file.bytes),
            today: `the largest is /${file.path}, ${bytes(file.bytes)}`,
          },
        ]),
    {
      code: 'waste-bytes',
      value: budget(waste),
      today:
        waste === 0 ? 'nothing wasted' : `${bytes(waste)} wasted; \`waybill waste\` says how to remove it`,
    },
  ];
}

function largestFile(
  subjects: readonly ImageSubject[],
): { readonly path: string; readonly bytes: number } | null {
  let largest: { path: string; bytes: number } | null = null;
  for (const { unpacked } of subjects) {
    for (const { path, inode } of unpacked.tree.nodes) {
      if (inode.type !== 'file') continue;
      const size = unpacked.tables[inode.layer]!.sizes[inode.index]!;
      if (size > (largest?.bytes ?? 0)) largest = { path: nameText(path), bytes: size };
    }
    for (const { path, bytes: size } of unpacked.stowaways)
      if (size > (largest?.bytes ?? 0)) largest = { path: nameText(path), bytes: size };
  }
  return largest;
}

/** Rounded up to three digits, in the unit in which people write it. */
function budget(size: number): string {
  const UNITS = ['', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(UNITS.length - 1, size < 1000 ? 0 : Math.floor(Math.log10(size) / 3));
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, size))) - 2);
  const rounded = Math.ceil(size / step) * step;
  return `${Number((rounded / 1000 ** unit).toPrecision(6))}${UNITS[unit]}`;
}

function configLines(subjects: readonly ImageSubject[]): Line[] {
  const distinct = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())];
  const exposed = distinct(subjects.map(({ run }) => run.exposedPorts));
  const known = exposed.map(parsePorts).filter(port => port !== null);
  const volumes = distinct(subjects.map(({ run }) => run.volumes));
  const platforms = distinct(
    subjects.map(({ image }) => (image.platform === null ? [] : [formatPlatform(image.platform)])),
  );
  const labels = distinct(subjects.map(({ run }) => [...run.labels.keys()])).filter(
    name => name.startsWith('org.opencontainers.image.') && subjects.every(({ run }) => run.labels.get(name)),
  );
  const list = (items: readonly string[]) => `[${items.map(quotedInYaml).join(', ')}]`;
  return [
    { code: 'user-not-root', value: 'error', today: usersOf(subjects) },
    {
      code: 'exposed-ports',
      value: list(known.map(port => ports.write(port))),
      today: exposed.length === 0 ? 'none is exposed' : `exposed: ${exposed.join(', ')}`,
    },
    {
      code: 'volumes',
      value: list(volumes),
      today: volumes.length === 0 ? 'none is declared' : `declared: ${volumes.join(', ')}`,
    },
    ...(platforms.length === 0
      ? []
      : [{ code: 'platforms-allowed', value: list(platforms), today: platforms.join(', ') }]),
    ...(labels.length === 0
      ? []
      : [{ code: 'labels', value: list(labels), today: 'the labels that it has' }]),
  ];
}

function usersOf(subjects: readonly ImageSubject[]): string {
  const users = new Set(subjects.map(({ run }) => (run.user === '' ? 'not set' : JSON.stringify(run.user))));
  return `the user is ${[...users].join(', ')}`;
}

/** The secrets of today by their fingerprints, so that one more is an error. */
function secretLines(subjects: readonly ImageSubject[]): Line[] {
  const secrets = new Map(
    subjects.flatMap(subject => subject.secrets.map(({ fingerprint, kind }) => [fingerprint, kind] as const)),
  );
  if (secrets.size === 0) return [];
  const today = `${count(secrets.size, 'secret')} (${[...new Set(secrets.values())].join(', ')}): revoke each, build without it, and remove its fingerprint`;
  const known = [...secrets.keys()].map(fingerprint => JSON.stringify(fingerprint));
  return [{ code: 'no-secrets', value: `{ known: [${known.join(', ')}] }`, today }];
}

/** Rules that have no budget: an archive passes them or not. */
function fixedLines(): Line[] {
  return [
    { code: 'start-command', value: 'error', today: 'it says what to run' },
    { code: 'no-latest', value: 'error', today: 'no name has the tag latest' },
    { code: 'history', value: 'error', today: 'each layer has its instruction' },
    { code: 'no-missing-blobs', value: 'error', today: 'nothing that it names is missing' },
  ];
}
