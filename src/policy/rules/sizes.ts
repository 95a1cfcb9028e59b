import { SIZE_NAMES, type SizeName, type Sizes } from '../../analysis/weigh.js';
import { bytes } from '../../checks/rule.js';
import { pathFilter } from '../../containers/path-filter.js';
import { nameText, rootedPath } from '../../scan/entries/name.js';
import { nameAt, typeAt } from '../../scan/entries/table.js';
import { type Breach, defineRule, type OptionsOf, option, unset } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { glob, listOf, size, whole } from '../types.js';

/** The five sizes of docs/weigh.md. */
const BUDGETS = {
  unpacked: unset(size, 'most bytes of the tar, unpacked; known of any archive'),
  stored: unset(size, 'most bytes in this archive, compressed or not'),
  compressed: unset(size, 'most bytes that a registry transfers; not known of layers that are stored plain'),
  content: unset(size, 'most bytes of regular files'),
  docker: unset(size, 'most bytes as `docker image ls` and `docker history` count them'),
};

type Budgets = OptionsOf<typeof BUDGETS>;
type BudgetName = keyof Budgets & SizeName;

const BUDGET_NAMES = SIZE_NAMES.filter((name): name is BudgetName => name in BUDGETS);

const budgetProblem = (budgets: Budgets) =>
  BUDGET_NAMES.some(name => budgets[name] !== null)
    ? null
    : `no budget is set: expected ${Object.keys(BUDGETS).join(', ')} with a size such as 250MB`;

/** Only what is in the headers of layers' tars needs the entries to be kept. */
const budgetNeeds = ({ content, docker }: Budgets) => ({ files: content !== null || docker !== null });

interface Heavy {
  readonly layer: number;
  readonly bytes: number;
  readonly instruction: string | null;
}

interface OverBudget {
  readonly size: BudgetName;
  readonly most: number;
  readonly actual: number;
  /** More may be there than is known. */
  readonly atLeast: boolean;
  /** The largest layers, largest first. */
  readonly layers: readonly Heavy[];
}

/** The sizes above their budgets, and those that cannot be compared. */
function* overBudget(
  sizes: Sizes,
  budgets: Budgets,
  layers: (name: BudgetName) => readonly Heavy[],
): Generator<Breach<OverBudget>> {
  for (const name of BUDGET_NAMES) {
    const most = budgets[name];
    const actual = sizes[name];
    const atLeast = sizes.partial?.includes(name) ?? false;
    if (most === null || (actual !== null && actual <= most && !atLeast)) continue;
    if (actual !== null && actual > most) {
      yield { data: { size: name, most, actual, atLeast, layers: layers(name) }, key: name };
    } else yield { unchecked: unknownSize(name, actual), key: name };
  }
}

function unknownSize(name: BudgetName, actual: number | null): string {
  if (actual !== null)
    return `its ${name} size is at least ${bytes(actual)}: not every layer can be read to its end`;
  return name === 'compressed'
    ? 'its compressed size is not known, because layers are stored uncompressed; set a budget for `stored` or `unpacked`'
    : `its ${name} size is not known, because layers are absent or cannot be read`;
}

const LARGEST = 3;

