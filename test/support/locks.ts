// Locks of archives, and archives verified against them.
import { lockedImages, lockReadOptions, madeLock } from '../../src/commands/lock/index.js';
import { type LockOptions, type LockReport, lockRequirement } from '../../src/commands/lock/requirement.js';
import { type VerifyReport, verify } from '../../src/commands/verify.js';
import { type ArchiveReading, type Result, readArchive, type Selection } from '../../src/commands.js';
import { parseLock } from '../../src/lock/parse.js';
import { type Requirement, readOptionsFor } from '../../src/report/requirement.js';
import type { Member } from './members.js';
import { toTar } from './pack.js';
import { saved, streamOf } from './reading.js';

export interface Asked extends Partial<Omit<LockOptions, 'file'>>, Pick<Selection, 'ref'> {}

/** The text of a lock of archives. */
export function lockOf(readings: readonly ArchiveReading[], withFiles = false): string {
  return madeLock(readings.flatMap(reading => lockedImages(reading, { withFiles }))).text;
}

export async function lockOfMembers(members: readonly Member[], withFiles = false): Promise<string> {
  const reading = await readArchive(streamOf(await toTar(members)), lockReadOptions(withFiles));
  return lockOf([reading], withFiles);
}

/** The requirement of a lock. @throws Error for a text that is none */
export function requirementOf(text: string, asked: Asked = {}): Requirement {
  const parsed = parseLock(text);
  if ('what' in parsed) throw new Error(parsed.what);
  const { least = 'repacked', names = false, partial = false, platform } = asked;
  return lockRequirement(parsed, { file: 'the.lock', least, names, partial, platform });
}

export interface Verified {
  readonly result: Result;
  readonly lock: LockReport;
  readonly exitCode: number;
  /** Codes of the findings about the lock, with their severities. */
  readonly said: readonly string[];
}

/** `verify --lock` of one archive: a path, or the bytes of a tar or zip. */
export async function verified(
  input: string | Uint8Array,
  lock: string,
  asked: Asked = {},
): Promise<Verified> {
  const requirements = [requirementOf(lock, asked)];
  const source = typeof input === 'string' ? input : saved(input, 'locked.tar');
  const reading = await readArchive(source, readOptionsFor({}, requirements));
  const { ref, platform } = asked;
  const result = verify(reading, { failOn: 'error', requirements, ref, platform });
  const report = result.data as VerifyReport;
  const said = report.findings
    .filter(({ code }) => code.startsWith('lock-'))
    .map(({ code, severity }) => `${severity} ${code}`);
  return { result, lock: report.lock as LockReport, exitCode: result.exitCode, said };
}

export const verifiedMembers = async (members: readonly Member[], lock: string, asked: Asked = {}) =>
  verified(await toTar(members), lock, asked);
