// The Debian package: the single file, its man page, completions and samples. deb(5)
import { createHash } from 'node:crypto';
import { gzipped, type TreeFile, tarOf } from './tree.js';

export interface DebianParts {
  readonly version: string;
  /** The single file as a module. */
  readonly program: string;
  /** The man page. */
  readonly manual: string;
  /** Completion scripts by their shell. */
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
  /** CHANGELOG.md. */
  readonly changes: string;
  /** The licences of the packages in the program. */
  readonly licences: string;
  readonly samples: readonly TreeFile[];
  /** The oldest version of Node that runs it. */
  readonly node: string;
  /** In seconds since 1970. */
  readonly seconds: number;
}

const FOLDER = 'usr/share/doc/waybill';
const MAINTAINER = 'waybill <waybill@localhost>';

/** Debian has this licence in every system, and wants no further copy. Debian Policy 12.5 */
const COPYRIGHT = `waybill is licensed under the Apache License, Version 2.0, whose text is in
/usr/share/common-licenses/Apache-2.0.

`;

const SHEBANG = '#!/usr/bin/env node\n';

/** The program runs with the Node that the package depends on, whatever another one comes first in the PATH. */
function withDebianNode(program: string): string {
  if (!program.startsWith(SHEBANG)) throw new Error(`the program does not begin with ${SHEBANG}`);
  return program.replace(SHEBANG, '#!/usr/bin/node\n');
}

/** deb-changelog(5) */
function changelog(version: string, seconds: number): string {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `waybill (${version}) unstable; urgency=medium

  * What changed is in /${FOLDER}/CHANGELOG.md.gz.

 -- ${MAINTAINER}  ${date}
`;
}

/** By these, `dpkg --verify` finds files that were changed. deb-md5sums(5) */
const md5sums = (files: readonly TreeFile[]): string =>
  files
    .flatMap(({ path, content }) =>
      typeof content === 'object' && 'link' in content
        ? []
        : [`${createHash('md5').update(content).digest('hex')}  ${path}\n`],
    )
    .join('');

/** @returns the bytes of the package */
export async function debianPackage(parts: DebianParts): Promise<Buffer> {
  const { seconds } = parts;
  const files = filesOf(parts);
  const control = [
    { path: 'control', content: controlOf(parts, files) },
    { path: 'md5sums', content: md5sums(files) },
  ];
  return archive(
    [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', gzipped(await tarOf(control, seconds, './'))],
      ['data.tar.gz', gzipped(await tarOf(files, seconds, './'))],
    ],
    seconds,
  );
}

function filesOf(parts: DebianParts): readonly TreeFile[] {
  const { version, program, manual, completions, changes, licences, samples, seconds } = parts;
  return [
    { path: 'usr/lib/waybill/waybill.mjs', content: withDebianNode(program), mode: 0o755 },
    { path: 'usr/bin/waybill', content: { link: '../lib/waybill/waybill.mjs' } },
    { path: 'usr/share/man/man1/waybill.1.gz', content: gzipped(Buffer.from(manual)) },
    { path: 'usr/share/bash-completion/completions/waybill', content: completions.bash },
    { path: 'usr/share/zsh/vendor-completions/_waybill', content: completions.zsh },
    { path: 'usr/share/fish/vendor_completions.d/waybill.fish', content: completions.fish },
    { path: `${FOLDER}/changelog.gz`, content: gzipped(Buffer.from(changelog(version, seconds))) },
    { path: `${FOLDER}/CHANGELOG.md.gz`, content: gzipped(Buffer.from(changes)) },
    { path: `${FOLDER}/copyright`, content: `${COPYRIGHT}${licences}` },
    ...samples.map(file => ({ ...file, path: `${FOLDER}/examples/${file.path}` })),
  ];
}

/** deb-control(5) */
function controlOf({ version, node }: DebianParts, files: readonly TreeFile[]): string {
  const installed = files.reduce((sum, { content }) => sum + sizeOf(content), 0);
  return [
    'Package: waybill',
    `Version: ${version}`,
    'Architecture: all',
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${Math.ceil(installed / 1024)}`,
    `Depends: nodejs (>= ${node})`,
    'Section: utils',
    'Priority: optional',
    'Description: inspect, verify and compare container image files',
    ' waybill reads the file of a container image (a docker save tarball, an OCI',
    ' layout as a directory, tar or zip) and says what is inside, whether every part',
    ' is what it claims to be, what it weighs, and what each engine will make of it.',
    ' It needs no network, no daemon and no root.',
    '',
  ].join('\n');
}

/** The common ar format. ar(5) */
function archive(members: readonly (readonly [string, Buffer])[], seconds: number): Buffer {
  const pieces = members.flatMap(([name, bytes]) => [
    Buffer.from(
      `${name.padEnd(16)}${String(seconds).padEnd(12)}0     0     100644  ${String(bytes.length).padEnd(10)}\`\n`,
    ),
    bytes,
    Buffer.alloc(bytes.length % 2, '\n'),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...pieces]);
}

const sizeOf = (content: TreeFile['content']): number =>
  typeof content === 'string' ? Buffer.byteLength(content) : 'link' in content ? 0 : content.length;
