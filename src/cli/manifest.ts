import type { Argv } from 'yargs';
import { InputError } from '../errors.js';
import { canonicalName } from './archives.js';
import { dockerOption, imageArguments, last, reportless } from './arguments.js';
import { limitOptions } from './limits.js';
import { type Printing, readAsDeep, type Terminal } from './terminal.js';

type Commands = Argv<Printing>;

/** `docker manifest`: lists of manifests, made and inspected without a registry. */
export function manifestCommands(commands: Commands, terminal: Terminal): Commands {
  return commands.command('manifest', 'docker manifest inspect, create, annotate, push, rm', command =>
    [inspectCommand, createCommand, annotateCommand, pushCommand, rmCommand]
      .reduce((c, add) => add(c, terminal), command)
      .demandCommand(1, 'which one? manifest inspect, create, annotate, push, rm')
      .example('$0 manifest inspect image.tar', 'the manifest of an image')
      .example('$0 manifest create app:1.2 amd64.tar arm64.tar', 'a list of the images in two files'),
  );
}

/**
 * Docker's option for registries without TLS. It is accepted and ignored, because waybill does not connect to a
 * registry.
 */
const insecureOption = <T>(command: Argv<T>) =>
  command.option('insecure', { describe: 'accepted: no registry is asked', type: 'boolean', default: false });

function inspectCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'inspect <archive> [ref]',
    'docker manifest inspect: of an image in an archive, or of a list that is not written yet',
    command =>
      dockerOption(insecureOption(imageArguments(command)))
        .option('verbose', {
          alias: 'v',
          describe: 'every manifest of an index too',
          type: 'boolean',
          default: false,
        })
        .option('raw', { describe: 'the bytes as they are stored', type: 'boolean', default: false })
        .example('$0 manifest inspect --raw layout/ app:1.2 | sha256sum', 'the digest in a registry'),
    async args => {
      const { archive, ref } = args;
      if (archive !== '-' && !terminal.exists(archive)) {
        const { isStoredList } = await import('../commands/manifest/stored-list.js');
        if (!isStoredList(terminal.lists(), archive))
          throw new InputError('no such file or directory, and no manifest list of this name waits', archive);
        const { manifestListInspect } = await import('../commands/manifest/inspect.js');
        await terminal.answer(manifestListInspect(terminal.lists(), archive, { ...args, manifest: ref }));
        return;
      }
      const { manifestInspect } = await import('../commands/manifest/inspect.js');
      const { documentDepth } = await import('../commands/document.js');
      await terminal.answer(manifestInspect(await readAsDeep(terminal, archive, documentDepth), args, args));
    },
  );
}

const listArgument = <T>(command: Argv<T>) =>
  command.positional('list', { describe: 'name of the list', type: 'string', demandOption: true });

function createCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'create <list> <archives..>',
    'docker manifest create: start a list of the images in archives',
    command =>
      limitOptions(insecureOption(listArgument(reportless(command, 'manifest create prints no report'))))
        .positional('archives', {
          describe: 'ARCHIVE, or ARCHIVE#REF where it holds several images',
          type: 'string',
          array: true,
          demandOption: true,
        })
        .option('amend', {
          alias: 'a',
          describe: 'add to a list that exists',
          type: 'boolean',
          default: false,
        })
        .example('$0 manifest create app:1.2 amd64.tar arm64.tar', 'one image for two platforms')
        .example('$0 manifest create --amend app:1.2 s390x.tar', 'and a third'),
    async ({ list, archives, amend }) => {
      const { manifestCreate } = await import('../commands/manifest/edit.js');
      const { lists, progress, resources } = terminal;
      const names = archives.map(name => canonicalName(name, terminal));
      await terminal.answer(
        await progress(onProgress =>
          manifestCreate(lists(), list, names, { ...resources(), amend, onProgress }),
        ),
      );
    },
  );
}

function annotateCommand(commands: Commands, terminal: Terminal): Commands {
  const text = (describe: string) =>
    ({ describe, type: 'string', requiresArg: true, coerce: last<string> }) as const;
  return commands.command(
    'annotate <list> <manifest>',
    'docker manifest annotate: say for which platform an image of a list is',
    command =>
      listArgument(reportless(command, 'manifest annotate prints no report'))
        .positional('manifest', {
          describe: 'the archive it came from, as it was named, or a digest',
          type: 'string',
          demandOption: true,
        })
        .option('os', text('operating system'))
        .option('arch', text('architecture'))
        .option('variant', text('variant of the architecture'))
        .option('os-version', text('version of the operating system'))
        .option('os-features', {
          describe: 'features of the operating system',
          type: 'string',
          array: true,
          requiresArg: true,
        })
        .example('$0 manifest annotate app:1.2 arm64.tar --variant v8', 'what its config does not say'),
    async args => {
      const { manifestAnnotate } = await import('../commands/manifest/edit.js');
      const manifest = canonicalName(args.manifest, terminal);
      await terminal.answer(manifestAnnotate(terminal.lists(), args.list, manifest, args));
    },
  );
}

function pushCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'push <list>',
    'docker manifest push: write the list and all it needs as an OCI layout',
    command =>
      limitOptions(insecureOption(listArgument(reportless(command, 'manifest push prints no report'))))
        .option('output', {
          alias: 'o',
          describe: 'a new directory, or a new file that ends in .tar',
          type: 'string',
          requiresArg: true,
          demandOption: 'where to? --output DIR, or --output FILE.tar',
          coerce: last<string>,
        })
        .option('purge', {
          alias: 'p',
          describe: 'forget the list afterwards',
          type: 'boolean',
          default: false,
        })
        .example('$0 manifest push app:1.2 --output app-all.tar', 'an OCI layout as a tar'),
    async ({ list, output, purge }) => {
      const { manifestPush } = await import('../commands/manifest/push.js');
      const { lists, progress, resources } = terminal;
      await terminal.answer(
        await progress(onProgress =>
          manifestPush(lists(), list, { ...resources(), output, purge, onProgress }),
        ),
      );
    },
  );
}

function rmCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'rm <lists..>',
    'docker manifest rm: forget lists',
    command =>
      reportless(command, 'manifest rm prints no report')
        .positional('lists', {
          describe: 'names of lists',
          type: 'string',
          array: true,
          demandOption: true,
        })
        .example('$0 manifest rm app:1.2', 'one list'),
    async ({ lists }) => {
      const { manifestRm } = await import('../commands/manifest/edit.js');
      await terminal.answer(manifestRm(terminal.lists(), lists));
    },
  );
}
