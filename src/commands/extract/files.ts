import { streamOf } from '../../containers/open.js';
import { pathFilter } from '../../containers/path-filter.js';
import { InputError } from '../../errors.js';
import { squash, type TreeNode } from '../../filesystem/file-tree.js';
import { layerFaults, tablesOf } from '../../filesystem/layer-tables.js';
import type { Limits, Resources } from '../../limits.js';
import { limitsOf } from '../../limits.js';
import { maySetAttributes } from '../../permission.js';
import type { Answer } from '../../report/doc.js';
import { memberPlace, readArchive } from '../../report/read.js';
import { type ChosenImage, oneListedImage, type Selection } from '../../report/select.js';
import { count } from '../../report/words.js';
import { nameText } from '../../scan/entries/name.js';
import { visible } from '../../visible.js';
import { finishDirectory, pathBelow } from '../../write/root-entry.js';
import { type RootOutcome, writeRoot } from '../../write/root-fs.js';
import { inPrivateDirectory, throughFile } from '../../write/spool.js';
import { stageDirectory } from '../../write/staged-directory.js';
import { writing } from '../../write/system-error.js';
import { unchanged } from '../unchanged.js';

const NO_ATTRIBUTES =
  "cannot be written: Node's permission model allows no program to set the modes and times of files";
const LAYERS_INSTEAD =
  'Run waybill without `--permission`, or write the layers as tars: `waybill extract ARCHIVE --layers DIR`.';

export interface ExtractFilesOptions extends Selection, Resources {
  /** Only paths that match one of these patterns, or are below such a path; see `pathFilter`. */
  readonly where?: readonly string[] | undefined;
  /** The earlier name of `where`; both apply. */
  readonly files?: readonly string[] | undefined;
  /** Set owners, and with them setuid and setgid. Requires root. */
  readonly owner?: boolean | undefined;
  /** Create devices and named pipes too. Devices require root. */
  readonly devices?: boolean | undefined;
  /** Called while reading, with the bytes read and the total (null for a pipe). */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/**
 * `waybill extract ARCHIVE DIR`: writes the squashed file system of an image, with modes, times, hard links and
 * symbolic links. Nothing is written outside of the directory, which receives the files only after all of them were
 * written. Objects that cannot be written are noted and make the exit code 1, as does a layer that is damaged, absent,
 * or does not match the image's claims.
 *
 * @param directory  is created, or must be empty
 * @throws InputError if there is no such image, nothing matches, `directory` cannot be written, or the archive changed
 *   since its files were listed; then nothing is written
 */
export async function extractFiles(
  input: string | AsyncIterable<Uint8Array>,
  directory: string,
  options: ExtractFilesOptions = {},
): Promise<Answer> {
  const limits = limitsOf(options.limits);
  if (!maySetAttributes()) throw new InputError(NO_ATTRIBUTES, directory, LAYERS_INSTEAD);
  const stream = await streamOf(input);
  // Until it is complete, no other user can read it or write to it.
  const staged = stageDirectory(directory, 0o700);
  try {
    const extract = (file: string) => extractFrom(file, staged.path, directory, options, limits);
    const spooled = (archive: AsyncIterable<Uint8Array>) =>
      inPrivateDirectory({ path: staged.name, shown: directory }, place =>
        throughFile(archive, place, limits, extract),
      );
    const { answer, finish } = await (stream === null ? extract(input as string) : spooled(stream));
    // A directory that existed before keeps its attributes.
    if (staged.isNew) writing(directory, () => finish(pathBelow(staged.path, '')));
    staged.commit();
    return answer;
  } catch (error) {
    staged.discard();
    throw error;
  }
}

interface Extraction {
  readonly answer: Answer;
  /** Sets the attributes of the root on the directory. */
  readonly finish: (path: Buffer) => void;
}

async function extractFrom(
  file: string,
  root: string,
  shown: string,
  {
    limits: allowed,
    jobs,
    memory,
    onProgress,
    where: given = [],
    files = [],
    owner = false,
    devices = false,
    ...selection
  }: ExtractFilesOptions,
  limits: Limits,
): Promise<Extraction> {
  const reading = await readArchive(file, { depth: 'files', limits: allowed, jobs, memory, onProgress });
  const where = [...given, ...files];
  const chosen = oneListedImage(reading, selection);
  const { part, image } = chosen;
  const tree = squash(tablesOf(part.scan, image));
  const matches = where.length === 0 ? () => true : pathFilter(where);
  const wanted = ({ path }: TreeNode) => matches(nameText(path));
  if (where.length > 0 && !tree.nodes.some(wanted))
    throw new InputError(`no file in it matches ${where.map(visible).join(', ')}`, file);
  const layers = image.layers.map(({ member }) => (member === null ? null : memberPlace(part, member)));
  const total = new Set(image.layers.map(({ member }) => member));
  const bytes = [...total].reduce((sum, member) => sum + (member?.size ?? 0), 0);
  let done = 0;
  const options = {
    owner,
    devices,
    wanted,
    limits,
    onProgress(read: number) {
      done += read;
      onProgress?.(done, bytes);
    },
  };
  const outcome = await unchanged(reading, () =>
    writeRoot({ archive: file, tree, layers }, root, shown, options),
  );
  const finish = (path: Buffer) => finishDirectory(path, tree.root, { owner });
  return { answer: answerOf(outcome, chosen, shown), finish };
}

/** Maximum number of notes of one kind; further ones are counted. */
const NOTES = 20;

function answerOf(outcome: RootOutcome, { part, image }: ChosenImage, shown: string): Answer {
  const { files, directories, links, specials, bytes, lost, leftOut, withXattrs } = outcome;
  const problems = [
    ...layerFaults(part.scan, image).map(({ layer, reason }) => `layer ${layer + 1}: ${visible(reason)}`),
    ...lost.slice(0, NOTES),
    ...(lost.length > NOTES ? [`and ${lost.length - NOTES} more are not written`] : []),
  ];
  const notes = [
    ...(leftOut > 0
      ? [`${leftOut} ${leftOut === 1 ? 'device or named pipe is' : 'devices or named pipes are'} left out`]
      : []),
    ...(withXattrs > 0 ? [`extended attributes of ${count(withXattrs, 'file')} are not written`] : []),
  ];
  const kinds = [
    count(files, 'file'),
    directories === 1 ? '1 directory' : `${directories} directories`,
    count(links, 'link'),
    ...(specials > 0 ? [count(specials, 'device')] : []),
  ];
  return {
    stdout: `${shown}  ${kinds.join(', ')}, ${bytes} bytes\n`,
    notes: [...problems, ...notes],
    exitCode: problems.length === 0 ? 0 : 1,
  };
}
