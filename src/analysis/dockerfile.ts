import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { withoutSecrets } from '../secrets/search.js';
import type { HistoryEntry } from '../spec/config.js';
import { dockerfileLine, shownStep } from './instruction.js';

/** An instruction of a Dockerfile. Lines from 1. */
interface Step {
  readonly keyword: string;
  readonly line: number;
  readonly endLine: number;
  /** Its words, without flags, comments and documents. The JSON form gives the texts of the list. */
  readonly words: readonly string[];
  /** The contents of its here-documents. */
  readonly documents: readonly string[];
}

interface Stage {
  readonly name: string | null;
  readonly base: string;
  readonly steps: readonly Step[];
}

/** Lines of an instruction, from 1. */
export interface StepLines {
  readonly line: number;
  readonly endLine: number;
}

/** A Dockerfile, to be compared with the history of images. https://docs.docker.com/reference/dockerfile/ */
export interface Dockerfile {
  readonly stages: readonly Stage[];
}

/** Parses a Dockerfile. Never throws: a line that is not understood becomes an instruction that matches no history. */
export function parseDockerfile(text: string): Dockerfile {
  const stages: { name: string | null; base: string; steps: Step[] }[] = [];
  const parsed = DockerfileParser.parse(text);
  const lines = text.split(/\r?\n/);
  const froms = new Map(parsed.getFROMs().map(from => [from.getRange().start.line, from]));
  for (const instruction of parsed.getInstructions()) {
    const from = froms.get(instruction.getRange().start.line);
    // An ARG before the first FROM makes no step in a history.
    if (from === undefined) stages.at(-1)?.steps.push(stepOf(instruction, lines));
    else stages.push({ name: from.getBuildStage(), base: from.getImage() ?? '', steps: [] });
  }
  return { stages };
}

/** An instruction with here-documents. dockerfile-ast declares the method only on some instructions. */
interface WithDocuments {
  getHeredocs?(): readonly {
    getName(): string;
    getContentRange(): {
      readonly start: { readonly line: number };
      readonly end: { readonly line: number };
    } | null;
  }[];
}

function stepOf(instruction: Instruction, lines: readonly string[]): Step {
  const { start, end } = instruction.getRange();
  const ranges = (instruction as unknown as WithDocuments).getHeredocs?.() ?? [];
  const documents = ranges.flatMap(document => {
    const range = document.getContentRange();
    return range === null ? [] : [lines.slice(range.start.line, range.end.line + 1).join('\n')];
  });
  const first = ranges[0]?.getContentRange()?.start.line ?? Number.POSITIVE_INFINITY;
  const list = jsonList(instruction.getArgumentsContent() ?? '');
  const words = instruction
    .getArguments()
    .filter(argument => argument.getRange().start.line < first)
    .map(argument => argument.getValue());
  return {
    keyword: instruction.getKeyword(),
    line: start.line + 1,
    endLine: end.line + 1,
    words: list ?? words,
    documents,
  };
}

function jsonList(text: string): readonly string[] | null {
  if (!text.trimStart().startsWith('[')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(word => typeof word === 'string') ? value : null;
  } catch {
    return null;
  }
}

/** Names of the stages, or their numbers from 0, as `docker build --target` accepts them. */
export const stageNames = ({ stages }: Dockerfile): readonly string[] =>
  stages.map(({ name }, i) => name ?? String(i));

/** The index of the stage with a name or number, by default of the last one; -1 if there is none. */
export function stageIndex({ stages }: Dockerfile, target: string | undefined): number {
  if (target === undefined) return stages.length - 1;
  const named = stages.findIndex(({ name }) => name?.toLowerCase() === target.toLowerCase());
  if (named >= 0) return named;
  return /^\d{1,4}$/.test(target) && Number(target) < stages.length ? Number(target) : -1;
}

/** The instructions that make the image of a stage: those of the stages below it, then its own. */
function chainOf(
  { stages }: Dockerfile,
  target: number,
): { readonly steps: readonly Step[]; readonly base: string } {
  const chain: Step[] = [];
  let at = target;
  for (;;) {
    const { base, steps } = stages[at]!;
    chain.unshift(...steps);
    const below = stages.slice(0, at).findLastIndex(({ name }) => name?.toLowerCase() === base.toLowerCase());
    if (below < 0) return { steps: chain, base };
    at = below;
  }
}

export type HistoryMatch = { readonly steps: readonly (StepLines | null)[] } | { readonly mismatch: string };

/**
 * Finds the instruction of each step of an image's history. The history begins with the steps of the base image and
 * ends with the instructions of the Dockerfile. Either all instructions are found, or none.
 * @param target  index of the stage from which the image was built
 */
export function matchHistory(
  dockerfile: Dockerfile,
  target: number,
  history: readonly HistoryEntry[],
): HistoryMatch {
  const { steps, base } = chainOf(dockerfile, target);
  const found: (StepLines | null)[] = history.map(() => null);
  let at = history.length - 1;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i]!;
    // `docker build --label` of the classic builder adds a step that is not in the Dockerfile.
    while (i === steps.length - 1 && at >= 0 && !isMadeBy(history[at]!, step) && isLabel(history[at]!)) at--;
    const entry = history[at];
    if (entry !== undefined && isMadeBy(entry, step)) {
      found[at--] = { line: step.line, endLine: step.endLine };
      continue;
    }
    // buildah and kaniko write no history entry for ARG.
    if (step.keyword === 'ARG') continue;
    return { mismatch: mismatchText(step, entry, history.length) };
  }
  if (base.toLowerCase() === 'scratch' && at >= 0)
    return {
      mismatch: `the stage begins FROM scratch, and the history has ${at + 1} more ${at === 0 ? 'step' : 'steps'} before its instructions`,
    };
  return { steps: found };
}

