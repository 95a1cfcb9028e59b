import { didYouMean, nearest } from '../spec/nearest.js';
import { parsePattern } from './pattern.js';
import {
  entriesByKey,
  foundText,
  type SourceEntry,
  type SourceNode,
  type SourcePlace,
  type SourceProblem,
} from './source.js';
import type { Pattern } from './types.js';
import { parseSource } from './yaml.js';

/** A file of tests as container-structure-test takes it, schema versions 1.0.0 and 2.0.0. */
export interface StructureTest {
  readonly version: '1.0.0' | '2.0.0';
  readonly existence: readonly FileExistenceTest[];
  readonly content: readonly FileContentTest[];
  readonly metadata: MetadataTest | null;
  /**
   * Tests that need a container, or Google's list of licences, and are not run: the keys, with the number of tests of
   * each.
   */
  readonly notRun: readonly { readonly key: string; readonly count: number; readonly at: SourcePlace }[];
}

interface NamedTest {
  readonly at: SourcePlace;
  readonly name: string;
  /** As it is written; of version 2.0.0 with variables of the image's environment: `$HOME/x`. */
  readonly path: string;
}

export interface FileExistenceTest extends NamedTest {
  readonly shouldExist: boolean;
  /** As Go writes a mode: `-rw-r--r--`, `drwxr-xr-x`, `urwxr-xr-x`. Empty for any. */
  readonly permissions: string;
  /** null for any. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** `any`, `owner`, `group` or `other`; another word fails, as it does there. Empty for any mode. */
  readonly executableBy: string;
}

export interface FileContentTest extends NamedTest {
  readonly expected: readonly Pattern[];
  readonly excluded: readonly Pattern[];
}

export interface Setting {
  readonly key: string;
  readonly value: string;
  /** Where the value is a regular expression. */
  readonly pattern: Pattern | null;
}

export interface MetadataTest {
  readonly at: SourcePlace;
  readonly env: readonly Setting[];
  readonly unboundEnv: readonly string[];
  readonly labels: readonly Setting[];
  readonly exposedPorts: readonly string[];
  readonly unexposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly unmountedVolumes: readonly string[];
  /** null where it is not compared; a list without words has to be empty in the image too. */
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  /** Empty where it is not compared. */
  readonly workdir: string;
  readonly user: string;
}

export interface ParsedStructureTest {
  /** null where something is wrong with it. */
  readonly test: StructureTest | null;
  /** Keys that mean nothing, and are passed over. */
  readonly notes: readonly SourceProblem[];
  readonly problems: readonly SourceProblem[];
}

const VERSIONS = ['1.0.0', '2.0.0'] as const;

const NOT_RUN = ['commandTests', 'licenseTests', 'globalEnvVars', 'containerRunOptions'] as const;
const RUN = ['schemaVersion', 'fileExistenceTests', 'fileContentTests'] as const;

const EXISTENCE_KEYS = ['name', 'path', 'shouldExist', 'permissions', 'uid', 'gid', 'isExecutableBy'];
const CONTENT_KEYS = ['name', 'path', 'expectedContents', 'excludedContents'];
const SETTING_KEYS = ['key', 'value', 'isRegex'];
const METADATA_KEYS = [
  'env',
  'envVars',
  'unboundEnvVars',
  'labels',
  'exposedPorts',
  'unexposedPorts',
  'volumes',
  'unmountedVolumes',
  'entrypoint',
  'cmd',
  'workdir',
  'user',
];

/** Reads a file of tests, YAML or JSON. Everything that is wrong with it is said at once. */
export function parseStructureTest(text: string): ParsedStructureTest {
  const { root, problems } = parseSource(text);
  if (problems.length > 0) return { test: null, notes: [], problems };
  const reader = new TestReader();
  const test = reader.test(root);
  if (reader.problems.length === 0 && test !== null && root !== null && isEmptyTest(test))
    reader.problems.push({ at: root.at, message: NOTHING });
  return { test: reader.problems.length > 0 ? null : test, notes: reader.notes, problems: reader.problems };
}

/** A file that a misspelt key leaves without tests would be passed by every image. */
const NOTHING =
  'there is nothing to check: expected fileExistenceTests, fileContentTests or a metadataTest with settings';

