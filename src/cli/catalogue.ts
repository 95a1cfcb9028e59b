import type { Argv } from 'yargs';
import { baseCommand } from './base.js';
import { checkCommand } from './check.js';
import { dockerCommands } from './docker.js';
import { extractCommand } from './extract.js';
import { lockCommand } from './lock.js';
import { manifestCommands } from './manifest.js';
import { mergeCommand } from './merge.js';
import { reportCommands } from './reports.js';
import { scanCommand } from './scan.js';
import { signaturesCommand } from './signatures.js';
import type { Printing, Terminal } from './terminal.js';
import { weighCommands } from './weigh.js';

/** Adds all commands that report about archives, and the options that they share. */
export function catalogue(base: Argv, terminal: Terminal): Argv<Printing> {
  const commands = base
    .option('json', { describe: 'print the report as JSON (docs/json.md)', type: 'boolean', default: false })
    .option('color', { describe: 'colour, or --no-color; by default only on a terminal', type: 'boolean' });
  return [
    reportCommands,
    checkCommand,
    scanCommand,
    signaturesCommand,
    weighCommands,
    baseCommand,
    lockCommand,
    mergeCommand,
    dockerCommands,
    extractCommand,
    manifestCommands,
  ].reduce((c: Argv<Printing>, add) => add(c, terminal), commands);
}