/** The first difference, with asterisks for secrets, because it is printed into logs. */
function mismatchText(step: Step, entry: HistoryEntry | undefined, length: number): string {
  const expected = brief(withoutSecrets(`${step.keyword} ${step.words.join(' ')}`));
  if (entry === undefined)
    return `line ${step.line} (${expected}) has no step: the history has ${length} and ends before it`;
  const found = entry.createdBy === null ? 'a step without created_by' : brief(shownStep(entry.createdBy));
  return `line ${step.line}: expected ${expected}, found ${found || 'an empty step'}`;
}

const brief = (text: string) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 59).replace(/[\ud800-\udbff]$/, '')}…`;
};

const isLabel = ({ createdBy }: HistoryEntry) => dockerfileLine(createdBy ?? '').startsWith('LABEL ');

/** True if a builder writes this history entry for the instruction. */
function isMadeBy({ createdBy }: HistoryEntry, step: Step): boolean {
  if (createdBy === null) return false;
  const made = dockerfileLine(createdBy);
  if (step.keyword === 'RUN') return isScript(made, step);
  const [keyword = '', ...words] = made.split(' ');
  if (keyword.toUpperCase() !== step.keyword) return false;
  const compare = COMPARED[step.keyword];
  return compare === undefined || compare(step.words, words.join(' '), step);
}

const squeezed = (text: string) => text.replace(/\s+/g, '');

/** The script may follow a shell that a SHELL instruction names, so only its end is compared. */
function isScript(made: string, { words, documents }: Step): boolean {
  const script = squeezed(made.replace(/^RUN /, ''));
  const [first = ''] = documents;
  if (documents.length > 0 && first.startsWith('#!')) return /^\/dev\/pipes\//.test(script);
  const isAlone = documents.length === 1 && words.length === 1;
  const expected = squeezed(isAlone ? first : words.join(' '));
  // The here-documents of a longer command follow it.
  if (documents.length > 0 && !isAlone) return script.startsWith(expected);
  return expected !== '' && script.endsWith(expected);
}

type Compare = (words: readonly string[], made: string, step: Step) => boolean;

const includesAll = (made: string, texts: readonly string[]) =>
  texts.every(text => text.includes('$') || made.includes(text));

/** `A=b C=d`, and the older form `A b c`. */
const names: Compare = (words, made) => {
  const isPairs = words[0]?.includes('=') === true;
  const keys = isPairs
    ? words.filter(word => word.includes('=')).map(word => word.split('=')[0]!)
    : [words[0] ?? ''];
  return includesAll(
    made,
    keys.map(key => key.replace(/["']/g, '')),
  );
};

/** Builders write the JSON form as a Go list, and the shell form with its shell. */
const command: Compare = (words, made) => {
  const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');
  const expected = letters(words.join(''));
  return words.some(word => word.includes('$')) || letters(made).endsWith(expected);
};

const copies: Compare = (words, made, { documents }) => {
  const found = made.split(' ').filter(word => word !== '' && !word.startsWith('--'));
  const [destination = '', source = ''] = [words.at(-1) ?? '', found[0] ?? ''];
  // The classic builder and buildah write the digest of the copied files, and may write an absolute destination.
  const isHashed = /^(?:file|dir|multi):/.test(source);
  if (isHashed) return !destination.startsWith('/') || isWord(destination, found.at(-1) ?? '');
  if (words.some(word => word.includes(' '))) return isWord(words.join(' '), found.join(' '));
  if (!isWord(destination, found.at(-1) ?? '')) return false;
  if (documents.length > 0) return true;
  return words.length === found.length && words.every((word, i) => isWord(word, found[i]!));
};

/** A variable may have any value. */
function isWord(word: string, made: string): boolean {
  const plain = (text: string) => text.replace(/["']/g, '').replace(/(.)\/$/, '$1');
  const [expected, found] = [plain(word), plain(made)];
  if (!expected.includes('$')) return expected === found;
  const [head = '', ...rest] = expected.split(/\$(?:\{[^}]*\}|\w+)/);
  return found.startsWith(head) && found.length >= head.length && found.endsWith(rest.at(-1) ?? '');
}

const COMPARED: Readonly<Record<string, Compare>> = {
  COPY: copies,
  ADD: copies,
  ENV: names,
  LABEL: names,
  ARG: names,
  CMD: command,
  ENTRYPOINT: command,
  USER: ([user = ''], made) => isWord(user, made),
  // Builders join a relative path with the WORKDIR before it.
  WORKDIR: ([path = ''], made) =>
    path.startsWith('/')
      ? isWord(path, made)
      : path.includes('$') || made.endsWith(path.replace(/^\.\//, '')),
  EXPOSE: (words, made) =>
    includesAll(
      made,
      words.map(word => word.replace(/\/\w+$/, '')),
    ),
};