function isEmptyTest({ existence, content, metadata, notRun }: StructureTest): boolean {
  if (existence.length + content.length + notRun.length > 0) return false;
  if (metadata === null) return true;
  const { at: _, entrypoint, cmd, ...settings } = metadata;
  // A list without words has to be empty in the image too.
  return entrypoint === null && cmd === null && Object.values(settings).every(({ length }) => length === 0);
}

type TestFields = ReadonlyMap<string, SourceEntry>;

const isNothing = (node: SourceNode | undefined) =>
  node === undefined || (node.kind === 'scalar' && node.value === null);

class TestReader {
  readonly notes: SourceProblem[] = [];
  readonly problems: SourceProblem[] = [];

  test(root: SourceNode | null): StructureTest | null {
    if (root === null) {
      this.problems.push({
        at: { line: 1, column: 1 },
        message: `schemaVersion is missing: expected ${VERSIONS.join(' or ')}`,
      });
      return null;
    }
    const version = this.version(root);
    const isFirst = version === '1.0.0';
    const keys = [...RUN, ...(isFirst ? [] : ['metadataTest']), ...NOT_RUN];
    const fields = this.fields(root, keys, 'a mapping of tests');
    const metadata = fields.get('metadataTest')?.value;
    return {
      version: version ?? '2.0.0',
      existence: this.list(fields, 'fileExistenceTests', node => this.existence(node)),
      content: this.list(fields, 'fileContentTests', node => this.content(node)),
      metadata: isFirst || metadata === undefined || isNothing(metadata) ? null : this.metadata(metadata),
      notRun: NOT_RUN.flatMap(key => {
        const entry = fields.get(key);
        if (entry === undefined || isNothing(entry.value)) return [];
        const count = entry.value.kind === 'sequence' ? entry.value.items.length : 1;
        return count === 0 ? [] : [{ key, count, at: entry.at }];
      }),
    };
  }

  private version(root: SourceNode): StructureTest['version'] | null {
    const entries = root.kind === 'mapping' ? root.entries : [];
    const entry = entries.find(({ key }) => key === 'schemaVersion');
    const expected = `expected ${VERSIONS.join(' or ')}`;
    if (root.kind === 'mapping' && entry === undefined)
      this.problems.push({ at: root.at, message: `schemaVersion is missing: ${expected}` });
    if (entry === undefined) return null;
    const found = VERSIONS.find(one => entry.value.kind === 'scalar' && entry.value.text === one);
    if (found === undefined)
      this.problems.push({
        at: entry.value.at,
        message: `schemaVersion: ${expected}, found ${foundText(entry.value)}`,
      });
    return found ?? null;
  }

  private existence(node: SourceNode): FileExistenceTest {
    const fields = this.fields(node, EXISTENCE_KEYS, 'a test: a mapping with name and path');
    return {
      ...this.named(fields, node),
      shouldExist: this.flag(fields, 'shouldExist', true),
      permissions: this.text(fields, 'permissions'),
      uid: this.id(fields, 'uid'),
      gid: this.id(fields, 'gid'),
      executableBy: this.text(fields, 'isExecutableBy'),
    };
  }

  private content(node: SourceNode): FileContentTest {
    const fields = this.fields(node, CONTENT_KEYS, 'a test: a mapping with name and path');
    const patterns = (key: string) =>
      this.list(fields, key, item => this.pattern(item)).filter(one => one !== null);
    return {
      ...this.named(fields, node),
      expected: patterns('expectedContents'),
      excluded: patterns('excludedContents'),
    };
  }

  private metadata(node: SourceNode): MetadataTest {
    const fields = this.fields(node, METADATA_KEYS, 'a mapping of settings');
    const texts = (key: string) => this.list(fields, key, item => this.textOf(item));
    const settings = (key: string) => this.list(fields, key, item => this.setting(item));
    const command = (key: string) => (isNothing(fields.get(key)?.value) ? null : texts(key));
    return {
      at: node.at,
      env: [...settings('env'), ...settings('envVars')],
      unboundEnv: this.list(fields, 'unboundEnvVars', item => this.setting(item).key),
      labels: settings('labels'),
      exposedPorts: this.ports(fields, 'exposedPorts'),
      unexposedPorts: this.ports(fields, 'unexposedPorts'),
      volumes: texts('volumes'),
      unmountedVolumes: texts('unmountedVolumes'),
      entrypoint: command('entrypoint'),
      cmd: command('cmd'),
      workdir: this.text(fields, 'workdir'),
      user: this.text(fields, 'user'),
    };
  }

