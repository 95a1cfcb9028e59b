import type { Argv } from 'yargs';
import type { ArchiveReading } from '../commands.js';
import { deadlineIn } from '../containers/deadline.js';
import { API_VERSIONS, NEWEST_RELEASE, STORE_NAMES, type StoreName } from '../docker/release.js';
import { UsageError } from '../errors.js';
import { oneReference } from './archives.js';
import {
  type ArgumentsOf,
  archiveArgument,
  dockerOption,
  imageArguments,
  last,
  platformOption,
  refOption,
} from './arguments.js';
import { DAEMON_WORDS } from './command-words.js';
import { needsDaemon } from './complaints.js';
import { limitOptions } from './limits.js';
import { isReference, namedIn } from './many.js';
import { type Printing, readAsDeep, type Terminal } from './terminal.js';

type Commands = Argv<Printing>;

const anything = <T>(command: Argv<T>) => command.strict(false).help(false);

/** Docker's own commands for files: inspect, history, images, imagetools; and the raw config. */
export function dockerCommands(commands: Commands, terminal: Terminal): Commands {
  const inspect = (c: Commands) => inspectCommand(c, terminal);
  const historyOf = (c: Commands) => historyCommand(c, terminal);
  const imagetools = (c: Commands) =>
    c.command('imagetools', 'what a registry would show of an image', c2 =>
      imagetoolsCommand(c2, terminal)
        .demandCommand(1, 'which one? imagetools inspect')
        .example('$0 imagetools inspect layout/', 'its manifests and platforms'),
    );
  const words = imagetools(imagesCommand(historyOf(inspect(commands)), ['images <archives..>'], terminal))
    .command('image', 'docker image inspect, history, ls', c =>
      imagesCommand(historyOf(inspect(c)), ['ls <archives..>', 'list <archives..>'], terminal)
        .demandCommand(1, 'which one? image inspect, image history, image ls')
        .example('$0 image inspect image.tar', 'everything about an image')
        .example('$0 image ls downloads/', 'all archives of a folder'),
    )
    .command('buildx', 'docker buildx imagetools inspect', c =>
      imagetools(c)
        .demandCommand(1, 'which one? buildx imagetools inspect')
        .example('$0 buildx imagetools inspect layout/', 'its manifests and platforms'),
    )
    .command([...DAEMON_WORDS], false, anything, ({ _: [word] }) => {
      throw new UsageError(daemonText(String(word)));
    });
  return configCommand(words, terminal);
}

/** Words about the files of a container; those of an image are in the archive. */
const FILE_WORDS = ['export', 'cp'];

function daemonText(word: string): string {
  const files = FILE_WORDS.includes(word) ? '; the files of an image: waybill extract ARCHIVE DIR' : '';
  return `${needsDaemon(word)}${files} (to read a file named \`${word}\`: waybill ./${word})`;
}

function configCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'config <archive> [ref]',
    'print the stored bytes of an image config',
    c =>
      imageArguments(c)
        .option('raw', {
          describe: 'byte for byte (the only way there is)',
          type: 'boolean',
          default: true,
        })
        .example('$0 config --raw image.tar | sha256sum', 'the image ID'),
    async args => {
      if (!args.raw)
        throw new UsageError('--raw=false: config prints the bytes as they are stored, and nothing else');
      const { rawConfig } = await import('../commands/image-inspect.js');
      await terminal.answer(rawConfig(await terminal.read(args.archive, { depth: 'metadata' }), args));
    },
  );
}

function format<T>(command: Argv<T>, what: string) {
  return command.option('format', {
    describe: what,
    type: 'string',
    requiresArg: true,
    coerce: last<string>,
  });
}

/** `--json`, which all commands have, means Docker's `--format json`. */
function formatOf({ format: given, json }: { readonly format: string | undefined; readonly json: boolean }) {
  if (json && given !== undefined && given !== 'json')
    throw new UsageError('--json and --format contradict each other: give one of them');
  return given ?? (json ? 'json' : undefined);
}

/** True if standard output is a terminal. */
const isTerminal = ({ width }: Terminal) => width() !== null;

/**
 * Options that select the tool whose output is produced. Options that contradict each other are reported by the
 * command.
 */
