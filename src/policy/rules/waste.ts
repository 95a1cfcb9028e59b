import { bytes } from '../../checks/rule.js';
import { type WasteCause, wasteCauses, wastedFileReport } from '../../report/waste-causes.js';
import { nameText } from '../../scan/entries/name.js';
import { type Breach, defineRule, type Needs, type OptionsOf, option, unset } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { percentText, share, size, type ValueType } from '../types.js';

const WASTE = ['total', 'overwritten', 'deleted', 'duplicated', 'cached'] as const;
type WasteName = (typeof WASTE)[number];

const wasteOptions = (type: ValueType<number>, what: string) => ({
  total: unset(type, `${what} all kinds together`),
  overwritten: unset(type, `${what} files that a later layer replaces`),
  deleted: unset(type, `${what} files that a later layer deletes`),
  duplicated: unset(type, `${what} copies of files that the image has elsewhere`),
  cached: unset(type, `${what} caches, package lists, logs and the like`),
});

type WasteBudgets = OptionsOf<ReturnType<typeof wasteOptions>>;

const budgetProblem = (budgets: WasteBudgets) =>
  WASTE.some(kind => budgets[kind] !== null) ? null : `no budget is set: expected ${WASTE.join(', ')}`;

/** Copies are told by the digests of files, and so is the total that they are a part of. */
const wasteNeeds = ({ total, duplicated }: WasteBudgets): Needs => ({
  files: true,
  contents: { digests: total !== null || duplicated !== null ? 'duplicates' : false },
});

interface Wasted {
  readonly kind: WasteName;
  readonly most: number;
  readonly actual: number;
  /** Bytes, where `actual` is a share. */
  readonly bytes: number;
  /** The causes that cost most, and the instructions of the layers that they name. */
  readonly causes: readonly (WasteCause & { readonly hider: string | null })[];
}

const SHOWN = 3;

/** Causes of less than this share of the waste are left to `waybill waste`. */
const LEAST = 0.05;

function causesOf(subject: ImageSubject, kind: WasteName): Wasted['causes'] {
  const instruction = (layer: number) => subject.instructionOf(layer) ?? '';
  const files = subject.waste.files.filter(file => kind === 'total' || file.kind === kind);
  const causes = wasteCauses(
    files.map(wastedFileReport),
    subject.image.layers.map((_, i) => instruction(i)),
  );
  return causes
    .filter(({ bytes: part }, i) => i === 0 || part >= LEAST * subject.waste[kind])
    .slice(0, SHOWN)
    .map(cause => ({ ...cause, hider: cause.hiddenBy === null ? null : instruction(cause.hiddenBy) }));
}

/** @param measure  from bytes of waste to what the budget is about */
function* wasted(
  subject: ImageSubject,
  budgets: WasteBudgets,
  measure: (wasted: number) => number,
): Generator<Breach<Wasted>> {
  const { waste, unread } = subject;
  let isOpen = false;
  for (const kind of WASTE) {
    const most = budgets[kind];
    if (most === null) continue;
    const actual = measure(waste[kind]);
    if (actual > most) {
      const causes = causesOf(subject, kind);
      yield {
        data: { kind, most, actual, bytes: waste[kind], causes },
        layer: causes[0]?.layers[0],
        key: kind,
      };
    } else isOpen = true;
  }
  if (isOpen && unread !== null) yield { unchecked: `not all of its files are known: ${unread}` };
}

/** To four digits, or as many as tell it from its limit. */
function shareText(part: number, limit: number): string {
  const short = `${Number((part * 100).toPrecision(4))}%`;
  return short === percentText(limit) ? percentText(part) : short;
}

const kindText = (kind: WasteName) => (kind === 'total' ? 'wasted' : kind);

const wasteRemedy = ({ causes }: Wasted) => (causes.length === 0 ? null : causes.map(causeText).join('; '));

/** Characters of an instruction that a remedy repeats. */
const INSTRUCTION = 80;

function causeText(cause: Wasted['causes'][number]): string {
  const { what, bytes: size, place, files: n, hiddenBy, hider, instead } = cause;
  const where = n === 1 ? place : `${place} (${n} files)`;
  const short = hider !== null && hider.length > INSTRUCTION ? `${hider.slice(0, INSTRUCTION)}…` : hider;
  const by = hiddenBy === null ? '' : ` (layer ${hiddenBy + 1}${short ? `: ${short}` : ''})`;
  return `${bytes(size)} in ${where}, ${what}${by}: ${instead}`;
}

const MEND =
  '`waybill waste ARCHIVE` lists the files, the layers that ship them and what to write instead: delete files in the RUN that makes them, use --mount=type=cache for caches, COPY --chmod and --chown instead of RUN chmod and chown.';

export const wasteBytes = defineRule({
  code: 'waste-bytes',
  subject: 'waste',
  severity: 'error',
  what: 'The image does not have more wasted bytes than this, in total or of one kind.',
  why: 'Files that a later layer hides, duplicates, and caches of package managers are transferred with each pull and never used.',
  mend: MEND,
  example: 'waste-bytes: 20MB\n# or\nwaste-bytes:\n  deleted: 0\n  cached: 5MB',
  options: wasteOptions(size, 'most bytes of'),
  main: 'total',
  needs: wasteNeeds,
  problem: budgetProblem,
  image: (subject, options) => wasted(subject, options, amount => amount),
  message: ({ kind, most, actual }: Wasted) =>
    `${bytes(actual)} ${kindText(kind)}, at most ${bytes(most)} are allowed`,
  remedy: wasteRemedy,
});

