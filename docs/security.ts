import { chapters } from '../test/attacks/chapters.js';

/** docs/security.md: the attacks that are tests, and what waybill does about each. */
export function securityPage(): string {
  const sections = chapters.map(({ title, attacks }) => {
    const rows = attacks.map(
      ({ attack, answer, findings, exit }) =>
        `| ${attack} | ${answer} | ${findings.map(code => `\`${code}\``).join(', ')} | ${exit ?? ''} |`,
    );
    return `## ${title}\n\n| attack | what waybill does | findings | exit |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `<!-- Made by docs/security.ts from test/attacks/*.ts. -->
# Security

An archive is whatever its sender made it: every byte of it is taken for hostile. Reading one must not run anything, write anything
but what was asked for, ask a network, hold or do without bound, or print what a terminal, a browser or a spreadsheet would obey; and
whatever is wrong is said, while what is sound is still reported. The user who runs waybill, its flags and the machine are trusted.

* What is held and done is bounded: docs/limits.md.
* Names, labels and instructions are shown with control characters and characters that change direction spelled out.
* \`extract\` writes below its directory only, whatever links the archive brings.
* \`intact\` says that bytes are what the archive claims of them. Whether the claims are those that were signed off is told by
  \`waybill ids --find DIGEST\`, with a digest that came another way.

Each attack below is a test, as a file and as a pipe where it can be either.

${sections.join('\n')}`;
}
