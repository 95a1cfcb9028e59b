import { objectField, textField } from '../../decoding/go-json.js';
import { timeString, unixSeconds, ZERO_TIME } from '../../go/time.js';
import { humanSize } from '../../go/units.js';
import type { ConfigNode } from '../../link/graph.js';
import { grouped } from '../../spec/grouped.js';
import { isObject } from '../../spec/json.js';
import { configOf } from '../inspect.js';
import type { Dialect, DialectOptions } from '../release.js';
import { attestationsOf } from '../stores/sizes.js';
import { type RepoTag, type StoredImage, splitRepoName } from '../stores/stored-image.js';
import { type Row, type RowKind, shortId } from './formatter.js';
import { ago } from './history.js';

/** An image of the list, before it becomes rows. moby api/types/image (Summary) */
export interface Summary {
  readonly stored: StoredImage;
  /**
   * Seconds since 1970; null where the config does not say, which Docker shows as 1970; Go's zero time without a
   * config.
   */
  readonly created: number | null;
  /** The labels of every config behind it: those of all platforms, and in containerd's store of attestations. */
  readonly labels: readonly ReadonlyMap<string, string>[];
  /** As filters have left them. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /** Bytes; null where it is not known. */
  readonly size: number | null;
  /** The archives that hold it under this name; under any for null. waybill's own: Docker knows no files. */
  readonly filesOf: (name: string | null) => string;
}

/**
 * Until Docker 28 an image record of containerd's store without a full name, as an OCI layout may have it, is listed
 * twice and without a digest. moby daemon/containerd/image_list.go (singlePlatformImage)
 */
export function summaryOf(
  stored: StoredImage,
  size: number | null,
  { words, filesOf }: { readonly words: Dialect['words'] } & Pick<Summary, 'filesOf'>,
): Summary {
  const config = configOf(stored);
  const again = words === 28 ? stored.shortName : null;
  return {
    stored,
    created:
      stored.image.config?.parsed == null ? ZERO_TIME.seconds : unixSeconds(textField(config, 'created')),
    labels: configsOf(stored).map(labelsOf),
    tags: again === null ? stored.tags : [...stored.tags, again],
    digests: again === null ? listedDigests(stored, stored.tags) : [],
    size,
    filesOf,
  };
}

function configsOf(stored: StoredImage): readonly (ConfigNode | null)[] {
  const { image, platforms, target } = stored;
  if (target === null) return [image.config];
  const all = [...platforms, ...attestationsOf(stored)];
  return all.map(({ config }) => config).filter(config => config?.member != null);
}

function labelsOf(config: ConfigNode | null): ReadonlyMap<string, string> {
  const document = config?.document?.value;
  const labels = isObject(document) ? objectField(objectField(document, 'config'), 'Labels') : {};
  return new Map(
    Object.entries(labels).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/**
 * The digests that a list shows. containerd's store has an image record for each name, and of those that a filter lets
 * through the last one speaks for the image: only its repository is shown with the digest. moby
 * daemon/containerd/image_list.go (Images, singlePlatformImage)
 */
export function listedDigests({ digests, target }: StoredImage, tags: readonly string[]): readonly string[] {
  const last = tags.at(-1);
  if (target === null || last === undefined) return digests;
  const { repository } = splitRepoName(last);
  return digests.filter(digest => splitRepoName(digest).repository === repository);
}

/**
 * Newest first, as the daemon sorts. Of one age: as they stand in the archives, where Docker's order is that of a Go
 * map.
 */
export const newestFirst = (summaries: readonly Summary[]): Summary[] =>
  summaries.toSorted((a, b) => (b.created ?? 0) - (a.created ?? 0));

export interface ListOptions extends DialectOptions {
  readonly format?: string | undefined;
  readonly noTrunc: boolean;
  readonly quiet: boolean;
  readonly digests: boolean;
  /** Which archives hold an image: a column of the tables, and a field of the JSON. Templates have it always. */
  readonly files?: boolean | undefined;
}

const HEADERS = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  File: 'FILE',
};

/** docker/cli cli/command/formatter/image.go */
export const imageRows = (words: Dialect['words'], files: boolean): RowKind => ({
  unlisted: files ? [] : ['File'],
  goType: 'formatter.imageContext',
  headers: words === 29 ? HEADERS : { ...HEADERS, VirtualSize: 'SIZE' },
});

export function listFormat({ format = '', quiet, digests, files = false }: ListOptions): string {
  const digest = digests ? '{{.Digest}}\t' : '';
  if (format === '' || format === 'table') {
    if (quiet) return '{{.ID}}';
    const created = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}';
    return `table {{.Repository}}\t{{.Tag}}\t${digest}{{.ID}}\t${created}\t{{.Size}}${files ? '\t{{.File}}' : ''}`;
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
    File: summary.filesOf(tag === null ? null : `${repository}:${tag}`),
  }));
}

const NONE = '<none>';

/** A row for each tag, and for each digest of it where digests are shown; digests of no tag's repository come last. */
function namesOf(summary: Summary, options: ListOptions, needDigest: boolean): RepoTag[] {
  if (isDangling(summary)) return [{ repository: NONE, tag: null, digest: null }];
  const pinned = summary.digests.map(splitRepoName);
  const pinnedOf = grouped(pinned, ({ repository }) => repository);
  const tagged = byRepository(listedNames(summary).map(splitRepoName)).flatMap(name => {
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
 * An image that an OCI layout names by a bare tag is in containerd's store, but in none of its lists. The classic store
 * does not load it.
 */
export const listedNames = ({ tags, stored }: Summary): readonly string[] =>
  stored.target === null ? tags : tags.filter(tag => splitRepoName(tag).repository !== NONE);

/**
 * Tags of one repository stand together, repositories as the daemon sorts them. Docker takes these out of a Go map, so
 * that there their order changes from run to run. docker/cli cli/command/formatter/image.go
 * (imageFormatTaggedAndDigest)
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
    CreatedSince: created === ZERO_TIME.seconds ? '' : ago(created, now),
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