function dialectOptions<T>(command: Argv<T>) {
  return dockerOption(command).option('store', {
    describe: "Docker's image store that answers: containerd by default, until Docker 28 classic",
    choices: STORE_NAMES,
    requiresArg: true,
    coerce: last<StoreName>,
  });
}

function inspectCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'inspect <archive> [refs..]',
    'docker image inspect: everything about an image, as JSON or by a template',
    command =>
      dialectOptions(format(refOption(platformOption(archiveArgument(command))), "a Go template, or 'json'"))
        .positional('refs', { describe: 'tags, names, image IDs or digests', type: 'string', array: true })
        .alias('f', 'format')
        .option('api', {
          describe: `shape of this version of the Docker API: ${API_VERSIONS.oldest} to the release's own`,
          type: 'string',
          requiresArg: true,
          coerce: readApiVersion,
        })
        .option('type', {
          describe: 'image: there is nothing else in a file',
          type: 'string',
          coerce: readType,
        })
        .option('size', { alias: 's', describe: 'accepted: an image always has its size', type: 'boolean' })
        .example("$0 image inspect image.tar --format '{{.Id}}'", 'one value')
        .example("$0 inspect image.tar app:1.2 --format '{{json .Config.Env}}'", 'one image of several'),
    async args => {
      const { imageInspect, imageInspectDepth } = await import('../commands/image-inspect.js');
      const { docker, store, api } = args;
      const options = { format: formatOf(args), docker, store, api, terminal: isTerminal(terminal) };
      const reading = await readAsDeep(terminal, args.archive, known => imageInspectDepth(options, known));
      const refs = args.ref === undefined ? args.refs : [oneReference([args.ref, ...(args.refs ?? [])])!];
      await terminal.answer(imageInspect(reading, { refs, platform: args.platform }, options));
    },
  );
}

const readApiVersion = (value: string | string[]): string => last(value).replace(/^v/, '');

function readType(value: string | string[]): string {
  if (last(value) === 'image') return 'image';
  throw new UsageError(`--type ${last(value)}: an archive holds images; only --type image can be inspected`);
}

function historyCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'history <archive> [ref]',
    'docker history: the instructions that made an image, and what each weighs',
    command =>
      dialectOptions(format(imageArguments(command), "a Go template, 'json', or 'table TEMPLATE'"))
        .option('no-trunc', { describe: 'do not cut anything short', type: 'boolean', default: false })
        .option('quiet', { alias: 'q', describe: 'only image IDs', type: 'boolean', default: false })
        .option('human', {
          alias: 'H',
          describe: 'sizes and dates for people',
          type: 'boolean',
          default: true,
        })
        .example('$0 history image.tar', 'which instruction weighs what')
        .example('$0 history --no-trunc --human=false image.tar', 'bytes and whole commands'),
    async args => {
      const { history, historyDepth } = await import('../commands/history.js');
      const options = {
        ...args,
        format: formatOf(args),
        now: terminal.now(),
        terminal: isTerminal(terminal),
      };
      const reading = await readAsDeep(terminal, args.archive, known => historyDepth(options, known));
      await terminal.answer(history(reading, args, options));
    },
  );
}

function imagesCommand(commands: Commands, names: readonly string[], terminal: Terminal): Commands {
  return commands.command(
    names,
    'docker images: one row for each name of each image, of any number of archives',
    imagesArguments,
    args => printImages(args, terminal),
  );
}

const imagesArguments = (command: Commands) =>
  dialectOptions(format(limitOptions(command), "a Go template, 'json', or 'table TEMPLATE'"))
    .positional('archives', {
      describe: 'image archives, folders of them, or - for standard input; then a name or pattern',
      type: 'string',
      array: true,
      demandOption: true,
    })
    .option('all', { alias: 'a', describe: 'images without a name too', type: 'boolean' })
    .option('digests', { describe: 'show digests', type: 'boolean', default: false })
    .option('filter', {
      alias: 'f',
      describe: 'reference=PATTERN, label=KEY[=VALUE], dangling=BOOL, before=IMAGE, since=IMAGE, until=TIME',
      type: 'string',
      array: true,
      requiresArg: true,
      default: [] as string[],
    })
    .option('no-trunc', { describe: 'do not cut anything short', type: 'boolean', default: false })
    .option('quiet', { alias: 'q', describe: 'only image IDs', type: 'boolean', default: false })
    .option('tree', {
      describe: 'list the platforms of each image below it',
      type: 'boolean',
      default: false,
    })
    .example('$0 images downloads/', 'all archives of a folder')
    .example('$0 images downloads/ --docker 28', 'with repository, tag and age, as before Docker 29')
    .example(
      "$0 images *.tar --filter 'label=team=web' --format '{{.Repository}}: {{.Size}}'",
      'those of a team',
    );

