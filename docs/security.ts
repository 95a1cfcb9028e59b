import { chapters } from '../test/attacks/chapters.js';

/** docs/security.md: the attacks that are tests, and the behaviour of waybill for each. */
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

An archive is untrusted input: every byte of it may be hostile. Reading one must not run code, write files other than the
requested ones, use the network, take unbounded memory or time, or print text that a terminal, a browser or a
spreadsheet would interpret. Faults are reported, and the sound parts are still shown. The user who runs waybill, the
options and the machine are trusted.

* Memory and work are limited: docs/limits.md.
* In names, labels and instructions, control characters and characters that change the direction of text are escaped.
* \`extract\` writes only below its directory, with any links in the archive.
* \`intact\` means that the bytes match the claims of the archive. Whether these are the approved claims is answered by
  \`waybill verify --key\` and the like ([signatures.md](signatures.md)), and by \`waybill ids --find DIGEST\`, with a digest
  from another source.

Each attack below is a test, as a file and as a pipe where both are possible.

${sections.join('\n')}`;
}
