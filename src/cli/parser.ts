import yargs from 'yargs';
import { UsageError } from '../errors.js';
import type { Resources } from '../index.js';
import { version } from '../version.js';
import { chosenArchive } from './archives.js';
import { explained, prepared, restored } from './arguments.js';
import { dockerCommands } from './docker.js';
import { type LimitArguments, resourcesOf } from './limits.js';
import { manifestCommands } from './manifest.js';
import { reportCommands } from './reports.js';
import type { Terminal, World } from './terminal.js';
import { weighCommands } from './weigh.js';

/** Everything that can be said on the command line. */
export function parser(args: readonly string[], world: World) {
  const columns = world.width();
  let resources: Resources = {};
  const terminal: Terminal = {
    ...world,
    read: (archive, options) => world.read(archive, { ...options, ...resources }),
    resources: () => resources,
  };
  // Where it stands does not matter, and asking for the current directory fails where that is gone.
  const base = yargs(prepared(args), '/')
    .scriptName('waybill')
    // Its own words in another language would stand among ours, and some of them are looked for.
    .detectLocale(false)
    .usage('waybill: what a container image archive holds, and whether it is what it claims to be')
    .parserConfiguration({
      'greedy-arrays': false,
      'parse-positional-numbers': false,
    })
    .option('json', { describe: 'print the report as JSON (docs/json.md)', type: 'boolean', default: false })
    .option('color', { describe: 'colour, or --no-color; by default only on a terminal', type: 'boolean' })
    .middleware(given => {
      Object.assign(given, chosenArchive(restored(given), world));
    })
    .middleware(async given => {
      resources = await resourcesOf(given as LimitArguments);
      const { seconds = 0 } = resources.limits ?? {};
      if (seconds > 0) await world.within(seconds);
    });
  return [reportCommands, weighCommands, dockerCommands, manifestCommands]
    .reduce((commands, add) => add(commands, terminal), base)
    .epilogue(
      'Exit codes: 0 sound; 1 findings at or above --fail-on, something missing, or different (diff); 2 no report possible or bad usage.',
    )
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .wrap(columns === null ? 100 : Math.min(100, columns))
    .fail((message, error) => {
      // yargs wraps what a coerce function throws in an error class of its own.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw new UsageError(
        message.startsWith('Not enough non-option arguments')
          ? 'which archive? Name a file, a directory, or - for standard input'
          : explained(message, args),
      );
    });
}
