import type { Argv } from 'yargs';
import type { ArchiveReading, ReadOptions } from '../commands.js';
import { UsageError } from '../errors.js';
import { type NamedArchive, namedArchive } from './archives.js';
import {
  type ArgumentsOf,
  archiveArgument,
  imageArguments,
  last,
  number,
  once,
  platformOption,
  refOption,
  reportless,
  unitsOf,
  unitsOption,
} from './arguments.js';
import { attestationsCommand } from './attestations.js';
import { baseOption, basesOf } from './base.js';
import { cacheOptions } from './cache.js';
import { openAudit, printOrFail } from './findings.js';
import { fleetOptions, isFleet, runFleet } from './fleet.js';
import { limitOptions } from './limits.js';
import { allOption, archivesArguments, reportEach, requireArchives, someArchivesArguments } from './many.js';
import { outputOption } from './output.js';
import { packagesCommand } from './packages.js';
import { PATTERNS, whereOption } from './patterns.js';
import type { Printing, Terminal } from './terminal.js';

type Commands = Argv<Printing>;

/** Commands about the size and the files of images, and the differences between two images. */
export function weighCommands(commands: Commands, terminal: Terminal): Commands {
  return [
    sizesCommand,
    wasteCommand,
    packagesCommand,
    attestationsCommand,
    filesCommand,
    catCommand,
    diffCommand,
  ].reduce((c, add) => add(c, terminal), commands);
}

function sizesCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'sizes [archives..]',
    'sizes: stored, compressed, unpacked, content, in Docker; by layer, directory, file …',
    sizesArguments,
    args => printSizes(args, terminal),
  );
}

const sizesArguments = (command: Commands) =>
  cacheOptions(
    fleetOptions(
      outputOption(baseOption(whereOption(unitsOption(allOption(someArchivesArguments(command)))))),
    ),
  )
    .option('by', {
      describe: 'what to add up',
      choices: ['layer', 'directory', 'file', 'extension', 'package'] as const,
      coerce: last<'layer' | 'directory' | 'file' | 'extension' | 'package'>,
    })
    .option('depth', number('depth', 'by directory, so many levels deep'))
    .option('top', number('top', 'only so many rows; without --by and --depth: the largest files'))
    .option('sort', {
      describe: 'by shipped, bytes or files the largest first, or by name',
      choices: ['shipped', 'bytes', 'files', 'name'] as const,
      // `size` is the name of this order in `files`.
      coerce: (value: string | string[]) =>
        (last(value) === 'size' ? 'bytes' : last(value)) as 'shipped' | 'bytes' | 'files' | 'name',
    })
    .option('estimate', {
      describe: 'compress plain layers to see what a registry would transfer',
      type: 'boolean',
      default: false,
    })
    .example('$0 sizes image.tar', 'each layer, with the instruction that made it')
    .example('$0 sizes image.tar --depth 2', 'the largest directories')
    .example(
      '$0 sizes app.tar --by package --base image.tar',
      'which packages the base brings, and which not',
    )
    .example("$0 sizes image.tar --top 20 --where 'usr/lib/**'", 'the largest files below one')
    .epilogue(PATTERNS);

async function printSizes(args: ArgumentsOf<typeof sizesArguments>, terminal: Terminal): Promise<void> {
  if (isFleet(args)) {
    refuseBreakdowns(args);
    return runFleet('sizes', args, terminal);
  }
  const archives = requireArchives(args.archives);
  const { sizes, sizesReadOptions } = await import('../commands/sizes/index.js');
  const units = unitsOf(args);
  const bases = await basesOf(args, terminal);
  await reportEach({ ...args, archives }, terminal, {
    options: sizesReadOptions(args),
    report: async (reading, selection) => {
      const estimates = args.estimate ? await estimated(reading, selection, terminal) : undefined;
      return sizes(reading, { ...args, ...selection, units, estimates, bases });
    },
    tally: async () => {
      const detailed = args.estimate || args.by !== undefined || args.sort !== undefined;
      return (await import('../commands/many/tallies.js')).sizesTally({ units, detailed });
    },
  });
}

