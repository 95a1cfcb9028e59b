import { createHash } from 'node:crypto';
import type { BaseImage } from '../../analysis/base.js';
import { type FilesRead, keepFilesRead } from '../../containers/text-file.js';
import type { Provenance } from '../../fleet/record.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { fullPlatform, type Platform } from '../../spec/platform.js';
import { version } from '../../version.js';
import { loadBases } from '../base.js';
import { loadAgainst } from '../check/against.js';
import { type Examination, loadExaminer } from './examine.js';

/** The options of a run that decide what its records say, as the command line has them. */
export interface ScanRequest extends Omit<Examination, 'bases' | 'baseLists' | 'against'> {
  /** Lists of bases, or archives that are. */
  readonly base: readonly string[] | undefined;
  /** The earlier archive to compare with, or its report. */
  readonly against: { readonly archive: string; readonly ref?: string | undefined } | undefined;
  /** Bytes; a small budget lowers limits. */
  readonly memory: number | undefined;
}

/** The input of the threads of a run, and what its records say of the run. */
export interface Prepared {
  readonly examination: Examination;
  /** The small files of the command line. */
  readonly files: FilesRead;
  readonly provenance: Omit<Provenance, 'shard'>;
  /** Remarks about the policy. */
  readonly notes: readonly string[];
}

type Read = (file: string, options: ReadOptions) => Promise<ArchiveReading>;

/**
 * Reads all that a run needs besides archives, once.
 * @throws InputError or UsageError for policies, keys, locks and bases that cannot be used
 */
export async function prepareScan(request: ScanRequest, read: Read): Promise<Prepared> {
  const { base, memory, against: earlier, ...asked } = request;
  const files = keepFilesRead();
  const { baseLists, notes } = await policyFiles(asked, read);
  const against = earlier === undefined ? undefined : await loadAgainst(earlier, read);
  const policyCount = files.size;
  const bases = base === undefined ? undefined : await loadBases(base, read);
  const examination: Examination = { ...asked, bases, baseLists, against };
  // Everything is loaded once here, so that what cannot be used is an error before anything is read.
  await loadExaminer(examination);
  const contents = [...files.values()].map(contentDigest);
  return {
    examination,
    files,
    notes,
    provenance: {
      schemaVersion: 1,
      tool: `waybill ${version}`,
      command: request.command,
      policy: policyDigest(examination, contents.slice(0, policyCount)),
      settings: settingsDigest(examination, contents.slice(policyCount), memory),
    },
  };
}

async function policyFiles(
  { policy }: Pick<Examination, 'policy'>,
  read: Read,
): Promise<Pick<Examination, 'baseLists'> & Pick<Prepared, 'notes'>> {
  if (policy === null) return { baseLists: new Map(), notes: [] };
  const { loadBaseLists, loadPolicy } = await import('../check/load.js');
  const loaded = await loadPolicy(policy);
  return { baseLists: await loadBaseLists(loaded, read), notes: loaded.notes };
}

const sha256 = (content: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The names of files are not in digests: another machine may have them elsewhere. */
function contentDigest(read: FilesRead extends Map<string, infer Read> ? Read : never): string {
  if ('bytes' in read) return sha256(read.bytes);
  return sha256(
    JSON.stringify('files' in read ? read.files.map(({ path, bytes }) => [path, sha256(bytes)]) : read),
  );
}

function policyDigest(
  { policy, baseLists, against }: Examination,
  contents: readonly string[],
): string | null {
  if (policy === null) return null;
  const { presets = [], structureTests = [], compares = false } = policy;
  const names = [policy.policy !== undefined, policy.diveCi !== undefined, structureTests.length];
  const images = [[...baseLists.values()].map(imagesOf), against?.images ?? null];
  return sha256(JSON.stringify([presets, compares, names, contents, images]));
}

const imagesOf = (bases: readonly BaseImage[]) =>
  bases.map(({ names, created, diffIds, platform }) => [names, created, diffIds, platform]);

/** Memory from which no limit is lowered: `limitsWithin`. */
const FULL_MEMORY = 512 * 1024 * 1024;

function settingsDigest(
  examination: Examination,
  contents: readonly string[],
  memory: number | undefined,
): string {
  const {
    ref,
    platform,
    failOn,
    requireComplete,
    requireImage,
    lock,
    trust,
    baseline,
    bases,
    epoch,
    limits,
  } = examination;
  const platformText = (value: boolean | Platform | undefined) =>
    typeof value === 'object' ? fullPlatform(value) : (value ?? null);
  const { key = [], trustedRoot, notationTrustStore, ...words } = trust;
  return sha256(
    JSON.stringify([
      ref ?? null,
      platformText(platform),
      failOn,
      platformText(requireComplete),
      requireImage,
      lock === null ? null : [lock.least, lock.names, lock.partial],
      [key.length, trustedRoot !== undefined, notationTrustStore !== undefined, sorted(words)],
      baseline !== null,
      bases === undefined ? null : imagesOf(bases),
      epoch,
      sorted(limits),
      memory !== undefined && memory < FULL_MEMORY ? memory : null,
      contents,
    ]),
  );
}

/** In the order of names, not in that of the command line. */
const sorted = (options: object): readonly (readonly [string, unknown])[] =>
  Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
