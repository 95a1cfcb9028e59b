import { KEPT_FOR_PACKAGES } from '../../analysis/installed.js';
import { SIZE_NAMES, type SizeName } from '../../analysis/weigh.js';
import { bytes } from '../../checks/rule.js';
import { pathFilter } from '../../containers/path-filter.js';
import type { Change, ImageComparison } from '../comparison.js';
import { overlinkedFile } from '../image-files.js';
import { nameFilter } from '../image-names.js';
import { MOST_SETUID } from '../inventory.js';
import { type Breach, defineRule, option, unset } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import {
  type GrowthLimit,
  glob,
  growthText,
  growth as growthType,
  isWithinGrowth,
  listOf,
  size,
} from '../types.js';
import { mayBeRoot, needsForUser } from './config.js';
import { specialBits } from './content.js';

/** The earlier image; a reason where there is none to compare with. */
function earlier(subject: ImageSubject): ImageComparison | string | null {
  const { comparison } = subject;
  if (comparison === null)
    return 'there is nothing to compare with: name an earlier archive or report with --against';
  // `compared-image` says so, once for all rules.
  return comparison.unpaired === undefined ? comparison : null;
}

/** Hands the comparison to a rule, or says why there is none. */
function* compared<D>(
  subject: ImageSubject,
  rule: (comparison: ImageComparison) => Iterable<Breach<D>>,
): Generator<Breach<D>> {
  const comparison = earlier(subject);
  if (typeof comparison === 'string') yield { unchecked: comparison };
  else if (comparison !== null) yield* rule(comparison);
}

const needsFiles = () => ({ files: true });

/**
 * A layer that cannot be read may have any file. What is missing of the earlier image makes more findings, not fewer.
 */
function* unknownFiles(subject: ImageSubject): Generator<Breach<never>> {
  if (subject.unread !== null)
    yield { unchecked: `not all of its files are known: ${subject.unread}`, key: 'files' };
}

const SIZES = {
  unpacked: unset(growthType, 'most growth of the unpacked size'),
  stored: unset(growthType, 'most growth of what this archive stores'),
  compressed: unset(growthType, 'most growth of what a registry transfers'),
  content: unset(growthType, 'most growth of the regular files'),
  docker: unset(growthType, 'most growth of the size that Docker tells'),
};

interface Grown extends Change {
  readonly what: 'size' | 'layer' | 'directory' | 'package';
  /** The name of a size, an instruction, a path, or a package. */
  readonly name: string;
  readonly limit: GrowthLimit;
  readonly file: string;
  /** The largest growth as text: `+22 MB /app/node_modules/date-fns`. */
  readonly most: readonly string[];
}

/** The largest growth, for the remedy. */
const growers = ({ directories }: ImageComparison): string[] =>
  (directories ?? [])
    .filter(({ before, after }) => after > before)
    .slice(0, 3)
    .map(({ path, before, after }) => `${signed(after - before)} /${path}`);

/** `+22 MB`. */
export const signed = (count: number): string => `${count < 0 ? '-' : '+'}${bytes(Math.abs(count))}`;

export const growth = defineRule({
  code: 'growth',
  subject: 'comparison',
  severity: 'error',
  what: 'The image is not larger than the earlier one by more than this: as a whole, and in each layer, directory and package.',
  why: 'A budget shows only the change that exceeds it. This rule shows the growth of each change, and the directory that grew.',
  mend: 'The finding names the directories that grew most. Leave out what is not needed, or raise the limit in the change that needs it.',
  example: 'growth: +5%\n# or\ngrowth:\n  unpacked: +10MB\n  directory: +5MB\n  package: +20%',
  options: {
    ...SIZES,
    layer: unset(
      growthType,
      'most growth of a layer, paired by its instruction; a new one grows from nothing',
    ),
    directory: unset(growthType, 'most growth of a directory with all that is below it, in all layers'),
    package: unset(growthType, 'most growth of a package, in all layers'),
    from: option(size, 'growth of a layer, directory or package by fewer bytes is not checked', 100_000),
  },
  main: 'unpacked',
  needs: ({ content, docker, directory, package: packages }) => ({
    files: content !== null || docker !== null || directory !== null || packages !== null,
    ...(packages !== null && { contents: KEPT_FOR_PACKAGES }),
  }),
  problem: ({ from: _, ...limits }) =>
    Object.values(limits).every(limit => limit === null)
      ? 'nothing is limited: set unpacked or another size'
      : null,
  *image(subject, options) {
    yield* compared(subject, function* (comparison): Generator<Breach<Grown>> {
      for (const name of SIZE_NAMES) {
        const limit = name in SIZES ? options[name as keyof typeof SIZES] : null;
        if (limit !== null) yield* sizeGrowth(subject, comparison, name, limit);
      }
      for (const [what, items] of partsOf(comparison)) {
        const limit = options[what];
        if (limit === null) continue;
        if (what !== 'layer') yield* unknownFiles(subject);
        if (items === null)
          yield { unchecked: `the growth of each ${what} is not known of both images`, key: what };
        yield* partGrowth(comparison, what, items ?? [], limit, options.from);
      }
    });
  },
  message: ({ what, name, limit, before, after, file }: Grown) =>
    `${what === 'size' ? `the ${name} size` : what === 'directory' ? `/${name}` : `the ${what} ${name}`} grew by ${bytes(after - before)}${shareText(before, after)} since ${file}, from ${bytes(before)} to ${bytes(after)}; at most ${growthText(limit)} is allowed`,
  remedy: ({ most }) =>
    most.length === 0
      ? 'leave out what was added, or raise the limit in the change that needs it'
      : `what grew most: ${most.join(', ')}`,
});

