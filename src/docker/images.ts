import { objectField, textField } from '../image/engines/go-json.js';
import { grouped } from '../spec/grouped.js';
import { type Row, type RowKind, shortId } from './formatter.js';
import { timeString, unixSeconds, ZERO_TIME } from './go-time.js';
import { ago } from './history.js';
import { configOf } from './image-inspect.js';
import { type RepoTag, splitRepoName } from './repo-names.js';
import type { StoredImage } from './stored-image.js';
import { humanSize } from './units.js';

/** An image of the list, before it becomes rows. moby api/types/image (Summary) */
export interface Summary {
  readonly stored: StoredImage;
  /** Seconds since 1970; null where the config does not say, which Docker shows as 1970; Go's zero time without a config. */
  readonly created: number | null;
  readonly labels: ReadonlyMap<string, string>;
  /** As filters have left them. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** Bytes; null where it is not known. */
  readonly size: number | null;
}

export function summaryOf(stored: StoredImage, size: number | null): Summary {
  const config = configOf(stored);
  const labels = Object.entries(objectField(objectField(config, 'config'), 'Labels'));
  return {
    stored,
    created: stored.image.config?.parsed == null ? ZERO_TIME : unixSeconds(textField(config, 'created')),
    labels: new Map(labels.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
    tags: stored.tags,
    digests: stored.digests,
    size,
  };
}

/** Newest first, as the daemon sorts. Of one age: as they stand in the archives, where Docker's order is that of a Go map. */
export const newestFirst = (summaries: readonly Summary[]): Summary[] =>
  summaries.toSorted((a, b) => (b.created ?? 0) - (a.created ?? 0));

export interface ListOptions {
  readonly format?: string | undefined;
  readonly noTrunc: boolean;
  readonly quiet: boolean;
  readonly digests: boolean;
}

/** docker/cli cli/command/formatter/image.go */
export const IMAGE_ROWS: RowKind = {
  goType: 'formatter.imageContext',
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
};

export function listFormat({ format = '', quiet, digests }: ListOptions): string {
  const digest = digests ? '{{.Digest}}\t' : '';
  if (format === '' || format === 'table') {
    if (quiet) return '{{.ID}}';
    const created = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}';
    return `table {{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t${created}\t{{.Size}}`;
  }
  if (format === 'raw') {
    if (quiet) return 'image_id: {{.ID}}';
    const lines = ['repository: {{ .Repository }}', 'tag: {{.Tag}}', 'image_id: {{.ID}}'];
    if (digests) lines.splice(2, 0, 'digest: {{.Digest}}');
    return [...lines, 'created_at: {{.CreatedAt}}', 'virtual_size: {{.Size}}', ''].join('\n');
  }
  const adds = format.startsWith('table') && digests && !format.includes('{{.Digest}}');
  return adds ? `${format}\t{{.Digest}}` : format;
}

/** @param now  seconds since 1970 */
export function listRows(summary: Summary, options: ListOptions, now: number): Row[] {
  const needDigest = options.digests || listFormat(options).includes('{{.Digest}}');
  return namesOf(summary, options, needDigest).map(({ repository, tag, digest }) => ({
    ...columnsOf(summary, options, now),
    Repository: repository,
    Tag: tag ?? NONE,
    Digest: digest ?? NONE,
  }));
}

const NONE = '<none>';

/** A row for each tag, and for each digest of it where digests are shown; digests of no tag's repository come last. */
function namesOf(summary: Summary, options: ListOptions, needDigest: boolean): RepoTag[] {
  if (isDangling(summary)) return [{ repository: NONE, tag: null, digest: null }];
  const pinned = summary.digests.map(splitRepoName);
  const pinnedOf = grouped(pinned, ({ repository }) => repository);
  const names = summary.tags.map(splitRepoName);
  // What an OCI layout calls by a mere tag is in containerd's store, and on no list of it. The classic store takes none.
  const listed = summary.stored.target === null ? names : names.filter(name => name.repository !== NONE);
  const tagged = byRepository(listed).flatMap(name => {
    const own = needDigest ? (pinnedOf.get(name.repository) ?? []) : [];
    return own.length === 0 ? [name] : own.map(({ digest }) => ({ ...name, digest }));
  });
  const repositories = new Set(tagged.map(({ repository }) => repository));
  const alone = pinned.filter(({ repository }) => !repositories.has(repository));
  if (options.digests) return [...tagged, ...alone];
  const once = [...new Set(alone.map(({ repository }) => repository))];
  return [...tagged, ...once.map(repository => ({ repository, tag: null, digest: '' }))];
}

/**
 * Tags of one repository stand together, repositories as the daemon sorts them. Docker takes these out of a Go map, so that
 * there their order changes from run to run. docker/cli cli/command/formatter/image.go (imageFormatTaggedAndDigest)
 */
function byRepository(names: readonly RepoTag[]): RepoTag[] {
  return [...grouped(names, ({ repository }) => repository).values()].flat();
}

function columnsOf(summary: Summary, { noTrunc }: ListOptions, now: number) {
  const { stored, size } = summary;
  const created = summary.created ?? 0;
  const id = stored.id ?? NONE;
  const text = (digits: number) => (size === null ? 'N/A' : humanSize(size, digits));
  return {
    ID: noTrunc ? id : shortId(id),
    CreatedSince: created === ZERO_TIME ? '' : ago(created, now),
    CreatedAt: timeString(created),
    Size: text(3),
    VirtualSize: text(4),
    // A file has no containers, and the CLI does not ask for what images share.
    Containers: '0',
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
  };
}

export const isDangling = ({ tags, digests }: Summary) => tags.length === 0 && digests.length === 0;
