import type { EntryType } from '../../scan/entries/table.js';
import { valueWithoutSecrets, wordsWithoutSecrets } from '../../secrets/search.js';
import { fileOf, type ImageFile, lstat, stat } from '../image-files.js';
import { keptPatterns, textOf } from '../path-condition.js';
import { type Breach, defineRule, files } from '../rule.js';
import type {
  FileContentTest,
  FileExistenceTest,
  MetadataTest,
  Setting,
  StructureTest,
} from '../structure-test.js';
import type { ImageSubject } from '../subject.js';
import type { NamedFile, Pattern } from '../types.js';

/** In what an image is not as a test has it. */
type Failure =
  /** A path where nothing is, or something that should not be there. */
  | { readonly what: 'missing' | 'present' | 'no-file'; readonly subject: string; readonly found: string }
  /** A property of a file or a setting of the config. */
  | { readonly what: 'differs'; readonly subject: string; readonly expected: string; readonly found: string }
  /** A pattern that should match, or should not. */
  | { readonly what: 'no-match' | 'match'; readonly subject: string; readonly pattern: string }
  /** Something that the config should have, or should not. */
  | { readonly what: 'not-set' | 'set'; readonly subject: string }
  /** Tests that need a container. */
  | { readonly what: 'not-run'; readonly subject: string; readonly count: number };

type StructureBreach = Failure & {
  /** File and line. */
  readonly from: string;
  /** The name of the test. */
  readonly test: string;
};

/** A test with its file. */
interface TestFile {
  readonly path: string;
  readonly test: StructureTest;
}

const testsOf = (named: readonly NamedFile[]): TestFile[] =>
  named.flatMap(({ path, content }) => (content === null ? [] : [{ path, test: content as StructureTest }]));

export const structureTest = defineRule({
  code: 'structure-test',
  subject: 'content',
  severity: 'error',
  what: 'The image passes the tests of these files, as container-structure-test has them: fileExistenceTests, fileContentTests and metadataTest.',
  why: 'Teams that have such files do not have to write the same tests again. commandTests, licenseTests and globalEnvVars need a container, which waybill does not start: they are reported as not run.',
  mend: 'Change the image or the test. The finding names the file and line of the test.',
  example: 'structure-test: tests/structure.yaml',
  options: {
    files: files(
      'YAML or JSON of schemaVersion 1.0.0 or 2.0.0, named relative to the policy',
      'files of tests',
      async text => {
        const { parseStructureTest } = await import('../structure-test.js');
        const { test, notes, problems } = parseStructureTest(text);
        return { content: test, notes, problems };
      },
    ),
  },
  main: 'files',
  problem: ({ files: named }) => (named.length === 0 ? 'no file of tests is named' : null),
  needs: options => ({
    files: true,
    contents: {
      keep: testsOf(options.files).flatMap(({ test }) =>
        test.content.flatMap(({ path }) => keptPatterns(path)),
      ),
    },
  }),
  *image(subject, options) {
    for (const { path, test } of testsOf(options.files)) yield* failuresOf(subject, test, path);
  },
  *archive(subjects, options) {
    const [only = null] = subjects.length === 1 ? subjects : [];
    for (const { path, test } of testsOf(options.files))
      for (const { key, count, at } of test.notRun) {
        const data = { what: 'not-run' as const, subject: key, count, from: `${path}:${at.line}`, test: '' };
        yield { data, subject: only, severity: 'info' as const, key: `${path} ${key}` };
      }
  },
  message: (data: StructureBreach) =>
    `${data.from}${data.test === '' ? '' : ` ${JSON.stringify(data.test)}`}: ${failureText(data)}`,
  remedy: ({ what, from }) =>
    what === 'not-run'
      ? 'run them with container-structure-test where there is an engine'
      : `change the image, or the test in ${from}`,
});

function failureText(failure: Failure): string {
  const { subject } = failure;
  switch (failure.what) {
    case 'missing':
      return `${subject} should exist, and ${failure.found}`;
    case 'present':
      return `${subject} should not exist, and is a ${failure.found}`;
    case 'no-file':
      return `${subject} should be a file, and ${failure.found}`;
    case 'differs':
      return `${subject}: expected ${failure.expected}, found ${failure.found}`;
    case 'no-match':
      return `${subject} does not match ${failure.pattern}`;
    case 'match':
      return `${subject} matches ${failure.pattern}`;
    case 'not-set':
      return `the image does not have ${subject}`;
    case 'set':
      return `the image has ${subject}`;
    case 'not-run':
      return `${failure.subject} (${failure.count}) were not run: they need a container`;
  }
}

