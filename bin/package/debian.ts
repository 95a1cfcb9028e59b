// The Debian package: the single file, its man page, completions and samples. deb(5)
import { gzipped, type TreeFile, tarOf } from './tree.js';

export interface DebianParts {
  readonly version: string;
  /** The single file as a module. */
  readonly program: string;
  /** The man page. */
  readonly manual: string;
  /** Completion scripts by their shell. */
  readonly completions: Readonly<Record<'bash' | 'zsh' | 'fish', string>>;
  readonly changes: string;
  readonly copyright: string;
  readonly samples: readonly TreeFile[];
  /** The oldest version of Node that runs it. */
  readonly node: string;
  /** In seconds since 1970. */
  readonly seconds: number;
}

const FOLDER = 'usr/share/doc/waybill';

/** @returns the bytes of the package */
export async function debianPackage(parts: DebianParts): Promise<Buffer> {
  const { version, program, manual, completions, changes, copyright, samples, node, seconds } = parts;
  const files: readonly TreeFile[] = [
    { path: 'usr/lib/waybill/waybill.mjs', content: program, mode: 0o755 },
    { path: 'usr/bin/waybill', content: { link: '../lib/waybill/waybill.mjs' } },
    { path: 'usr/share/man/man1/waybill.1.gz', content: gzipped(Buffer.from(manual)) },
    { path: 'usr/share/bash-completion/completions/waybill', content: completions.bash },
    { path: 'usr/share/zsh/vendor-completions/_waybill', content: completions.zsh },
    { path: 'usr/share/fish/vendor_completions.d/waybill.fish', content: completions.fish },
    { path: `${FOLDER}/changelog.gz`, content: gzipped(Buffer.from(changes)) },
    { path: `${FOLDER}/copyright`, content: copyright },
    ...samples.map(file => ({ ...file, path: `${FOLDER}/examples/${file.path}` })),
  ];
  const installed = files.reduce((sum, { content }) => sum + sizeOf(content), 0);
  const control = [
    'Package: waybill',
    `Version: ${version}`,
    'Architecture: all',
    'Maintainer: waybill <waybill@localhost>',
    `Installed-Size: ${Math.ceil(installed / 1024)}`,
    `Depends: nodejs (>= ${node})`,
    'Section: utils',
    'Priority: optional',
    'Description: inspect, verify and compare container image files',
    ' waybill reads the file of a container image (a docker save tarball, an OCI layout',
    ' as a directory, tar or zip) and says what is inside, whether every part is what',
    ' it claims to be, what it weighs, and what each engine will make of it. It needs',
    ' no network, no daemon and no root.',
    '',
  ].join('\n');
  return archive([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipped(await tarOf([{ path: 'control', content: control }], seconds, './'))],
    ['data.tar.gz', gzipped(await tarOf(files, seconds, './'))],
  ]);

  /** The common ar format. ar(5) */
  function archive(members: readonly (readonly [string, Buffer])[]): Buffer {
    const pieces = members.flatMap(([name, bytes]) => [
      Buffer.from(
        `${name.padEnd(16)}${String(seconds).padEnd(12)}0     0     100644  ${String(bytes.length).padEnd(10)}\`\n`,
      ),
      bytes,
      Buffer.alloc(bytes.length % 2, '\n'),
    ]);
    return Buffer.concat([Buffer.from('!<arch>\n'), ...pieces]);
  }
}

const sizeOf = (content: TreeFile['content']): number =>
  typeof content === 'string' ? Buffer.byteLength(content) : 'link' in content ? 0 : content.length;
