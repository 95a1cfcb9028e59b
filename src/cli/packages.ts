import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { type ArgumentsOf, last, number, once } from './arguments.js';
import { baseOption, basesOf } from './base.js';
import { cacheOptions } from './cache.js';
import { allOption, archivesArguments, reportEach } from './many.js';
import { hasBill, outputOption } from './output.js';
import type { Printing, Terminal } from './terminal.js';

/** `waybill packages`. */
export function packagesCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'packages <archives..>',
    'packages of an image (apk, dpkg, rpm, npm, Python, Go, Java), by layer; CycloneDX and SPDX',
    packagesArguments,
    args => listPackages(args, terminal),
  );
}

const packagesArguments = (command: Argv<Printing>) =>
  cacheOptions(outputOption(baseOption(allOption(archivesArguments(command))), { bill: true }))
    .option('by', {
      describe: 'how the list is grouped [default: layer]',
      choices: ['layer', 'type', 'name'] as const,
      coerce: last<'layer' | 'type' | 'name'>,
    })
    .option('type', {
      describe: 'only packages of this type: apk, deb, rpm, npm, pypi, golang, maven; may be repeated',
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option('name', {
      describe: "only packages of this name: 'log4j*'; may be repeated",
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option('in', {
      describe: 'only packages that this layer brings: its number or digest',
      type: 'string',
      requiresArg: true,
      coerce: once('in'),
    })
    .option('ours', {
      describe: 'only packages above the base',
      type: 'boolean',
      default: false,
    })
    .option('top', number('top', 'only so many rows of each group; JSON has all'))
    .example('$0 packages image.tar', 'by layer, with the instruction that brought them')
    .example("$0 packages delivery/ --name '*log4j*'", 'which archives have it')
    .example('$0 packages app.tar --base image.tar --ours', 'what was added to the base')
    .example('$0 packages image.tar -o sbom.cdx.json -o sbom.spdx.json', 'CycloneDX 1.6 and SPDX 2.3');

async function listPackages(args: ArgumentsOf<typeof packagesArguments>, terminal: Terminal): Promise<void> {
  const { packages, packagesReadOptions, packageTypes } = await import('../commands/packages/index.js');
  if (args.ours && args.base === undefined)
    throw new UsageError('--ours is about what is above the base: name it with --base');
  if (args.name?.includes(''))
    throw new UsageError("--name: expected a name such as 'log4j*', found an empty one");
  const types = args.type === undefined ? undefined : packageTypes(args.type);
  const bases = await basesOf(args, terminal);
  const isBill = await hasBill(args);
  const options = {
    by: args.by,
    types,
    named: args.name,
    in: args.in,
    ours: args.ours,
    top: args.top,
    bases,
    isBill,
    epoch: terminal.sourceDateEpoch?.() ?? null,
  };
  await reportEach(args, terminal, {
    options: packagesReadOptions,
    report: (reading, selection) => packages(reading, { ...options, ...selection }),
    tally: async () => {
      if (isBill)
        throw new UsageError(
          'cyclonedx and spdx describe one image: name one archive (and one image of it, as ARCHIVE#REF or by --platform)',
        );
      return (await import('../commands/many/tallies.js')).packagesTally(options);
    },
  });
}
