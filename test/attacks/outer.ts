// Outer archives in which engines that extract and engines that look up members by name find different images.
import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toDirectory, toTar } from '../support/pack.js';
import { paxEntry, type RawHeader, rawEntry, rawHeader, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';
import { type Chapter, verified } from './attack.js';
import { evil, oci, save, zstdStored } from './material.js';

const other = layouts.skopeoOci({ image: evil, tags: ['app:1'] });
const bytesAt = (members: readonly layouts.Member[], path: string) => layouts.memberBytes(members, path);
/** Both images, and the one index.json. */
const both = [...oci, ...other.filter(({ path }) => path.startsWith('blobs/'))];
const evilIndex = bytesAt(other, 'index.json');
const evilSave = layouts.dockerSave({ image: evil, tags: ['app:1'] });

/** The blobs of the other image, in a folder of another name. */
const elsewhere = other
  .filter(({ path }) => path.startsWith('blobs/'))
  .map(member => ({ ...member, path: member.path.replace('blobs', 'evil') }));

async function before(
  members: readonly layouts.Member[],
  ...first: readonly Uint8Array[]
): Promise<Uint8Array> {
  return Buffer.concat([...first, await toTar(members)]);
}

/** One more member of any type, after the members of a layout. */
async function after(
  members: readonly layouts.Member[],
  ...last: readonly Uint8Array[]
): Promise<Uint8Array> {
  return Buffer.concat([await toTar(members, { endMarker: false }), rawTar(...last)]);
}

const patched = (header: Partial<RawHeader>, content: Uint8Array | string = '') =>
  rawEntry({ name: 'index.json', ...header }, content);

const EXTRACTED =
  'skopeo, podman and umoci extract the layout and follow it; the containerd store of Docker does not.';

/** A tar whose first name begins like compressed data. */
function alsoTar(magic: Uint8Array, tar: Buffer): Buffer {
  return Buffer.concat([
    rawHeader({ name: 'x', patch: block => void block.set(magic, 0) }),
    tar,
    Buffer.alloc(1024),
  ]);
}

/** A skippable zstd frame around a whole tar, followed by an image. */
async function twoFiles(): Promise<Uint8Array> {
  const frame = Buffer.from('502a4d1800000000', 'hex');
  const tar = Buffer.from(await toTar(evilSave));
  frame.writeUInt32LE(512 + tar.length + 1024 - 8, 4);
  return Buffer.concat([alsoTar(frame, tar), zstdStored(await toTar(save))]);
}

export const outer: Chapter = {
  title: 'The archive itself, read in two ways',
  attacks: [
    verified(
      'The folder of the blobs is a link to another one, and comes last',
      `${EXTRACTED} waybill resolves paths in the same way, and a link to a directory is an error.`,
      () => [...oci, ...elsewhere, { path: 'blobs', link: 'evil' }],
      {
        findings: ['link-unexpected', 'path-conflict', 'manifest-missing', 'engines-disagree'],
        exit: 1,
        images: 0,
      },
    ),
    verified(
      'index.json is a link through a directory that is a link, so that joining its text leads elsewhere',
      `${EXTRACTED} It is an error.`,
      () => [
        ...layouts.without(both, 'index.json'),
        layouts.file('e/sub/x', ''),
        layouts.file('idx', '{"schemaVersion":2,"manifests":[]}'),
        layouts.file('e/idx', bytesAt(oci, 'index.json')),
        { path: 'd', link: 'e/sub' },
        { path: 'index.json', link: 'd/../idx' },
      ],
      { findings: ['link-unexpected'], exit: 1 },
    ),
    verified(
      'A document that is written through a link to a directory, over an existing one',
      `${EXTRACTED} waybill does the same, and reports the link.`,
      async () =>
        after(
          both,
          rawHeader({ name: 'd', flag: '2', link: '.' }),
          patched({ name: 'd/index.json' }, evilIndex),
        ),
      {
        findings: ['link-unexpected', 'path-conflict', 'engines-disagree'],
        exit: 1,
        more: ({ report }) => assert.is(report.images[0]!.imageId, evil.imageId),
      },
    ),
    verified(
      'index.json is a link that leads to nothing',
      'No engine finds an image. The link and its target are reported.',
      () => [...layouts.without(oci, 'index.json'), { path: 'index.json', link: 'nope' }],
      { findings: ['link-unexpected', 'index-missing'], exit: 1, images: 0 },
    ),
    verified(
      'A hard link in a folder, whose target is one file relative to the top and another relative to the folder',
      'Engines that extract use the file at the top, crane the one in the folder, skopeo and podman read no bytes. An error.',
      async () => {
        const one = layouts.dockerSave({ image: await plainImage('one', 1), tags: ['app:1'] });
        const path = one.find(member => member.path.endsWith('/layer.tar'))!.path;
        return after(
          layouts.without(one, path),
          rawEntry({ name: 'b.tar' }, bytesAt(one, path)),
          rawEntry({ name: `${path.slice(0, -10)}/b.tar` }, 'x'),
          rawHeader({ name: path, flag: '1', link: 'b.tar' }),
        );
      },
      { findings: ['link-unexpected'], exit: 1 },
    ),
    verified(
      'A real directory whose folder of blobs is a link',
      'skopeo and podman follow it, also out of the directory. waybill follows it only inside, and reports an error.',
      async () => {
        const folder = toDirectory(oci, temporary('linked'));
        renameSync(join(folder, 'blobs'), join(folder, 'evil'));
        symlinkSync('evil', join(folder, 'blobs'));
        return folder;
      },
      { findings: ['link-unexpected'], exit: 1 },
    ),
    verified(
      '`x/../manifest.json` before manifest.json, and the same with backslashes and from the root',
      'skopeo and podman normalise the first two spellings and use the first member, extractors use the last, crane the one with the exact name. An error.',
      async () =>
        before(
          save,
          ...['x/../manifest.json', '/manifest.json', 'x\\..\\manifest.json'].map(name =>
            patched({ name }, bytesAt(evilSave, 'manifest.json')),
          ),
        ),
      { findings: ['member-ambiguous', 'duplicate-entry'], exit: 1 },
    ),
    verified(
      'A manifest.json of a tar type that only some readers know',
      'skopeo and podman (docker-archive) and crane read it as a file, extractors refuse the archive, containerd ignores it. An error.',
      async () =>
        after(oci, patched({ name: 'manifest.json', flag: 'Z' }, bytesAt(evilSave, 'manifest.json'))),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A file whose mode is that of a symbolic link',
      'skopeo and podman (docker-archive) follow it, as Go’s FileInfo does; all others read the file. An error.',
      async () =>
        after(
          layouts.without(save, 'manifest.json'),
          patched(
            { name: 'manifest.json', mode: '0120777\0', link: 'e.json' },
            bytesAt(save, 'manifest.json'),
          ),
        ),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A file whose name ends in a slash',
      'Go reads a file; GNU tar, Python and libarchive a directory. An error.',
      async () =>
        after(
          layouts.without(oci, 'index.json'),
          patched({ name: 'index.json/' }, bytesAt(oci, 'index.json')),
        ),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A global PAX header named manifest.json',
      'skopeo, podman and crane read it as the document, which is empty. An error.',
      async () => before(save, paxEntryNamed('manifest.json')),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A size field with a NUL before its digits',
      'Go reads the digits; Python and libarchive read 0, and the content as further members. An error.',
      async () => after(oci, rawEntry({ name: 'junk', size: '\x000000002000' }, patched({}, evilIndex))),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'Garbage in the mode of a header',
      'Every engine refuses the archive (`archive/tar: invalid tar header`). An error, and the rest is read.',
      async () => before(oci, rawEntry({ name: 'junk', mode: 'zzzzzzz\0' })),
      { findings: ['tar-field-invalid'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'An invalid time in a PAX record',
      'Every engine refuses the archive. An error, and the rest is read.',
      async () => before(oci, paxEntry([['mtime', 'now']]), rawEntry({ name: 'junk' })),
      { findings: ['tar-record-invalid'], exit: 1 },
    ),
    verified(
      'A prefix in the field in which GNU headers have times, and in a header without a magic',
      'Go uses the first and not the second, GNU tar neither, Python both. An error.',
      async () =>
        after(
          oci,
          patched({ name: 'x', format: 'gnu', prefix: 'dir' }),
          patched({ name: 'y', format: 'v7', prefix: 'dir' }),
        ),
      { findings: ['member-ambiguous'], exit: 1, more: ({ report }) => assert.is(report.findings.length, 2) },
    ),
    verified(
      'A file and a directory with one path, and a file below a file',
      'An extraction keeps the later one, or refuses the archive; readers that look up names use the first or the last. An error.',
      async () =>
        after(
          both,
          rawHeader({ name: 'oci-layout/', flag: '5' }),
          rawEntry({ name: 'oci-layout' }, bytesAt(oci, 'oci-layout')),
          rawEntry({ name: 'index.json/x' }, ''),
        ),
      { findings: ['path-conflict', 'duplicate-entry'], exit: 1 },
    ),
    verified(
      'A file that is zstd with a leading skippable frame, and also a tar',
      'skopeo, podman and crane read the tar, Docker the zstd. waybill reads the zstd, and it is an error.',
      twoFiles,
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'Bytes after the end of the compressed file, including zeros',
      'skopeo and podman refuse a docker-archive for them (`gzip: invalid header`). Reported.',
      async () => Buffer.concat([gzipSync(await toTar(save)), Buffer.alloc(512)]),
      { findings: ['outer-trailing-bytes'], exit: 0, verdicts: { conformant: false } },
    ),
  ],
};

/** A global PAX header of any name. */
function paxEntryNamed(name: string): Buffer {
  return rawEntry({ name, flag: 'g' }, '20 comment=anything\n');
}