const shareText = (before: number, after: number) =>
  before === 0 ? '' : ` (+${Number((((after - before) / before) * 100).toPrecision(3))}%)`;

function* sizeGrowth(
  subject: ImageSubject,
  comparison: ImageComparison,
  name: SizeName,
  limit: GrowthLimit,
): Generator<Breach<Grown>> {
  const change = comparison.sizes[name];
  if (change === undefined) yield { unchecked: `the ${name} size is not known of both images`, key: name };
  else if (!isWithinGrowth(change, limit)) {
    const { before, after } = change;
    const data = {
      what: 'size' as const,
      name,
      limit,
      before,
      after,
      file: comparison.file,
      most: growers(comparison),
    };
    yield { data, key: name };
  } else if (subject.sizes.partial?.includes(name)) {
    const unchecked = `its ${name} size is at least ${bytes(change.after)}: not every layer can be read to its end`;
    yield { unchecked, key: name };
  }
}

interface Part extends Change {
  readonly name: string;
  /** False for a layer whose size cannot be told. */
  readonly isKnown?: boolean;
  readonly layer?: number | null;
}

function partsOf(
  comparison: ImageComparison,
): readonly (readonly ['layer' | 'directory' | 'package', readonly Part[] | null])[] {
  const { layers, directories, packages } = comparison;
  return [
    [
      'layer',
      layers.map(({ instruction, layer, before, after }) => ({
        name: instruction || `${(layer ?? 0) + 1}`,
        layer,
        before: before ?? 0,
        after: after ?? 0,
        isKnown: layer === null || after !== null,
      })),
    ],
    ['directory', directories?.map(({ path, ...rest }) => ({ name: path, ...rest })) ?? null],
    ['package', packages],
  ];
}

function* partGrowth(
  { file }: ImageComparison,
  what: 'layer' | 'directory' | 'package',
  parts: readonly Part[],
  limit: GrowthLimit,
  from: number,
): Generator<Breach<Grown>> {
  for (const { name, before, after, layer, isKnown = true } of parts) {
    if (!isKnown)
      yield {
        unchecked: `the size of layer ${layer! + 1} is not known`,
        layer: layer!,
        key: `${what} ${name}`,
      };
    if (after - before < from || isWithinGrowth({ before, after }, limit)) continue;
    const place = { layer: layer ?? undefined, path: what === 'directory' ? name : undefined };
    yield { data: { what, name, limit, before, after, file, most: [] }, ...place, key: `${what} ${name}` };
  }
}

interface NewSetuid {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly file: string;
}

export const newSetuid = defineRule({
  code: 'new-setuid',
  subject: 'comparison',
  severity: 'error',
  what: 'No file has the setuid or setgid bit that the earlier image does not have at that path, with that owner.',
  why: 'A setuid root program runs as root for every user. Such files often come with a package that was installed for another purpose.',
  mend: '`chmod a-s FILE` in the RUN that installs it, or allow the path.',
  example: 'new-setuid: [/usr/bin/ping]',
  options: {
    allowed: option(
      listOf(glob('a path or pattern such as /usr/bin/ping'), 'a list of paths'),
      'paths that may have them',
      [] as readonly string[],
    ),
  },
  main: 'allowed',
  needs: needsFiles,
  *image(subject, { allowed }) {
    const isAllowed = allowed.length === 0 ? () => false : pathFilter(allowed);
    yield* compared(subject, function* ({ setuid, setuidCut, file }): Generator<Breach<NewSetuid>> {
      yield* unknownFiles(subject);
      if (setuid === null) yield { unchecked: `the files of ${file} are not known` };
      const over = overlinkedFile(subject);
      if (over !== null)
        yield { unchecked: `hard links give /${over} too many different modes and owners`, key: 'links' };
      const reason = `${file} lists its first ${MOST_SETUID} setuid files, and others are taken for new`;
      if (setuidCut) yield { unchecked: reason, key: 'cut' };
      for (const { layer, ...one } of setuid ?? [])
        if (!isAllowed(one.path)) yield { data: { ...one, file }, path: one.path, layer: layer ?? undefined };
    });
  },
  message: (data: NewSetuid) => `/${data.path} is ${specialBits(data)}, and was not in ${data.file}`,
  remedy: ({ path }) => `chmod a-s /${path} in the RUN that installs it, or allow the path`,
});

