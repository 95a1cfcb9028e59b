import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { oneReference } from './archives.js';
import { type ArgumentsOf, last, number } from './arguments.js';
import { allOption, archivesArguments, reportEach, splitArchives } from './many.js';
import { outputOption } from './output.js';
import { TRUST_NAMES, trustOptions } from './signatures.js';
import type { Printing, Terminal } from './terminal.js';

/** `waybill attestations`. */
export function attestationsCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'attestations <archives..>',
    'SBOMs, provenances and other statements in an archive, and which image each is about',
    attestationsArguments,
    args =>
      args.export === undefined ? listAttestations(args, terminal) : exportTo(args, args.export, terminal),
  );
}

const KINDS = ['sbom', 'provenance', 'other', 'all'] as const;
type Kind = (typeof KINDS)[number];

const attestationsArguments = (command: Argv<Printing>) =>
  trustOptions(outputOption(allOption(archivesArguments(command))))
    .option('kind', {
      describe: 'only documents of this kind',
      choices: KINDS,
      coerce: last<Kind>,
    })
    .option('compare', {
      describe: 'compare the packages of each SBOM with those that the image has',
      type: 'boolean',
      default: false,
    })
    .option('export', {
      describe: 'write the documents of this kind, as they are stored, into the directory that is named last',
      choices: ['sbom', 'provenance', 'all'] as const,
      coerce: last<'sbom' | 'provenance' | 'all'>,
    })
    .option('top', number('top', 'only so many rows of each table; JSON has all'))
    .example('$0 attestations image.tar', 'what is attached, and to which image')
    .example('$0 attestations image.tar --key cosign.pub', 'each must be signed by this key')
    .example('$0 attestations image.tar --compare', 'is the SBOM that of the image?')
    .example('$0 attestations layout/ --export all --platform linux/amd64 documents/', 'for other tools');

type Arguments = ArgumentsOf<typeof attestationsArguments>;

const kindsOf = (kind: Kind | undefined) => (kind === undefined || kind === 'all' ? undefined : [kind]);

async function listAttestations(args: Arguments, terminal: Terminal): Promise<void> {
  const { attestations } = await import('../commands/attestations/index.js');
  const { attestationsReadOptions } = await import('../commands/attestations/report.js');
  const { kind, compare, top } = args;
  const { loadVerifier } = await import('../commands/signatures/trust.js');
  const verifier = await loadVerifier(args, terminal.now());
  const options = { kinds: kindsOf(kind), compare, top, verifier };
  await reportEach(args, terminal, {
    options: attestationsReadOptions(options),
    report: (reading, selection) => attestations(reading, { ...options, ...selection }),
    tally: async () => (await import('../commands/many/tallies.js')).attestationsTally(options),
  });
}

const REPORTED = ['json', 'compare', 'kind', 'output', 'format'] as const;

/** The last argument is the directory; before it stand an archive, and perhaps a reference. */
async function exportTo(
  args: Arguments,
  kind: 'sbom' | 'provenance' | 'all',
  terminal: Terminal,
): Promise<void> {
  const named = [...args.archives];
  const directory = named.length > 1 ? named.pop()! : '';
  if (directory === '')
    throw new UsageError(
      '--export: where to? Name a directory after the archive: ARCHIVE [REF] --export sbom DIR',
    );
  const idle = ([...REPORTED, ...TRUST_NAMES] as const).find(
    name => args[name] !== undefined && args[name] !== false,
  );
  if (idle !== undefined)
    throw new UsageError(`--${idle} is about the report, and --export writes documents: give one of them`);
  const { names, loose } = splitArchives(named, args.ref, terminal);
  const [only, ...more] = names;
  if (only === undefined || more.length > 0)
    throw new UsageError(`--export: expected one archive and a directory, found ${names.length} archives`);
  if (only.error !== undefined) throw only.error;
  const selection = {
    ref: oneReference([only.ref]),
    platform: args.platform,
    refMayBeFile: loose !== undefined,
  };
  const { exportAttestations } = await import('../commands/attestations/export.js');
  await terminal.answer(
    await terminal.progress(onProgress =>
      exportAttestations(only.archive, directory, {
        ...terminal.resources(),
        ...selection,
        kinds: kindsOf(kind),
        onProgress,
      }),
    ),
  );
}
