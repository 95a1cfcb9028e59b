import type { Argv } from 'yargs';
import { reportless } from './arguments.js';
import type { Shell } from './completion-scripts.js';
import type { Printing, Terminal } from './terminal.js';
import { last } from './typed.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/**
 * `waybill completion SHELL` prints a script that completes commands, options, choices, and the references of an
 * archive.
 */
export function completionCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'completion <shell>',
    'a script that completes commands, options and references in bash, zsh or fish',
    command =>
      reportless(command, 'completion prints no report')
        .positional('shell', { describe: 'which shell', choices: SHELLS, demandOption: true })
        .option('before', { type: 'string', hidden: true, coerce: last<string> })
        .option('current', { type: 'string', hidden: true, coerce: last<string> })
        .example('source <($0 completion bash)', 'bash: add this line to ~/.bashrc')
        .example('source <($0 completion zsh)', 'zsh: add this line to ~/.zshrc, below compinit')
        .example('$0 completion fish | source', 'fish: add this line to ~/.config/fish/config.fish'),
    async ({ shell, before, current }) => {
      const stdout =
        before === undefined ? await scriptFor(shell) : await words(shell, before, current ?? '');
      await terminal.answer({ stdout, notes: [], exitCode: 0 });
    },
  );

  async function words(shell: Shell, before: string, current: string): Promise<string> {
    const { candidates, linesFor } = await import('./candidates.js');
    const typed = before.split('\n').filter((word, i, all) => word !== '' || i < all.length - 1);
    return linesFor(shell, await candidates(typed, current, terminal));
  }
}

async function scriptFor(shell: Shell): Promise<string> {
  return (await import('./completion-scripts.js')).SCRIPTS[shell];
}
