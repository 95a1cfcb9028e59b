// The shared folder of real archives beside this repository, which other checkouts do not have.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Three levels up from dist/test/support/. */
export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const sharedFolder = fileURLToPath(new URL('../../../../shared/', import.meta.url));

export interface TruthTar {
  readonly entries: number;
  readonly files: number;
  readonly dirs: number;
  readonly symlinks: number;
  readonly hardlinks: number;
  readonly devices: number;
  readonly fifos: number;
  readonly other: number;
  readonly whiteouts: number;
  readonly opaques: number;
  readonly regular_bytes: number;
  readonly duplicate_paths: number;
}

export interface TruthLayer {
  readonly index: number;
  readonly ref: string;
  readonly present: boolean;
  readonly via_link: string | null;
  readonly foreign?: boolean;
  readonly media_type?: string | null;
  readonly declared_digest?: string | null;
  readonly declared_size?: number | null;
  readonly digest_ok?: boolean | null;
  readonly size_ok?: boolean | null;
  readonly blob_digest: string | null;
  readonly blob_size: number | null;
  readonly compression: string | null;
  readonly diff_id: string | null;
  readonly uncompressed_size: number | null;
  readonly is_tar: boolean | null;
  readonly tar: TruthTar | null;
  readonly error: string | null;
  readonly tar_error: string | null;
  readonly stream_notes?: Readonly<Record<string, unknown>>;
  readonly config_diff_id: string | null;
  readonly chain_id: string | null;
  readonly diff_id_ok: boolean | null;
}

export interface TruthConfig {
  readonly path: string;
  readonly digest: string | null;
  readonly size: number | null;
  readonly digest_ok?: boolean | null;
  readonly os: string | null;
  readonly architecture: string | null;
  readonly variant: string | null;
  readonly created: string | null;
  readonly diff_ids: readonly string[] | null;
  readonly history_entries: number;
  readonly history_empty_layers: number;
}

export interface TruthIssue {
  readonly severity: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly where: string;
  readonly detail: string;
}

export interface TruthImage {
  readonly view: string;
  readonly kind: string;
  readonly image_id?: string | null;
  readonly manifest_digest?: string | null;
  readonly manifest_size?: number | null;
  readonly media_type?: string | null;
  readonly v1_id?: string;
  readonly tags: readonly string[];
  readonly repo_tags?: readonly string[] | null;
  readonly platform?: string | null;
  readonly parent?: string | null;
  readonly config?: TruthConfig | null;
  readonly layers?: readonly TruthLayer[];
  readonly totals?: {
    readonly layers: number;
    readonly layers_present: number;
    readonly blob_bytes: number;
    readonly uncompressed_bytes: number;
    readonly entries: number;
    readonly regular_bytes: number;
  } | null;
  readonly squash?: {
    readonly files: number;
    readonly distinct_files: number;
    readonly dirs: number;
    readonly symlinks: number;
    readonly others: number;
    readonly bytes: number;
    readonly shadowed_bytes: number;
    readonly oddities: Readonly<Record<string, unknown>>;
  } | null;
  readonly dive?: {
    readonly efficiency: number;
    readonly sizeBytes: number;
    readonly userSizeBytes: number;
    readonly wastedBytes: number;
    readonly wastedUserPercent: number | null;
    readonly inefficientFiles: number;
  } | null;
  readonly verified?: boolean;
  readonly issues?: readonly (readonly string[])[];
}

export interface Truth {
  readonly id: string;
  readonly input: {
    readonly form: string;
    readonly outer_compression: string | null;
    readonly size: number;
    readonly sha256: string | null;
    readonly tar_size?: number;
    readonly entries: number | null;
  };
  readonly generation: string;
  readonly docker_style: string | null;
  readonly counts: {
    readonly primary_view: string | null;
    readonly images: number;
    readonly images_complete: number;
    readonly images_verified: number;
    readonly tags: number;
    readonly platforms: readonly string[];
    readonly layer_compression: Readonly<Record<string, number>>;
    readonly oci_kinds: Readonly<Record<string, number>> | null;
  };
  readonly views: Readonly<Partial<Record<'docker' | 'oci' | 'v1' | 'dir', readonly TruthImage[]>>>;
  readonly issues: readonly TruthIssue[];
  readonly issue_counts: Readonly<Record<TruthIssue['severity'], number>>;
}

export interface CorpusItem {
  readonly id: string;
  readonly file: string;
  readonly truth: Truth;
}

export interface PeerExpectation {
  readonly fixture: string;
  readonly peer: string;
  readonly where: string;
  readonly what: string;
  readonly value: unknown;
  readonly note?: string;
}

export const corpusFolder = join(sharedFolder, 'corpus');

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Every real archive with the results of independent tools, by ID; empty if the folder is absent. */
export function corpus(): readonly CorpusItem[] {
  const truths = join(corpusFolder, 'truth');
  if (!existsSync(truths)) return [];
  return readdirSync(truths)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => name.slice(0, -'.json'.length))
    .map(id => ({
      id,
      file: join(corpusFolder, 'archives', id),
      truth: readJson(join(truths, `${id}.json`)) as Truth,
    }));
}

export function peerExpectations(): readonly PeerExpectation[] {
  const file = join(corpusFolder, 'peer-expectations.json');
  return existsSync(file) ? (readJson(file) as PeerExpectation[]) : [];
}

/** The path of a file in the folder of archives made by a real Docker 28. */
export const docker28 = (...parts: readonly string[]): string => join(sharedFolder, 'docker28', ...parts);

export const hasCorpus = existsSync(corpusFolder);
export const hasDocker28 = existsSync(docker28());
export const NO_SHARED_FOLDER = 'the shared folder of real archives is not here';

/** Returns true and prints the reason if a test cannot run: `if (skipUnless(hasCorpus, NO_SHARED_FOLDER)) return;` */
export function skipUnless(condition: boolean, reason: string): boolean {
  if (!condition) process.stdout.write(`(skipped: ${reason}) `);
  return !condition;
}

/** uvu's `test`, or its `test.skip` (counted as skipped) with the reason printed: `testWhen(test, ...)('name', fn)`. */
export function testWhen<T extends { skip: unknown }>(
  test: T,
  condition: boolean,
  reason: string,
): T | T['skip'] {
  return skipUnless(condition, reason) ? test.skip : test;
}
