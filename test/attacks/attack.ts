// An attack as data: what is done to waybill, how it responds, and the test that proves it. docs/security.md is
// generated from these.
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ExtractFilesOptions, extractFiles } from '../../src/commands/extract/files.js';
import {
  type FindingCode,
  InputError,
  type ReadOptions,
  type Report,
  readArchive,
  UsageError,
  verify,
} from '../../src/commands.js';
import { checkResult } from '../property/formats.js';
import type { Member } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { type Reading, readInput, saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

export interface Attack {
  /** The action of the attacker. This text is in docs/security.md. */
  readonly attack: string;
  /** The behaviour of waybill, in addition to findings and exit code. */
  readonly answer: string;
  readonly findings: readonly FindingCode[];
  /** Exit code of the command; null if no command is involved. */
  readonly exit: 0 | 1 | 2 | null;
  readonly run: () => Promise<void>;
}

export interface Chapter {
  readonly title: string;
  readonly attacks: readonly Attack[];
}

/** Members that become a tar; the bytes of a file; or the path of a file or a directory. */
export type Made = readonly Member[] | Uint8Array | string;
type Make = () => Made | Promise<Made>;

interface Verified {
  /** Codes that must be found. Further findings are allowed. */
  readonly findings?: readonly FindingCode[];
  readonly exit: 0 | 1;
  readonly verdicts?: Partial<Report['verdicts']>;
  /** Number of images that are still reported. */
  readonly images?: number;
  readonly options?: ReadOptions;
  /** The archive cannot be read from a pipe. */
  readonly seekableOnly?: boolean;
  /** Which formats are checked: a page of a very long report is not useful, and a text that is cut differs. */
  readonly formats?: 'all' | 'no-pages' | 'none';
  readonly more?: (read: Reading) => void;
}

const isPath = (made: Made): made is string => typeof made === 'string';

async function bytesOf(made: Exclude<Made, string>): Promise<Uint8Array> {
  return made instanceof Uint8Array ? made : toTar(made);
}

/** An archive that `waybill verify` reports on: as a file and as a pipe, and in every format. */
export function verified(
  attack: string,
  answer: string,
  make: Make,
  {
    findings = [],
    exit,
    verdicts = {},
    images = 1,
    options = {},
    seekableOnly,
    formats = 'all',
    more,
  }: Verified,
): Attack {
  const judge = (read: Reading, way: string) => {
    const { report, reading, exitCode } = read;
    const said = report.findings.map(({ code, message }) => `${code}: ${message.slice(0, 200)}`).join('\n');
    const codes = new Set(report.findings.map(({ code }) => code));
    for (const code of findings) assert.ok(codes.has(code), `${way}: ${code} is not among\n${said}`);
    const others = report.findings.filter(f => f.severity === 'error' && !findings.includes(f.code));
    const unexpected = others.map(({ code, message }) => `${code}: ${message}`).join('\n');
    assert.is(unexpected, '', `${way}: errors that are not expected: ${unexpected}`);
    assert.is(exitCode, exit, `${way}: exit code`);
    for (const [name, value] of Object.entries(verdicts))
      assert.is(report.verdicts[name as keyof Report['verdicts']], value, `${way}: ${name}`);
    assert.is(report.images.length, images, `${way}: images`);
    if (formats !== 'none')
      checkResult(verify(reading, { failOn: 'error' }), way, { pages: formats === 'all' });
    more?.(read);
  };
  const run = async () => {
    const made = await make();
    if (isPath(made)) {
      judge(await readInput(made, options), 'as it lies');
      return;
    }
    const bytes = await bytesOf(made);
    judge(await readInput(saved(bytes, 'attack'), options), 'as a file');
    if (seekableOnly !== true) judge(await readInput(streamOf(bytes), options), 'from a pipe');
  };
  return { attack, answer, findings, exit, run };
}

/** A file that is not an archive: only an error that says so. */
export function refused(
  attack: string,
  answer: string,
  make: Make,
  message: RegExp,
  options: ReadOptions = {},
): Attack {
  const run = async () => {
    const made = await make();
    const file = isPath(made) ? made : saved(await bytesOf(made), 'attack');
    const error = await readArchive(file, options).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof InputError || error instanceof UsageError, `expected a refusal, not ${error}`);
    assert.match((error as Error).message, message);
  };
  return { attack, answer, findings: [], exit: 2, run };
}

/** Any other attack. */
export function proved(
  attack: string,
  answer: string,
  run: () => void | Promise<void>,
  { exit = null, findings = [] }: Partial<Pick<Attack, 'exit' | 'findings'>> = {},
): Attack {
  return { attack, answer, findings, exit, run: async () => run() };
}

/** A directory beside the one that is extracted to, which must not change. */
export interface Outside {
  readonly folder: string;
  readonly file: string;
}

interface Extracted {
  readonly exit: 0 | 1;
  readonly options?: ExtractFilesOptions;
  /**
   * @param root   the directory that was extracted to
   * @param notes  the notes of the command
   */
  readonly more?: (root: string, notes: readonly string[]) => void | Promise<void>;
}

const CANARY = 'this file must not change';

/**
 * An archive that `waybill extract` unpacks beside a foreign file, which must not be touched.
 * @param make  receives the paths that an attacker would like to write to
 */
export function extracted(
  attack: string,
  answer: string,
  make: (outside: Outside) => Promise<Uint8Array | string>,
  { exit, options = {}, more }: Extracted,
): Attack {
  const run = async () => {
    const above = temporary('attack');
    const outside = { folder: above, file: join(above, 'outside') };
    writeFileSync(outside.file, CANARY, { mode: 0o600 });
    const before = lstatSync(outside.file);
    const made = await make(outside);
    const archive = typeof made === 'string' ? made : saved(made, 'extract.tar');
    const root = join(above, 'root');
    const answered = await extractFiles(archive, root, options);
    assert.is(readFileSync(outside.file, 'utf8'), CANARY);
    const after = lstatSync(outside.file);
    assert.equal(
      [after.mode, after.uid, after.gid, after.mtimeMs, after.nlink, after.ino],
      [before.mode, before.uid, before.gid, before.mtimeMs, before.nlink, before.ino],
    );
    assert.equal(readdirSync(above).sort(), ['outside', 'root'], 'nothing beside it');
    assert.ok(existsSync(root));
    assert.is(answered.exitCode, exit, answered.notes.join('\n'));
    await more?.(root, answered.notes);
  };
  return { attack, answer, findings: [], exit, run };
}