interface NewPort {
  readonly port: string;
  readonly file: string;
}

export const newPorts = defineRule({
  code: 'new-ports',
  subject: 'comparison',
  severity: 'error',
  what: 'The image exposes no port that the earlier one does not.',
  why: 'Ports are an interface: firewalls, probes and users depend on them.',
  mend: 'Remove the EXPOSE, or explain it in the description of the change.',
  example: 'new-ports: warning',
  options: {},
  *image(subject) {
    yield* compared(subject, function* ({ ports, file }): Generator<Breach<NewPort>> {
      const place = {
        at: subject.configPlace('ExposedPorts'),
        instruction: subject.lastInstruction('EXPOSE'),
      };
      for (const port of ports.added) yield { data: { port, file }, ...place, key: port };
    });
  },
  message: ({ port, file }: NewPort) => `it exposes ${port}, which the image in ${file} does not`,
  remedy: ({ port }) => `remove EXPOSE ${port}, or explain it in the description of the change`,
});

interface NewPackage {
  readonly name: string;
  readonly version: string;
  readonly manager: string;
  /** Bytes of its files. */
  readonly shipped: number;
  readonly file: string;
}

export const newPackages = defineRule({
  code: 'new-packages',
  subject: 'comparison',
  severity: 'error',
  what: 'No package is installed that the earlier image does not have. A new version of a package is not a new package.',
  why: 'Each package needs security updates and often installs others: --no-install-recommends is often missing.',
  mend: 'Use `apt-get install --no-install-recommends`, and install packages that only the build needs in a stage of their own.',
  example: 'new-packages: ["lib*"]',
  options: {
    allowed: option(
      listOf(glob('a name or pattern such as lib*'), 'a list of names'),
      'packages that may be new',
      [] as readonly string[],
    ),
  },
  main: 'allowed',
  needs: () => ({ files: true, contents: KEPT_FOR_PACKAGES }),
  *image(subject, { allowed }) {
    const isAllowed = allowed.length === 0 ? () => false : nameFilter(allowed);
    yield* compared(subject, function* ({ packages, file }): Generator<Breach<NewPackage>> {
      yield* unknownFiles(subject);
      if (packages === null) yield { unchecked: `the packages of ${file} are not known` };
      for (const { name, manager, from, to, after } of packages ?? [])
        if (from === null && to !== null && !isAllowed(name))
          yield { data: { name, version: to, manager, shipped: after, file }, key: `${manager} ${name}` };
    });
  },
  message: ({ name, version, shipped, file }: NewPackage) =>
    `the package ${name} ${version} (${bytes(shipped)}) is new: the image in ${file} does not have it`,
  remedy: () => 'leave it out, or install without recommended packages',
});

interface ChangedUser {
  readonly before: string;
  readonly after: string;
  readonly file: string;
}

export const changedUser = defineRule({
  code: 'changed-user',
  subject: 'comparison',
  severity: 'error',
  what: 'The image runs as the user that the earlier one ran as. A change to a user that is not root is a warning.',
  why: 'Files in volumes and secrets belong to the earlier user, and the new user may not read them. Without USER the image runs as root.',
  mend: 'Set USER in the last stage.',
  example: 'changed-user: warning',
  options: {},
  needs: (_, images) => needsForUser(images),
  *image(subject) {
    yield* compared(subject, function* ({ user, file }): Generator<Breach<ChangedUser>> {
      if (user === null) return;
      const place = { at: subject.configPlace('User'), instruction: subject.lastInstruction('USER') };
      yield { data: { ...user, file }, ...place, severity: mayBeRoot(subject) ? undefined : 'warning' };
    });
  },
  message: ({ before, after, file }: ChangedUser) =>
    `it runs as ${userText(after)}, and the image in ${file} as ${userText(before)}`,
  remedy: ({ before }) =>
    before === ''
      ? 'explain it in the description of the change'
      : `USER ${before} in the last stage, or explain it in the description of the change`,
});

const userText = (user: string) => (user === '' ? 'root (no USER)' : JSON.stringify(user));

