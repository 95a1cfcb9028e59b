/**
 * A step of the history as the Dockerfile has it. BuildKit writes `RUN |1 ARG=x /bin/sh -c … # buildkit`, the classic builder
 * and buildah `|1 ARG=x /bin/sh -c …` and `/bin/sh -c #(nop) COPY file:… in /`; what other builders write stays as it is.
 * moby builder/dockerfile (dispatchers.go, internals.go); buildkit dockerfile2llb (runCommandString, commitToHistory)
 */
export function dockerfileLine(createdBy: string): string {
  const step = createdBy
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/ # buildkit$/, '');
  const comment = NO_OPERATION.exec(step)?.[1];
  if (comment !== undefined) return comment.replace(CLASSIC_COPY, '$1 $2');
  const isRun = step.startsWith('RUN ');
  const command = withoutArguments(isRun ? step.slice('RUN '.length) : step);
  const script = command.replace(SHELL, '');
  return isRun || script !== step ? `RUN ${script}` : step;
}

/** A shell with its options, up to the script: what a shell-form RUN is wrapped into. */
const UNIX_SHELL = String.raw`(?:\S*\/)?(?:a|ba|da|k|mk|z|c|tc|fi|ya)?sh(?: -\S+(?: (?!-)\S+)?)*? -[a-z]*c `;
const WINDOWS_SHELL = String.raw`cmd(?:\.exe)? \/S \/C |(?:\S*\\)?(?:powershell|pwsh)(?:\.exe)?(?: -\S+(?: (?!-)\S+)?)*? -Command `;
const SHELL = new RegExp(`^(?:${UNIX_SHELL}|${WINDOWS_SHELL})`, 'i');

/** What only changes the config is written as a comment that the shell would not run. */
const NO_OPERATION = new RegExp(`^(?:${UNIX_SHELL}|${WINDOWS_SHELL})?#\\(nop\\) *(.*)$`, 'i');

/** The classic builder's `COPY file:HASH in /app`. */
const CLASSIC_COPY = /^((?:ADD|COPY) .*?[a-z]:[0-9a-f]{64}) in (.*)$/;

/** Build arguments stand before the command, counted; a value may hold spaces, so that the shell marks their end. */
function withoutArguments(command: string): string {
  const counted = /^\|(\d+) /.exec(command);
  if (counted === null) return command;
  const words = command.slice(counted[0].length).split(' ');
  for (let i = 1, at = 0; i < words.length; i++) {
    at += words[i - 1]!.length + 1;
    const rest = command.slice(counted[0].length + at);
    if (words[i]!.length < LONGEST_SHELL && SHELL.test(rest.slice(0, LONGEST_SHELL))) return rest;
  }
  return words.slice(Number(counted[1])).join(' ');
}

/** No shell is called with more: a limit for histories that were made to be slow to read. */
const LONGEST_SHELL = 500;