/** @throws UsageError for options about what a record does not have */
function refuseBreakdowns(args: ArgumentsOf<typeof sizesArguments>): void {
  const { by, depth, top, sort, where, base, estimate } = args;
  const given = Object.entries({ by, depth, top, sort, where, base, estimate: estimate || undefined });
  const [name] = given.find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw new UsageError(
      `--${name} changes the printed table; a record of many archives has the sums of each: leave it out`,
    );
}

async function estimated(reading: ArchiveReading, selection: object, { progress, resources }: Terminal) {
  const { estimateSizes } = await import('../commands/sizes/index.js');
  return progress(onProgress => estimateSizes(reading, selection, { ...resources(), onProgress }));
}

function wasteCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'waste <archives..>',
    'bytes that are shipped and not used: overwritten, deleted, duplicated, cached files',
    command =>
      cacheOptions(outputOption(baseOption(unitsOption(allOption(archivesArguments(command))))))
        .option('score', {
          describe: "dive's numbers, or ours; without it both, as in JSON",
          choices: ['dive', 'ours'] as const,
          coerce: last<'dive' | 'ours'>,
        })
        .option('top', number('top', 'only so many of the largest; JSON has all'))
        .example('$0 waste image.tar', 'what would make it smaller')
        .example('$0 waste image.tar --score dive --json', "dive's efficiency"),
    async args => {
      const { waste, wasteReadOptions } = await import('../commands/waste/index.js');
      const bases = await basesOf(args, terminal);
      const options = { score: args.score, top: args.top, units: unitsOf(args), bases };
      await reportEach(args, terminal, {
        options: wasteReadOptions,
        report: (reading, selection) => waste(reading, { ...options, ...selection }),
        tally: async () => (await import('../commands/many/tallies.js')).wasteTally(options),
      });
    },
  );
}

const layerOption = <T>(command: Argv<T>, describe: string) =>
  command.option('in', { describe, type: 'string', requiresArg: true, coerce: once('in') });

function filesCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'files <archive> [ref]',
    'list the files of an image, of one layer, or of all layers',
    command =>
      layerOption(
        outputOption(whereOption(unitsOption(imageArguments(command)))),
        'what this layer changes: its number or digest',
      )
        .option('all-layers', {
          describe: 'every entry of every layer, and which layer deleted or replaced it',
          type: 'boolean',
          default: false,
        })
        .option('tree', { describe: 'as a tree, with directory totals', type: 'boolean', default: false })
        .option('depth', number('depth', 'only so many levels deep'))
        .option('sort', {
          describe: 'by path, largest first, or latest first [default: name; with --top size]',
          choices: ['name', 'size', 'time'] as const,
          // `bytes` is the name of this order in `sizes`.
          coerce: (value: string | string[]) =>
            (last(value) === 'bytes' ? 'size' : last(value)) as 'name' | 'size' | 'time',
        })
        .option('top', number('top', 'only so many rows: the largest, or the first by --sort'))
        .example('$0 files image.tar', 'everything')
        .example('$0 files image.tar --in 3', 'added, modified and removed by the third layer')
        .example('$0 files image.tar --tree --depth 2 --sort size', 'where the bytes are')
        .example("$0 files image.tar --all-layers --where '*.key'", 'what later layers deleted, too')
        .epilogue(PATTERNS),
    async args => {
      const { checkFilesOptions, files, filesDepth } = await import('../commands/files/index.js');
      checkFilesOptions(args);
      const audit = await openAudit({});
      const make = async () => {
        const reading = await terminal.read(args.archive, { depth: filesDepth });
        return files(reading, { ...args, units: unitsOf(args), audit });
      };
      await printOrFail(args.archive, make, args, audit, terminal);
    },
  );
}

const BYTES = 'cat prints the bytes of a file as they are; files --json lists it';

function catCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'cat <archive> <path>',
    'print one file of an image',
    command =>
      layerOption(
        refOption(platformOption(archiveArgument(reportless(command, BYTES)))),
        'as it is in this layer: its number or digest',
      )
        .positional('path', { describe: 'path in the image', type: 'string', demandOption: true })
        .example('$0 cat image.tar /etc/os-release', 'which distribution it is')
        .example(
          '$0 cat image.tar#app:1.2 /etc/passwd --in 2',
          'of one image of several, as layer 2 leaves it',
        ),
    async args => {
      if (args.path === '') throw new UsageError('the path is empty: which file of the image?');
      const { cat } = await import('../commands/cat.js');
      const { ref, platform, in: layer } = args;
      const resources = terminal.resources();
      const { notes, exitCode } = await terminal.progress(onProgress =>
        cat(args.archive, args.path, terminal.put, { ref, platform, in: layer, ...resources, onProgress }),
      );
      await terminal.answer({ stdout: '', notes, exitCode });
    },
  );
}

function diffCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'diff <a> <b>',
    'compare two images: config, history, layers, files, packages',
    diffArguments,
    args => printDiff(args, terminal),
  );
}

const diffArguments = (command: Commands) => {
  const archive = 'ARCHIVE, or ARCHIVE#REF for one of its images';
  return (
    outputOption(platformOption(unitsOption(limitOptions(command))), { findings: false })
      .positional('a', { describe: archive, type: 'string', demandOption: true })
      .positional('b', { describe: archive, type: 'string', demandOption: true })
      .option('ignore', {
        describe: 'kinds of differences that do not count, with commas between: times,order,history …',
        type: 'string',
        array: true,
        requiresArg: true,
      })
      .option('text', { describe: 'small text files line by line', type: 'boolean', default: false })
      .option('top', number('top', 'only so many rows of each list; JSON has all'))
      .option('all', {
        describe: 'every row of each list, and every file of directories that differ as a whole',
        type: 'boolean',
        default: false,
      })
      // An earlier name of --top.
      .option('rows', { ...number('rows', ''), hidden: true })
      .example('$0 diff old.tar new.tar', 'what changed')
      .example('$0 diff all.tar#app:1 all.tar#app:2', 'two images of one archive')
      .example('$0 diff one.tar two.tar --ignore times', 'a reproducible build')
  );
};

async function printDiff(args: ArgumentsOf<typeof diffArguments>, terminal: Terminal): Promise<void> {
  const { changedTexts, checkIgnored, diff, diffReadOptions, diffReport, textNote } = await import(
    '../commands/diff/index.js'
  );
  const ignore = args.ignore?.flatMap(words => words.split(','));
  checkIgnored(ignore ?? []);
  if (args.all && (args.top ?? args.rows) !== undefined)
    throw new UsageError('--all and --top contradict each other: give one of them');
  const sides = [args.a, args.b].map(text => namedArchive(text, terminal));
  if (sides.every(({ archive }) => archive === '-'))
    throw new UsageError('standard input is named twice, and can be read once');
  const readSides = async (options: ReadOptions) => {
    const [a, b] = [await side(sides[0]!, options), await side(sides[1]!, options)];
    return [a, b] as const;
  };
  const side = async ({ archive: file, ref }: NamedArchive, options: ReadOptions) => ({
    reading: await terminal.read(file, options),
    selection: { ref, platform: args.platform },
  });
  let [a, b] = await readSides(diffReadOptions());
  const first = args.text ? diffReport(a, b, { ignore }) : null;
  const isReadTwice = [a, b].every(({ reading }) => reading.opened.size !== null);
  const note = first === null ? null : textNote(first, isReadTwice);
  const texts = first === null || !isReadTwice ? [] : changedTexts(first);
  if (texts.length > 0) [a, b] = await readSides(diffReadOptions(texts));
  const { text, all, top = args.rows } = args;
  await terminal.print(diff(a, b, { ignore, text, all, top, note, units: unitsOf(args) }), args);
}