function* failuresOf(
  subject: ImageSubject,
  { version, existence, content, metadata }: StructureTest,
  file: string,
): Generator<Breach<StructureBreach>> {
  const expand =
    version === '1.0.0' ? (path: string) => path : (path: string) => expanded(path, envOf(subject));
  for (const test of existence)
    yield* placed(existenceFailures(subject, test, expand(test.path)), test.name, `${file}:${test.at.line}`);
  for (const test of content)
    yield* placed(contentFailures(subject, test, expand(test.path)), test.name, `${file}:${test.at.line}`);
  if (metadata !== null)
    for (const failure of metadataFailures(subject, metadata))
      yield* placed([{ failure }], 'metadataTest', `${file}:${metadata.at.line}`);
}

/** A failure with the file that it is about, or why a test cannot be run. */
type Outcome = { readonly failure: Failure; readonly file?: ImageFile } | { readonly unchecked: string };

function* placed(
  outcomes: Iterable<Outcome>,
  test: string,
  from: string,
): Generator<Breach<StructureBreach>> {
  for (const outcome of outcomes) {
    if ('unchecked' in outcome) {
      yield { unchecked: `${from} ${JSON.stringify(test)}: ${outcome.unchecked}`, key: test };
      continue;
    }
    const { failure, file } = outcome;
    const place = file === undefined ? {} : { path: file.path, layer: file.layer };
    yield { data: { ...failure, test, from }, ...place, key: `${test} ${failure.subject}` };
  }
}

function envOf({ run: { env } }: ImageSubject): ReadonlyMap<string, string> {
  return new Map(
    env.map(entry => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** `$HOME/x`, `${HOME}/x`; what is not set is empty. https://pkg.go.dev/os#Expand */
const expanded = (path: string, env: ReadonlyMap<string, string>): string =>
  path.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced: string | undefined, bare: string | undefined) => env.get(braced ?? bare ?? '') ?? '',
  );

const TYPE_WORDS: Readonly<Record<EntryType, string>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symbolic link',
  hardlink: 'hard link to nothing',
  char: 'character device',
  block: 'block device',
  fifo: 'FIFO',
  other: 'special file',
};

/** A layer that cannot be read may add, delete or replace any file. */
const unknownFiles = (reason: string): Outcome => ({ unchecked: `not all files are known: ${reason}` });

/** A path that ends in a slash is that of a directory, also through a link. */
function* existenceFailures(
  subject: ImageSubject,
  { shouldExist, permissions, uid, gid, executableBy }: FileExistenceTest,
  path: string,
): Generator<Outcome> {
  const node = path.length > 1 && path.endsWith('/') ? stat(subject, path) : lstat(subject, path);
  if (subject.unread !== null) yield unknownFiles(subject.unread);
  if (node === null) {
    if (shouldExist && subject.unread === null)
      yield { failure: { what: 'missing', subject: path, found: 'does not' } };
    return;
  }
  const file = fileOf(subject, node);
  if (!shouldExist) {
    yield { failure: { what: 'present', subject: path, found: TYPE_WORDS[file.type] }, file };
    return;
  }
  const differs = (what: string, expected: string, found: string): Outcome => ({
    failure: { what: 'differs', subject: `${what} of ${path}`, expected, found },
    file,
  });
  const mode = goModeText(file);
  if (permissions !== '' && permissions !== mode) yield differs('permissions', permissions, mode);
  if (executableBy !== '' && (file.mode & (EXECUTABLE[executableBy] ?? 0)) === 0)
    yield differs('permissions', `executable by ${executableBy}`, mode);
  const { entry } = file;
  if (uid !== null && entry.uid !== uid) yield differs('user ID', String(uid), String(entry.uid));
  if (gid !== null && entry.gid !== gid) yield differs('group ID', String(gid), String(entry.gid));
}

const EXECUTABLE: Readonly<Record<string, number>> = { any: 0o111, owner: 0o100, group: 0o010, other: 0o001 };

