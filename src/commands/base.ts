import { type BaseImage, diffIdOf, mergedBases, parseBases } from '../analysis/base.js';
import { isTextBeginningWith, readText } from '../containers/text-file.js';
import { InputError } from '../errors.js';
import type { Answer } from '../report/doc.js';
import type { ArchiveReading, ReadOptions } from '../report/read.js';
import { type ImageReport, reportOf } from '../report/report.js';
import { requireImages, type Selection, selectImages } from '../report/select.js';
import { soundChainIds } from '../spec/digest.js';

/** The options to read an archive for its bases: every byte, so that the diff_ids are computed. */
export const baseReadOptions: ReadOptions = { depth: 'digests' };

/** A list of a thousand bases has about a megabyte. */
const LIST_BYTES = 64 * 1024 * 1024;

/** The images of an archive as bases, and why some cannot be one. */
export interface BasesFound {
  readonly bases: readonly BaseImage[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/** @throws InputError when the selection matches nothing, or the archive holds no image */
export function basesIn(reading: ArchiveReading, selection: Selection = {}): BasesFound {
  requireImages(reading);
  const { images } = reportOf(reading, selectImages(reading, selection));
  const bases: BaseImage[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  for (const image of images) {
    const base = baseFrom(image);
    if (typeof base !== 'string') bases.push(base);
    else leftOut.push({ name: image.names[0] ?? image.platform ?? '(untagged)', reason: base });
  }
  return { bases, leftOut };
}

/** @returns why an image cannot be a base, in place of it */
function baseFrom({ names, platform, created, layers }: ImageReport): BaseImage | string {
  if (layers.length === 0) return 'it has no layers, and every image would begin with it';
  const diffIds: string[] = [];
  for (const [i, layer] of layers.entries()) {
    const diffId = diffIdOf(layer);
    if (diffId === null) return `the diff_id of layer ${i + 1} is not known`;
    if (layer.claimedDiffId !== null && layer.claimedDiffId !== diffId)
      return `layer ${i + 1} is not what the config claims: expected ${layer.claimedDiffId}, found ${diffId}`;
    diffIds.push(diffId);
  }
  const chain = soundChainIds(diffIds);
  if (chain.length < diffIds.length) return `the diff_id of layer ${chain.length + 1} is no digest`;
  return { names, platform, created, chainId: chain.at(-1)!, diffIds };
}

/** `waybill base`: a list for `--base`. It holds no time and no path, so that the same archives give the same list. */
export function baseAnswer(
  bases: readonly BaseImage[],
  { notes, exitCode }: Pick<Answer, 'notes' | 'exitCode'>,
): Answer {
  const list = { schemaVersion: 1, bases: mergedBases(bases).map(ordered) };
  return { stdout: `${JSON.stringify(list, null, 2)}\n`, notes, exitCode };
}

const ordered = ({ names, platform, created, chainId, diffIds }: BaseImage): BaseImage => ({
  names,
  platform,
  created,
  chainId,
  diffIds,
});

/**
 * Reads what `--base` names: lists that `waybill base` made, or archives whose images are the bases.
 * @param read  reads an archive
 * @throws InputError for what is neither
 */
export async function loadBases(
  files: readonly string[],
  read: (file: string, options: ReadOptions) => Promise<ArchiveReading>,
): Promise<BaseImage[]> {
  const all: BaseImage[] = [];
  for (const file of files) {
    const isList = /\.json$/i.test(file) || (await isTextBeginningWith(file, '{'));
    all.push(...(isList ? await listIn(file) : archiveBases(file, await read(file, baseReadOptions))));
  }
  return mergedBases(all);
}

async function listIn(file: string): Promise<readonly BaseImage[]> {
  const result = await readText(file, LIST_BYTES);
  const parsed = 'reason' in result ? result : parseBases(result.text);
  if ('reason' in parsed) throw new InputError(parsed.reason, file);
  return parsed.bases;
}

function archiveBases(file: string, reading: ArchiveReading): readonly BaseImage[] {
  const { bases, leftOut } = basesIn(reading);
  const [first] = leftOut;
  if (bases.length === 0 && first !== undefined)
    throw new InputError(`no image in it can be a base: ${first.reason}`, file);
  return bases;
}