function heaviest(subject: ImageSubject, name: BudgetName): Heavy[] {
  return subject.layerSizes
    .map((sizes, layer) => ({ layer, bytes: sizes[name] ?? 0, instruction: subject.instructionOf(layer) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST)
    .filter(heavy => heavy.bytes > 0);
}

const overText = ({ size: name, most, actual, atLeast }: OverBudget) =>
  `the ${name} size is ${atLeast ? 'at least ' : ''}${bytes(actual)}, at most ${bytes(most)} is allowed: ${bytes(actual - most)} too much`;

const heavyText = ({ layer, bytes: weight, instruction }: Heavy) =>
  `layer ${layer + 1} (${bytes(weight)}${instruction === null ? '' : `, ${instruction}`})`;

export const imageSize = defineRule({
  code: 'image-size',
  subject: 'sizes',
  severity: 'error',
  what: 'The image is not larger than its budget, in each of the sizes for which one is set.',
  why: 'Images grow by small steps. Pull times, cold starts and storage costs grow with them. A budget makes the change that exceeds it visible in the review of that change.',
  mend: 'Look at the largest layers that the finding names. `waybill sizes ARCHIVE --by directory` and `waybill waste ARCHIVE` show what is in them and what can be removed.',
  example: 'image-size: 250MB\n# or\nimage-size:\n  unpacked: 250MB\n  compressed: 90MB',
  options: BUDGETS,
  main: 'unpacked',
  needs: budgetNeeds,
  problem: budgetProblem,
  image: (subject, options) => overBudget(subject.sizes, options, name => heaviest(subject, name)),
  message: overText,
  remedy: ({ layers }) =>
    layers.length === 0
      ? null
      : `start with ${layers.map(heavyText).join('; ')}. \`waybill sizes --by directory\` shows what is in them`,
});

export const layerSize = defineRule({
  code: 'layer-size',
  subject: 'sizes',
  severity: 'error',
  what: 'No layer is larger than its budget, in each of the sizes for which one is set.',
  why: 'A layer is transferred and unpacked as a whole. A large layer delays the start of every container, and a change to one of its files transfers all of it again.',
  mend: 'Split the instruction, so that files that change often are in a small layer of their own. Leave out files that the image does not need.',
  example: 'layer-size: 100MB',
  options: BUDGETS,
  main: 'unpacked',
  needs: budgetNeeds,
  problem: budgetProblem,
  *image(subject, options) {
    for (const [layer, sizes] of subject.layerSizes.entries())
      for (const breach of overBudget(sizes, options, () => []))
        yield { ...breach, layer, key: `${breach.key} ${subject.instructionOf(layer) ?? layer}` };
  },
  message: overText,
  remedy: () => '`waybill files ARCHIVE --layer N` lists what the layer has; split it or leave something out',
});

export const layerCount = defineRule({
  code: 'layer-count',
  subject: 'sizes',
  severity: 'error',
  what: 'The image does not have more layers than this.',
  why: 'Docker refuses to make an image of more than 125 layers ("max depth exceeded"), and each layer costs a request and a mount.',
  mend: 'Join RUN instructions that belong together, or copy the result of a build stage with one COPY --from.',
  example: 'layer-count: 30',
  options: { most: option(whole(1), 'most layers', 125) },
  main: 'most',
  *image({ image }, { most }) {
    if (image.layers.length > most) yield { data: { most, actual: image.layers.length } };
  },
  message: ({ most, actual }: { readonly most: number; readonly actual: number }) =>
    `it has ${actual} layers, at most ${most} are allowed`,
  remedy: () => 'join RUN instructions, or copy the result of a build stage with one COPY --from',
});

interface LargeFile {
  readonly path: string;
  readonly most: number;
  readonly actual: number;
}

export const fileSize = defineRule({
  code: 'file-size',
  subject: 'sizes',
  severity: 'error',
  what: 'No file of any layer is larger than this.',
  why: 'A single large file is often there by mistake: a core dump, a database, an archive that was unpacked and not deleted, or a model that should be in a volume.',
  mend: 'Leave the file out of the build context (.dockerignore), delete it in the RUN that makes it, or mount it.',
  example: 'file-size: 50MB\n# or, for some files\nfile-size:\n  most: 1MB\n  paths: ["*.log", var/lib/**]',
  options: {
    most: option(size, 'most bytes of one file', 100_000_000),
    paths: option(
      listOf(glob('a path or pattern such as *.log'), 'a list of paths'),
      'only files whose paths match one of these patterns, or lie below what does',
      [] as readonly string[],
    ),
  },
  main: 'most',
  needs: () => ({ files: true }),
  *image(subject, { most, paths }) {
    if (subject.unread !== null) yield { unchecked: `not all of its files are known: ${subject.unread}` };
    const isMeant = paths.length === 0 ? () => true : pathFilter(paths);
    for (const [layer, table] of subject.tables.entries()) {
      for (let index = 0; index < (table?.count ?? 0); index++) {
        const actual = table!.sizes[index]!;
        if (actual <= most || typeAt(table!, index) !== 'file') continue;
        const path = nameText(rootedPath(nameAt(table!, index)));
        if (isMeant(path)) yield { data: { path, most, actual }, path, layer };
      }
    }
  },
  message: ({ path, most, actual }: LargeFile) =>
    `/${path} has ${bytes(actual)}, at most ${bytes(most)} are allowed`,
  remedy: () => 'leave it out (.dockerignore), delete it in the RUN that makes it, or mount it',
});

export const sizeRules = [imageSize, layerSize, layerCount, fileSize];
