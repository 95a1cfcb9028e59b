import type { Argv } from 'yargs';
import type { Severity } from '../commands.js';
import {
  dockerOption,
  FAIL_ON,
  imageArguments,
  number,
  once,
  requiredPlatform,
  unitsOf,
  unitsOption,
  verdictOptions,
} from './arguments.js';
import { cacheOptions } from './cache.js';
import { type FindingArguments, findingOptions, openAudit, printOrFail } from './findings.js';
import { type FleetArguments, fleetOptions, isFleet, runFleet } from './fleet.js';
import {
  allOption,
  archivesArguments,
  type ChosenArchives,
  reportEach,
  requireArchives,
  someArchivesArguments,
} from './many.js';
import { outputOption } from './output.js';
import { type RequirementArguments, readingFor, requirementOptions, requirementsOf } from './requirements.js';
import type { Printing, Reporting, Terminal } from './terminal.js';

type Commands = Argv<Printing>;

/** waybill's own reports: show, verify, ids, report, explain. Each command's module is loaded when the command runs. */
export function reportCommands(commands: Commands, terminal: Terminal): Commands {
  return [showCommand, verifyCommand, idsCommand, reportCommand, explainCommand].reduce(
    (all, add) => add(all, terminal),
    commands,
  );
}

function showCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    ['$0 <archives..>', 'show <archives..>'],
    'list the images and layers of an archive, and the tool that wrote it',
    command =>
      outputOption(allOption(archivesArguments(command)))
        .example('$0 image.tar', 'everything in a saved image')
        .example('$0 layout/ app:1.2 --platform linux/arm64', 'one image of an OCI layout')
        .example('curl -s URL | $0 -', 'straight from a pipe'),
    async args => {
      const { show } = await import('../commands/show.js');
      await reportEach(args, terminal, {
        options: { depth: 'metadata' },
        report: show,
        tally: async () => (await import('../commands/many/tallies.js')).showTally(),
      });
    },
  );
}

function verifyCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'verify [archives..]',
    'check that an archive is intact, complete and conformant',
    command =>
      verdictOptions(
        cacheOptions(
          fleetOptions(requirementOptions(findingOptions(outputOption(someArchivesArguments(command))))),
        ),
      )
        .option('all', {
          describe: 'list every finding, however often its code repeats; of folders every file left out',
          type: 'boolean',
          default: false,
        })
        .example('$0 verify image.tar', 'every byte against every claim')
        .example('$0 verify delivery/', 'every archive of a folder, a row for each')
        .example('$0 verify image.tar --json | jq .verdicts', 'for scripts')
        .example('$0 verify image.tar --fail-on warning', 'strict')
        .example('$0 verify image.tar -o "$GITHUB_STEP_SUMMARY"', 'a job summary; the log has what failed')
        .example('$0 verify image.tar --format github -o waybill.sarif', 'several formats: docs/ci.md')
        .example('$0 verify --lock waybill.lock.json image.tar', 'the images that were locked, and no others')
        .example('$0 verify image.tar --key cosign.pub', 'every image must be signed by this key')
        .example('$0 verify image.tar --dockerfile Dockerfile', 'the line that made a damaged layer')
        .example('$0 verify --files-from list.txt -o results.ndjson', 'a record for each of many archives'),
    args => verifyEach(args, terminal),
  );
}

interface VerifyArguments
  extends Reporting,
    FindingArguments,
    Omit<ChosenArchives, 'archives'>,
    FleetArguments,
    RequirementArguments {
  readonly archives?: readonly string[] | undefined;
  readonly failOn: Severity | 'never';
  readonly requireComplete?: string | undefined;
  readonly requireImage: boolean;
  readonly all: boolean;
}

async function verifyEach(args: VerifyArguments, terminal: Terminal): Promise<void> {
  if (isFleet(args)) return runFleet('verify', args, terminal);
  const archives = requireArchives(args.archives);
  const { verify, verifyClosing } = await import('../commands/verify.js');
  const requireComplete = requiredPlatform(args.requireComplete);
  const { requireImage, failOn, all } = args;
  const requirements = await requirementsOf(args, terminal);
  const audit = await openAudit(args);
  const how = { failOn, all, requirements, audit };
  await reportEach({ ...args, archives, audit }, terminal, {
    options: await readingFor(requirements, { requireComplete, requireImage }),
    report: (reading, selection) => verify(reading, { ...selection, ...how, isOneOfMany: true }),
    alone: (reading, selection) => verify(reading, { ...selection, ...how }),
    tally: async () => (await import('../commands/many/tallies.js')).verifyTally(how),
    closing: () => verifyClosing(requirements, how, terminal.resources().limits),
  });
}

function idsCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'ids <archives..>',
    'all names, IDs and digests of the images, and the ID that each engine gives them',
    command =>
      dockerOption(outputOption(allOption(archivesArguments(command))))
        .option('find', {
          describe: 'look up a digest or prefix',
          type: 'string',
          requiresArg: true,
          coerce: once('find'),
        })
        .example('$0 ids image.tar', 'IDs in Docker, containerd, podman and skopeo')
        .example('$0 ids delivery/ --find sha256:d2c94e', 'which archive has that digest, and as what'),
    async args => {
      const { ids } = await import('../commands/ids/index.js');
      const { docker, find } = args;
      await reportEach(args, terminal, {
        options: {},
        report: (reading, selection) => ids(reading, { ...selection, docker, find }),
        tally: async () => (await import('../commands/many/tallies.js')).idsTally(find),
      });
    },
  );
}

function reportCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'report <archive> [ref]',
    'one page with everything: verification, layers, a map of the files, waste',
    command =>
      cacheOptions(findingOptions(unitsOption(outputOption(imageArguments(command)))))
        .option('fail-on', FAIL_ON)
        .option('top', number('top', 'rows of the lists of largest files and wastes'))
        .example('$0 report image.tar --output report.html', 'a page that opens from disk, without a network')
        .example('$0 report image.tar -o report.md -o report.json', 'for a job summary, and for scripts'),
    async args => {
      const { overview, overviewReadOptions } = await import('../commands/report.js');
      const audit = await openAudit(args);
      const make = async () => {
        const reading = await terminal.read(args.archive, overviewReadOptions);
        return overview(reading, { ...args, units: unitsOf(args), audit });
      };
      await printOrFail(args.archive, make, args, audit, terminal);
    },
  );
}

function explainCommand(commands: Commands, terminal: Terminal): Commands {
  return commands.command(
    'explain [code]',
    'what a finding or a rule means and what to do; without a code, list all findings',
    command =>
      command
        .positional('code', { describe: 'the code of a finding or of a rule', type: 'string' })
        .example('$0 explain digest-mismatch', 'what it means, and what to do')
        .example('$0 explain', 'all codes with their severities'),
    async args => {
      const { explain } = await import('../commands/explain.js');
      await terminal.print(explain(args.code), args);
    },
  );
}
