import { withoutSecrets } from '../secrets/search.js';

/**
 * A history step as a line of a Dockerfile. BuildKit writes `RUN |1 ARG=x /bin/sh -c … # buildkit`; the classic builder
 * and buildah write `|1 ARG=x /bin/sh -c …` and `/bin/sh -c #(nop) COPY file:… in /`. Text of other builders is
 * returned unchanged. moby builder/dockerfile (dispatchers.go, internals.go); buildkit dockerfile2llb
 * (runCommandString, commitToHistory)
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

/** The same line with asterisks for secrets: reports of findings go to logs, and baselines into repositories. */
export const shownStep = (createdBy: string): string => dockerfileLine(withoutSecrets(createdBy));

/** A shell with its options, up to the script: the wrapper of a shell-form RUN. */
const UNIX_SHELL = String.raw`(?:\S*\/)?(?:a|ba|da|k|mk|z|c|tc|fi|ya)?sh(?: -\S+(?: (?!-)\S+)?)*? -[a-z]*c `;
const WINDOWS_SHELL = String.raw`cmd(?:\.exe)? \/S \/C |(?:\S*\\)?(?:powershell|pwsh)(?:\.exe)?(?: -\S+(?: (?!-)\S+)?)*? -Command `;
const SHELL = new RegExp(`^(?:${UNIX_SHELL}|${WINDOWS_SHELL})`, 'i');

/** The classic builder writes a step that only changes the config as a shell comment. */
const NO_OPERATION = new RegExp(`^(?:${UNIX_SHELL}|${WINDOWS_SHELL})?#\\(nop\\) *(.*)$`, 'i');

/** The classic builder's `COPY file:HASH in /app`. */
const CLASSIC_COPY = /^((?:ADD|COPY) .*?[a-z]:[0-9a-f]{64}) in (.*)$/;

/**
 * Removes the build arguments before the command. Their number is given, but a value may contain spaces, so the shell
 * marks their end.
 */
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

/** The longest shell prefix that is searched, in characters. It bounds the time for hostile histories. */
const LONGEST_SHELL = 500;