/** A mode as Go writes it, not as ls does. https://pkg.go.dev/io/fs#FileMode.String */
export function goModeText({ type, mode }: Pick<ImageFile, 'type' | 'mode'>): string {
  const letters = [
    type === 'directory' ? 'd' : '',
    type === 'symlink' ? 'L' : '',
    type === 'char' || type === 'block' ? 'D' : '',
    type === 'fifo' ? 'p' : '',
    (mode & 0o4000) === 0 ? '' : 'u',
    (mode & 0o2000) === 0 ? '' : 'g',
    type === 'char' ? 'c' : '',
    (mode & 0o1000) === 0 ? '' : 't',
  ].join('');
  const bits = [...'rwxrwxrwx'].map((letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'));
  return (letters === '' ? '-' : letters) + bits.join('');
}

function* contentFailures(
  subject: ImageSubject,
  { expected, excluded }: FileContentTest,
  path: string,
): Generator<Outcome> {
  const node = stat(subject, path);
  if (subject.unread !== null) yield unknownFiles(subject.unread);
  if (node === null) {
    if (subject.unread === null)
      yield { failure: { what: 'no-file', subject: path, found: 'nothing is there' } };
    return;
  }
  const file = fileOf(subject, node);
  if (file.type !== 'file') {
    yield { failure: { what: 'no-file', subject: path, found: `is a ${TYPE_WORDS[file.type]}` }, file };
    return;
  }
  if (file.content === null) {
    yield { unchecked: `the content of ${path} was not kept: it is too large, or has another name` };
    return;
  }
  const text = textOf(file.content);
  const fails = (what: 'no-match' | 'match', pattern: Pattern): Outcome => ({
    failure: { what, subject: path, pattern: pattern.source },
    file,
  });
  for (const pattern of expected) if (!pattern.test(text)) yield fails('no-match', pattern);
  for (const pattern of excluded) if (pattern.test(text)) yield fails('match', pattern);
}

function* metadataFailures(subject: ImageSubject, test: MetadataTest): Generator<Failure> {
  const { run } = subject;
  const env = envOf(subject);
  yield* settingFailures('the variable', test.env, env);
  for (const key of test.unboundEnv) if (env.has(key)) yield { what: 'set', subject: `the variable ${key}` };
  yield* settingFailures('the label', test.labels, run.labels);
  const numbers = run.exposedPorts.map(port => port.split('/')[0]!);
  yield* missingMembers('the port', numbers, test.exposedPorts);
  // With a protocol the port is meant all the same: the tool itself would pass every image.
  yield* unwantedMembers('the port', [...numbers, ...run.exposedPorts], test.unexposedPorts);
  yield* missingMembers('the volume', run.volumes, test.volumes);
  yield* unwantedMembers('the volume', run.volumes, test.unmountedVolumes);
  const same = (key: string, expected: readonly string[] | null, found: readonly string[]): Failure[] =>
    expected === null || JSON.stringify(expected) === JSON.stringify(found)
      ? []
      : [{ what: 'differs', subject: key, expected: JSON.stringify(expected), found: shownWords(found) }];
  const shownWords = (words: readonly string[]) => JSON.stringify(wordsWithoutSecrets(words));
  yield* same('entrypoint', test.entrypoint, run.entrypoint);
  yield* same('cmd', test.cmd, run.cmd);
  for (const [key, expected, found] of [
    ['workdir', test.workdir, run.workingDir],
    ['user', test.user, run.user],
  ] as const)
    if (expected !== '' && expected !== found)
      yield {
        what: 'differs',
        subject: key,
        expected: JSON.stringify(expected),
        found: JSON.stringify(found),
      };
}

function* settingFailures(
  what: string,
  settings: readonly Setting[],
  actual: ReadonlyMap<string, string>,
): Generator<Failure> {
  for (const { key, value, pattern } of settings) {
    const found = actual.get(key);
    if (found === undefined) yield { what: 'not-set', subject: `${what} ${key}` };
    else if (pattern !== null && !pattern.test(found))
      yield {
        what: 'no-match',
        subject: `${what} ${key} (${JSON.stringify(valueWithoutSecrets(key, found))})`,
        pattern: pattern.source,
      };
    else if (pattern === null && found !== value)
      yield {
        what: 'differs',
        subject: `${what} ${key}`,
        expected: JSON.stringify(value),
        found: JSON.stringify(valueWithoutSecrets(key, found)),
      };
  }
}

function* missingMembers(
  what: string,
  actual: readonly string[],
  wanted: readonly string[],
): Generator<Failure> {
  for (const one of wanted) if (!actual.includes(one)) yield { what: 'not-set', subject: `${what} ${one}` };
}

function* unwantedMembers(
  what: string,
  actual: readonly string[],
  unwanted: readonly string[],
): Generator<Failure> {
  for (const one of unwanted) if (actual.includes(one)) yield { what: 'set', subject: `${what} ${one}` };
}

export const structureRules = [structureTest];