  /** https://github.com/GoogleContainerTools/container-structure-test/issues/240 */
  private ports(fields: TestFields, key: string): string[] {
    return this.list(fields, key, item => {
      const port = this.textOf(item);
      const number = port.split('/')[0]!;
      if (number !== port)
        this.notes.push({
          at: item.at,
          message: `${key}: container-structure-test compares the number alone, and takes no port for ${JSON.stringify(port)}: write ${JSON.stringify(number)}`,
        });
      return port;
    });
  }

  private setting(node: SourceNode): Setting {
    const fields = this.fields(node, SETTING_KEYS, 'a mapping with key and value');
    const key = this.text(fields, 'key');
    if (key === '' && node.kind === 'mapping') this.problems.push({ at: node.at, message: 'key is missing' });
    const isPattern = this.flag(fields, 'isRegex', false);
    const value = fields.get('value')?.value;
    const pattern = isPattern && value !== undefined ? this.pattern(value) : null;
    return { key, value: this.text(fields, 'value'), pattern };
  }

  private named(fields: TestFields, node: SourceNode): NamedTest {
    const [name, path] = [this.text(fields, 'name'), this.text(fields, 'path')];
    for (const [key, value] of [['name', name] as const, ['path', path] as const])
      if (value === '' && node.kind === 'mapping')
        this.problems.push({ at: node.at, message: `${key} is missing` });
    return { at: node.at, name, path };
  }

  private pattern(node: SourceNode): Pattern | null {
    const parsed = parsePattern(this.textOf(node));
    if (typeof parsed !== 'string') return parsed;
    this.problems.push({
      at: node.at,
      message: `expected a regular expression (RE2), found ${foundText(node)}: ${parsed}`,
    });
    return null;
  }

  private text(fields: TestFields, key: string): string {
    const node = fields.get(key)?.value;
    return node === undefined ? '' : this.textOf(node);
  }

  /** A number or a word such as true is taken as it is written. */
  private textOf(node: SourceNode): string {
    if (node.kind === 'scalar') return node.value === null ? '' : node.text;
    this.expected('a text', node);
    return '';
  }

  private flag(fields: TestFields, key: string, fallback: boolean): boolean {
    const node = fields.get(key)?.value;
    if (node === undefined || isNothing(node)) return fallback;
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    this.expected('true or false', node);
    return fallback;
  }

  private id(fields: TestFields, key: string): number | null {
    const node = fields.get(key)?.value;
    if (node === undefined || isNothing(node)) return null;
    const isId = node.kind === 'scalar' && Number.isSafeInteger(node.value);
    if (!isId) this.expected('a numeric ID', node);
    // -1 is what the tool itself has for any.
    return isId && node.value !== -1 ? (node.value as number) : null;
  }

  private list<T>(fields: TestFields, key: string, read: (node: SourceNode) => T): T[] {
    const node = fields.get(key)?.value;
    if (node === undefined || isNothing(node)) return [];
    if (node.kind === 'sequence') return node.items.map(read);
    this.expected(`a list of ${key}`, node);
    return [];
  }

  private fields(node: SourceNode, known: readonly string[], expected: string): TestFields {
    if (node.kind !== 'mapping') {
      this.expected(expected, node);
      return new Map();
    }
    return entriesByKey(node.entries, known, ({ key, at }) => {
      const near = nearest(key, known);
      const hint = near.length > 0 ? didYouMean(near) : '';
      this.notes.push({ at, message: `unknown key ${JSON.stringify(key)} is ignored${hint}` });
    });
  }

  private expected(expected: string, node: SourceNode): void {
    this.problems.push({ at: node.at, message: `expected ${expected}, found ${foundText(node)}` });
  }
}
