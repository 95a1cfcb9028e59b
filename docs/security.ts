import { chapters } from '../test/attacks/chapters.js';
import { wrapped } from './prose.js';

/** docs/security.md: the attacks that are tests, and the behaviour of waybill for each. */
export function securityPage(): string {
  const sections = chapters.map(({ title, attacks }) => {
    const rows = attacks.map(
      ({ attack, answer, findings, exit }) =>
        `| ${attack} | ${answer} | ${findings.map(code => `\`${code}\``).join(', ')} | ${exit ?? ''} |`,
    );
    return `## ${title}\n\n| attack | what waybill does | findings | exit |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return wrapped(`<!-- Made by docs/security.ts from test/attacks/*.ts. -->
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

## Node's permission model

Node can be told what a program may do (\`node --permission\`, Node 22 and later; \`--experimental-permission\` on 20). The
right to read the program and the archive is enough for every command that reads:

    node --permission --allow-fs-read=WAYBILL/ --allow-fs-read=ARCHIVE WAYBILL/bin/waybill.js verify ARCHIVE

* \`WAYBILL/\` is the folder of the npm package: the program reads only its own files there (\`bin/waybill.js\` and
  \`dist/bundle/\`). For the single file it is \`--allow-fs-read=waybill.mjs\` alone.
* An archive on standard input needs no right. A folder is allowed with what is in it.
* Other files that are named on the command line need the same right: a policy, a lock, a key, a file of ignored findings.
* \`--output FILE\`, \`scan\`, \`manifest push\` and \`extract --layers\` need \`--allow-fs-read\` and \`--allow-fs-write\` of
  the directory that they write to. What is written is not flushed to the disk (\`fsync\`), which the model allows no
  program. Nor may modes and times of files be set: \`extract ARCHIVE DIR\` is refused.
* Without \`--allow-worker\` one thread does all the work, with the same result; \`--allow-worker\` makes large archives
  faster. With \`--timeout\`, a computation that takes long is then not interrupted: the time is checked while reading.
* What is read where it is allowed, and not missed elsewhere: the limits of the control group (\`/proc/self/cgroup\`,
  \`/sys/fs/cgroup\`), by which the number of threads and the memory for buffers are chosen.
* No command needs the network, other programs, native add-ons or WASI. \`extract --devices\` runs \`mknod\`.

A path that is not allowed is an error that names the option. A test runs every reading command in this way on each
supported version of Node. The model restricts Node's own functions; it is no sandbox for hostile code
(https://nodejs.org/api/permissions.html).

## Attacks

Each attack below is a test, as a file and as a pipe where both are possible.

${sections.join('\n')}`);
}
