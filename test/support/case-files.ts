// Folders of archives in the shared folder, each with an expect.json of expected results.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IdsReport, Report } from '../../src/commands.js';
import { sharedFolder } from './corpus.js';
import { said } from './terminal.js';

/** The expected results for one archive. */
export interface Expected {
  readonly verify?: Partial<Report['verdicts']> & {
    /** false: an error among the findings, or a refusal to read. */
    readonly sound?: false;
    readonly exit?: number;
    readonly max_findings?: number;
  };
  /** Exit code with `--fail-on warning`. */
  readonly warn?: number;
  /** Engines for which `ids` must predict that they load nothing, or everything. */
  readonly refused?: readonly string[];
  readonly accepted?: readonly string[];
  /** Text that a command must print, and must not. */
  readonly text?: readonly string[];
  readonly text_not?: readonly string[];
  readonly text_cmd?: readonly string[];
  readonly producer?: string;
  readonly why: string;
}

export interface CaseFile {
  readonly name: string;
  readonly path: string;
  readonly expected: Expected;
}

/** Empty if the folder is absent. */
export function caseFiles(folder: string): CaseFile[] {
  const place = join(sharedFolder, folder);
  const list = join(place, 'expect.json');
  if (!existsSync(list)) return [];
  const all = JSON.parse(readFileSync(list, 'utf8')) as Record<string, Expected>;
  return Object.entries(all).map(([name, expected]) => ({ name, path: join(place, name), expected }));
}

/** Compares an archive with all its expected results. */
export async function judge({ path, expected }: CaseFile): Promise<void> {
  const { status, stdout } = await said(['verify', '--json', path]);
  const report = status === 2 ? null : (JSON.parse(stdout) as Report);
  judgeVerify(status, report, expected);
  if (expected.warn !== undefined)
    assert.is((await said(['verify', '--fail-on', 'warning', path])).status, expected.warn, 'warnings');
  if (expected.producer !== undefined) assert.match(report?.archive.producer ?? '', expected.producer);
  await judgeEngines(path, expected);
  await judgeText(path, expected);
}

function judgeVerify(status: number, report: Report | null, { verify = {} }: Expected): void {
  const { sound, exit, max_findings: most, ...verdicts } = verify;
  const findings = report?.findings ?? [];
  const codes = findings.map(({ severity, code }) => `${severity} ${code}`).join(', ');
  if (sound === false) {
    const errors = findings.filter(({ severity }) => severity === 'error');
    assert.ok(status === 2 || (status === 1 && errors.length > 0), `exit ${status}, no error: ${codes}`);
  }
  for (const [name, value] of Object.entries(verdicts))
    assert.is(report?.verdicts[name as keyof Report['verdicts']], value, `${name}: ${codes}`);
  if (exit !== undefined) assert.is(status, exit, `exit code: ${codes}`);
  if (most !== undefined) assert.ok(findings.length <= most, `${findings.length} findings: ${codes}`);
}

async function judgeEngines(path: string, { refused = [], accepted = [] }: Expected): Promise<void> {
  if (refused.length + accepted.length === 0) return;
  const { images } = JSON.parse((await said(['ids', '--json', path])).stdout) as IdsReport;
  const answers = (engine: string) =>
    images.flatMap(({ engines }) => engines).filter(answer => answer.engine === engine);
  for (const engine of refused) {
    const all = answers(engine);
    assert.ok(all.length > 0 && all.every(({ id }) => id === null), `${engine} does not refuse`);
  }
  for (const engine of accepted) {
    const all = answers(engine);
    const words = all.map(({ refusal }) => refusal).join('; ');
    assert.ok(all.length > 0 && all.every(({ id }) => id !== null), `${engine} refuses: ${words}`);
  }
}

async function judgeText(path: string, expected: Expected): Promise<void> {
  const { text = [], text_not: absent = [], text_cmd: command = ['verify'] } = expected;
  if (text.length + absent.length === 0) return;
  const { stdout, stderr } = await said([...command, path]);
  for (const words of text) assert.match(stdout + stderr, words);
  for (const words of absent) assert.not.match(stdout + stderr, words);
}