async function printImages(args: ArgumentsOf<typeof imagesArguments>, terminal: Terminal): Promise<void> {
  const { images, imagesDepth, sizesOnly } = await import('../commands/images.js');
  const { isOneArchive, readMany } = await import('../commands/many/read.js');
  const { remarksOf } = await import('../commands/many/index.js');
  const { requireImages } = await import('../report/select.js');
  const { names, pattern } = splitPattern(args.archives, terminal);
  const format = formatOf(args);
  const depthOf = (known?: ArchiveReading) => imagesDepth({ ...args, format }, known);
  const deadline = deadlineIn(terminal.resources().limits?.seconds ?? 0);
  const read = async (file: string) => sizesOnly(await readAsDeep(terminal, file, depthOf), args);
  const alone = await Promise.all(names.map(({ archive }) => isOneArchive(archive).catch(() => true)));
  const hasFolder = alone.includes(false);
  const found = await readMany(names, read, deadline);
  const { notes, exitCode } = remarksOf(found);
  if (found.readings.length === 0 && found.failed.length > 0) {
    if (names.length === 1) throw found.failed[0]!.error;
    await terminal.answer({ stdout: '', notes, exitCode: 2 });
    return;
  }
  const [only] = found.readings;
  if (names.length === 1 && !hasFolder && only !== undefined) requireImages(only);
  const answer = images(found.readings, {
    ...args,
    format,
    filters: args.filter,
    ref: pattern,
    // An earlier release's table has no such column, and a script that asks for that release may parse it.
    files: hasFolder || (names.length > 1 && (args.docker ?? NEWEST_RELEASE) >= NEWEST_RELEASE),
    now: terminal.now(),
    width: terminal.width(),
  });
  await terminal.answer({
    ...answer,
    color: args.color,
    notes: [...answer.notes, ...notes],
    exitCode: exitCode > answer.exitCode ? exitCode : answer.exitCode,
  });
}

/**
 * `docker images NAME` lists the images that match a name or pattern: the second of two arguments, unless it can be a
 * file.
 */
function splitPattern(texts: readonly string[], terminal: Terminal) {
  const isPattern = texts.length === 2 && isReference(texts.at(-1)!, terminal);
  const names = (isPattern ? texts.slice(0, -1) : texts).map(text => namedIn(text, [], terminal));
  const refs = names.map(({ ref }) => ref);
  if (names.length > 1 && refs.some(ref => ref !== undefined))
    throw new UsageError(
      'ARCHIVE#REF: images shows all archives as one list; give a name or pattern behind them',
    );
  return { names, pattern: oneReference([isPattern ? texts.at(-1) : undefined, ...refs]) };
}

function imagetoolsCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'inspect <archive> [ref]',
    'docker buildx imagetools inspect: manifests, platforms, provenance, SBOM',
    command =>
      dockerOption(imageArguments(command))
        .option('raw', { describe: 'the bytes of the manifest or index', type: 'boolean', default: false })
        .option('format', {
          describe: 'a Go template over .Name .Manifest .Image .Provenance .SBOM .BuildInfo',
          type: 'string',
          requiresArg: true,
          coerce: last<string>,
        })
        .example("$0 imagetools inspect layout/ --format '{{json .Provenance}}'", 'how it was built'),
    async args => {
      const { imagetoolsInspect } = await import('../commands/imagetools.js');
      const { documentDepth } = await import('../commands/document.js');
      const reading = await readAsDeep(terminal, args.archive, documentDepth);
      const format = args.format ?? (args.json ? '{{json .}}' : undefined);
      const options = { raw: args.raw, format, docker: args.docker, terminal: isTerminal(terminal) };
      await terminal.answer(imagetoolsInspect(reading, args, options));
    },
  );
}