export const wasteShare = defineRule({
  code: 'waste-share',
  subject: 'waste',
  severity: 'error',
  what: 'The wasted bytes are at most this share of all file bytes in the layers of the image.',
  why: 'A limit in bytes fits images of one size. A share fits small and large images.',
  mend: MEND,
  example:
    'waste-share: 5%\n# or\nwaste-share:\n  deleted: 2%\n  from: 1MB   # less waste than that is not looked at',
  options: {
    ...wasteOptions(share, 'largest share of'),
    from: option(size, 'waste of fewer bytes is not looked at, whatever its share', 0),
  },
  main: 'total',
  needs: wasteNeeds,
  problem: budgetProblem,
  image(subject, options) {
    const shipped = shippedBytes(subject);
    return wasted(subject, options, amount =>
      shipped === 0 || amount < options.from ? 0 : amount / shipped,
    );
  },
  message: ({ kind, most, actual, bytes: amount }: Wasted) =>
    `${shareText(actual, most)} ${kindText(kind)} (${bytes(amount)}), at most ${percentText(most)} is allowed`,
  remedy: wasteRemedy,
});

/** Bytes of all regular files in all layers, hidden or not. */
function shippedBytes({ unpacked: { tree, tables, stowaways } }: ImageSubject): number {
  let sum = 0;
  for (const { inode, linkedTo } of tree.passing)
    if (inode.type === 'file' && linkedTo === null) sum += tables[inode.layer]!.sizes[inode.index]!;
  for (const stowaway of stowaways) sum += stowaway.bytes;
  return sum;
}

interface DiveBreach {
  readonly limit: number;
  readonly actual: number;
  readonly bytes: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly count: number }[];
}

type DiveMeasure = 'efficiency' | 'wastedBytes' | 'userWastedPercent';

function* inDive(subject: ImageSubject, measure: DiveMeasure, limit: number): Generator<Breach<DiveBreach>> {
  const { dive } = subject;
  if (dive === null) {
    const reason = subject.unread ?? 'dive would not read it: it has too many directories';
    return yield { unchecked: `dive's numbers are not known: ${reason}` };
  }
  // Dive divides by the bytes above the first layer: nothing of nothing passes, and anything of nothing does not.
  const none = dive.wastedBytes === 0 ? 0 : Number.POSITIVE_INFINITY;
  const actual = dive[measure] ?? none;
  if (measure === 'efficiency' ? actual >= limit : actual <= limit) return;
  const files = dive.inefficient
    .slice(0, SHOWN)
    .map(({ path, bytes: size, count }) => ({ path: nameText(path), bytes: size, count }));
  yield { data: { limit, actual, bytes: dive.wastedBytes, files } };
}

const diveRemedy = ({ files }: DiveBreach) =>
  files.length === 0
    ? null
    : `start with ${files.map(file => `${file.path} (${bytes(file.bytes)} in ${file.count} layers)`).join('; ')}. \`waybill waste --score dive\` lists all`;

const DIVE_NEEDS = () => ({ files: true });
const DIVE_MEND =
  'The finding names the paths that cost most: change the instruction that adds each of them, and delete files in the RUN that makes them. A .dive-ci file can be given as it is: `waybill check ARCHIVE --dive-ci .dive-ci`.';

export const diveEfficiency = defineRule({
  code: 'dive-efficiency',
  subject: 'waste',
  severity: 'error',
  what: "dive's efficiency is at least this: `lowestEfficiency` of a .dive-ci file.",
  why: 'A team that uses dive can keep its thresholds: the numbers and the verdicts are the same.',
  mend: DIVE_MEND,
  example: 'dive-efficiency: 95%',
  options: { lowest: option(share, 'least efficiency', 0.9) },
  main: 'lowest',
  needs: DIVE_NEEDS,
  image: (subject, { lowest }) => inDive(subject, 'efficiency', lowest),
  message: ({ limit, actual }: DiveBreach) =>
    `dive's efficiency is ${shareText(actual, limit)}, at least ${percentText(limit)} is required`,
  remedy: diveRemedy,
});

export const diveWastedBytes = defineRule({
  code: 'dive-wasted-bytes',
  subject: 'waste',
  severity: 'error',
  what: "dive's wasted bytes are at most this: `highestWastedBytes` of a .dive-ci file.",
  why: 'A team that uses dive can keep its thresholds: the numbers and the verdicts are the same.',
  mend: DIVE_MEND,
  example: 'dive-wasted-bytes: 20MB',
  options: { highest: option(size, 'most bytes wasted', 20_000_000) },
  main: 'highest',
  needs: DIVE_NEEDS,
  image: (subject, { highest }) => inDive(subject, 'wastedBytes', highest),
  message: ({ limit, actual }: DiveBreach) =>
    `dive counts ${bytes(actual)} wasted, at most ${bytes(limit)} are allowed`,
  remedy: diveRemedy,
});

export const diveUserWasted = defineRule({
  code: 'dive-user-wasted',
  subject: 'waste',
  severity: 'error',
  what: "dive's wasted bytes are at most this share of the bytes above the first layer: `highestUserWastedPercent` of a .dive-ci file.",
  why: 'A team that uses dive can keep its thresholds: the numbers and the verdicts are the same.',
  mend: DIVE_MEND,
  example: 'dive-user-wasted: 10%',
  options: { highest: option(share, 'largest share wasted', 0.1) },
  main: 'highest',
  needs: DIVE_NEEDS,
  image: (subject, { highest }) => inDive(subject, 'userWastedPercent', highest),
  message: ({ limit, actual, bytes: amount }: DiveBreach) =>
    `dive counts ${bytes(amount)} wasted, ${Number.isFinite(actual) ? `${shareText(actual, limit)} of the bytes` : 'and no bytes'} above the first layer, at most ${percentText(limit)} is allowed`,
  remedy: diveRemedy,
});

export const wasteRules = [wasteBytes, wasteShare, diveEfficiency, diveWastedBytes, diveUserWasted];