interface ChangedVariable {
  readonly name: string;
  readonly how: 'added' | 'removed' | 'changed';
  readonly file: string;
}

export const changedEnv = defineRule({
  code: 'changed-env',
  subject: 'comparison',
  severity: 'error',
  what: 'The environment variables of the image are those of the earlier one, with the same values. Findings do not contain the values.',
  why: 'An ENV of the base image, or one set from a build argument, can change what the image does without a change of its code.',
  mend: 'Set ENV in the last stage, or allow the variable.',
  example: 'changed-env: ["*_VERSION"]',
  options: {
    allowed: option(
      listOf(glob('a name or pattern such as *_VERSION'), 'a list of names'),
      'variables that may change',
      [] as readonly string[],
    ),
  },
  main: 'allowed',
  *image(subject, { allowed }) {
    const isAllowed = allowed.length === 0 ? () => false : nameFilter(allowed);
    yield* compared(subject, function* ({ env, file }): Generator<Breach<ChangedVariable>> {
      const place = { at: subject.configPlace('Env'), instruction: null };
      for (const how of ['added', 'removed', 'changed'] as const)
        for (const name of env[how])
          if (!isAllowed(name)) yield { data: { name, how, file }, ...place, key: name };
    });
  },
  message: ({ name, how, file }: ChangedVariable) =>
    how === 'changed'
      ? `the variable ${name} has another value than in ${file}`
      : `the variable ${name} is ${how === 'added' ? 'new' : 'gone'}: the image in ${file} ${how === 'added' ? 'does not have it' : 'has it'}`,
  remedy: ({ name }) => `set ENV ${name} in the last stage, or allow the variable`,
});

interface ChangedCommand {
  readonly what: 'entrypoint' | 'cmd';
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly file: string;
}

export const changedCommand = defineRule({
  code: 'changed-command',
  subject: 'comparison',
  severity: 'error',
  what: 'ENTRYPOINT and CMD are those of the earlier image.',
  why: 'The container runs another program, or the same program with other arguments. Deployments that set their own arguments may fail.',
  mend: 'Set ENTRYPOINT and CMD in the last stage: a new ENTRYPOINT removes the CMD of the base.',
  example: 'changed-command: warning',
  options: {},
  *image(subject) {
    yield* compared(subject, function* ({ entrypoint, cmd, file }): Generator<Breach<ChangedCommand>> {
      for (const [what, change, key] of [
        ['entrypoint', entrypoint, 'Entrypoint'],
        ['cmd', cmd, 'Cmd'],
      ] as const) {
        if (change === null) continue;
        const place = {
          at: subject.configPlace(key),
          instruction: subject.lastInstruction(what.toUpperCase()),
        };
        yield { data: { what, ...change, file }, ...place, key: what };
      }
    });
  },
  message: ({ what, before, after, file }: ChangedCommand) =>
    `its ${what.toUpperCase()} is ${JSON.stringify(after)}, and ${JSON.stringify(before)} in ${file}`,
  remedy: ({ what, before }) =>
    `${what.toUpperCase()} ${JSON.stringify(before)} in the last stage, or explain it in the description of the change`,
});

interface OtherImage {
  readonly file: string;
  /** Why there is none to compare with; null where another one is compared with. */
  readonly reason: string | null;
  readonly names: readonly string[];
  readonly own: readonly string[];
}

export const comparedImage = defineRule({
  code: 'compared-image',
  subject: 'comparison',
  severity: 'error',
  what: 'The image and the earlier image have a name in common (tags do not count) and the same platform.',
  why: 'In a comparison with an unrelated image, everything is new, or nothing has grown.',
  mend: 'Give --against an archive or a report of this image. ARCHIVE#REF chooses one image of an archive that has several.',
  example: 'compared-image: warning',
  options: {},
  *image({ comparison, names }): Generator<Breach<OtherImage>> {
    if (comparison === null) return;
    const { file } = comparison;
    if (comparison.unpaired !== undefined) {
      yield { data: { file, reason: comparison.unpaired, names: [], own: names } };
    } else if (!comparison.sameName)
      yield { data: { file, reason: null, names: comparison.names, own: names } };
  },
  message: ({ file, reason, names, own }: OtherImage) =>
    reason === null
      ? `it is compared with another image: ${list(names)} in ${file}, and this is ${list(own)}`
      : `it cannot be compared with ${file}: ${reason}`,
  remedy: () => 'name the archive or the report of this image with --against',
});

const list = (names: readonly string[]) => names.map(name => JSON.stringify(name)).join(', ');

export const comparisonRules = [
  comparedImage,
  growth,
  newSetuid,
  newPorts,
  newPackages,
  changedUser,
  changedEnv,
  changedCommand,
];
