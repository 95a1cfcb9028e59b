import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { oneReference } from './archives.js';
import {
  type ArgumentsOf,
  archiveArgument,
  last,
  platformOption,
  refOption,
  reportless,
} from './arguments.js';
import { PATTERNS, readPatterns, whereOption } from './patterns.js';
import type { Printing, Terminal } from './terminal.js';

type Commands = Argv<Printing>;

/** Options that apply to files, and the reason why they do not apply to layers as tars. */
const OF_FILES = {
  where: 'a layer is written whole, for its diff_id is that of the whole tar',
  owner: 'a layer as a tar has the owners of its files in it',
  devices: 'a layer as a tar has its devices in it',
} as const;

interface ExtractArguments {
  readonly names?: readonly string[] | undefined;
  readonly layers?: string | undefined;
  readonly where?: readonly string[] | undefined;
  readonly files?: readonly string[] | undefined;
  readonly owner: boolean;
  readonly devices: boolean;
}

/**
 * The files to write, and the destination.
 * @throws UsageError for options that contradict each other
 */
function readExtraction({
  names: given = [],
  layers,
  where = [],
  files = [],
  owner,
  devices,
}: ExtractArguments) {
  const names = [...given];
  const directory = layers ?? names.pop();
  if (directory === undefined || directory === '')
    throw new UsageError('where to? Name a directory, or --layers DIR');
  if (names.length > 1)
    throw new UsageError(
      layers === undefined
        ? `expected ARCHIVE [REF] DIR, found ${names.length} references`
        : `expected ARCHIVE [REF] --layers DIR, found ${names.map(name => JSON.stringify(name)).join(' and ')}: give one directory, of files or of layers`,
    );
  const patterns = [...where, ...files];
  const set = { where: patterns.length > 0, owner, devices };
  const idle = (Object.keys(OF_FILES) as (keyof typeof OF_FILES)[]).find(name => set[name]);
  const typed = idle === 'where' && where.length === 0 ? 'files (now --where)' : idle;
  if (layers !== undefined && idle !== undefined)
    throw new UsageError(
      `--${typed} is about files, not --layers: ${OF_FILES[idle]}. Files are extracted by \`extract ARCHIVE [REF] DIR --${idle}\``,
    );
  return { directory, ref: names[0], where: patterns };
}

/** `waybill extract`: the files of an image, or its layers, in a directory. */
export function extractCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'extract <archive> [names..]',
    'the files of an image into a directory (ARCHIVE [REF] DIR), or its layers as tars (ARCHIVE [REF] --layers DIR)',
    extractArguments,
    args => extract(args, terminal),
  );
}

const LINES = 'extract writes files and prints a line for each directory or layer, no report';

const extractArguments = (command: Commands) =>
  whereOption(refOption(platformOption(archiveArgument(reportless(command, LINES)))))
    .positional('names', {
      describe:
        'an image of the archive, and the directory to write, new or empty: [REF] DIR; with --layers [REF]',
      type: 'string',
      array: true,
    })
    .option('layers', {
      describe:
        'each layer as an uncompressed tar, checked as it is written, into this new or empty directory',
      type: 'string',
      requiresArg: true,
      coerce: last<string>,
    })
    // An earlier name of --where.
    .option('files', {
      hidden: true,
      type: 'string',
      array: true,
      requiresArg: true,
      coerce: readPatterns,
    })
    .option('owner', { describe: 'set owners, setuid and setgid too', type: 'boolean', default: false })
    .option('devices', { describe: 'make devices and pipes too', type: 'boolean', default: false })
    .example('$0 extract image.tar rootfs/', 'what a container would see')
    .example("$0 extract image.tar out/ --where 'etc/**'", 'some of it')
    .example('$0 extract image.tar --layers layers/', 'layers/01-….tar, layers/02-….tar …')
    .epilogue(PATTERNS);

async function extract(args: ArgumentsOf<typeof extractArguments>, terminal: Terminal): Promise<void> {
  const { directory, ref, where } = readExtraction(args);
  const selection = { ref: oneReference([args.ref, ref]), platform: args.platform };
  const resources = terminal.resources();
  await terminal.answer(
    await terminal.progress(async onProgress => {
      if (args.layers !== undefined) {
        const { extractLayers } = await import('../commands/extract/layers.js');
        return extractLayers(args.archive, selection, directory, { ...resources, onProgress });
      }
      const { extractFiles } = await import('../commands/extract/files.js');
      const { owner, devices } = args;
      const options = { ...resources, ...selection, where, owner, devices, onProgress };
      return extractFiles(args.archive, directory, options);
    }),
  );
}
