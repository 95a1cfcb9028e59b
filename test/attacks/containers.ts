// The outer archive: repeated, hostile or ambiguous members.
import * as assert from 'uvu/assert';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { gnuLong, paxEntry, rawEntry, rawHeader, rawTar } from '../support/tar-blocks.js';
import { type Chapter, verified } from './attack.js';
import { evil, item, oci, ofTar, save } from './material.js';

const evilSave = layouts.dockerSave({ image: evil, tags: ['app:1'] });
const documentOf = (members: readonly layouts.Member[], path: string) =>
  layouts.file(path, layouts.memberBytes(members, path));

/** A tar whose first member is given as blocks. */
async function behind(...first: readonly Uint8Array[]): Promise<Uint8Array> {
  return Buffer.concat([...first, await toTar(oci)]);
}

const NEVER_BY_NAME = 'Reported. Names of the outer archive are never used for writing.';
const LAST_COUNTS =
  'The last one is used, as by tools that unpack the archive. podman, skopeo and crane use the first, so it is an error if they differ.';

/** Numbers that do not fit into 11 octal digits. */
const base256 = (value: bigint) => (block: Buffer) => {
  block.fill(0, 124, 136);
  block[124] = 0x80;
  block.writeBigUInt64BE(value, 128);
};

export const containers: Chapter = {
  title: 'The archive itself',
  attacks: [
    verified(
      'Absolute names and names with `..` (zip slip, tar slip), in the spellings of Unix and Windows',
      NEVER_BY_NAME,
      () => [
        ...oci,
        ...['/etc/passwd', '../x', 'a/../../b', '..\\w', 'C:\\w', 'C:/w'].map(name => layouts.file(name, '')),
      ],
      {
        findings: ['unsafe-name'],
        exit: 0,
        verdicts: { conformant: false },
        more: ({ report }) =>
          assert.is(report.findings.filter(({ code }) => code === 'unsafe-name').length, 6),
      },
    ),
    verified(
      'Links that lead out of the archive',
      'Reported, and never followed.',
      () => [
        ...layouts.without(oci, 'index.json'),
        { path: 'index.json', link: '/etc/passwd' },
        { path: 'hard', link: '../etc/shadow', hard: true },
      ],
      { findings: ['unsafe-link', 'index-missing'], exit: 1, images: 0 },
    ),
    verified(
      'A blob that is a link to a file on the machine',
      'The same: the layer is missing.',
      () => {
        const path = layouts.blobPath(item.layers[1]!.digest);
        return [...layouts.without(oci, path), { path, link: '../../../../../../etc/passwd' }];
      },
      { findings: ['unsafe-link', 'layer-missing', 'blob-link-broken'], exit: 1 },
    ),
    verified(
      'manifest.json twice, first with another image',
      LAST_COUNTS,
      () => [documentOf(evilSave, 'manifest.json'), ...save],
      {
        findings: ['duplicate-entry'],
        exit: 1,
        more: ({ report }) => assert.is(report.images[0]!.imageId, item.imageId),
      },
    ),
    verified(
      'index.json twice, in two spellings',
      LAST_COUNTS,
      () => [layouts.file('./index.json', '{"schemaVersion":2,"manifests":[]}'), ...oci],
      { findings: ['duplicate-entry'], exit: 1 },
    ),
    verified(
      'A layer twice, with different bytes',
      LAST_COUNTS,
      () => {
        const path = layouts.blobPath(item.layers[1]!.digest);
        return [layouts.file(path, evil.layers[1]!.blob), ...oci];
      },
      { findings: ['duplicate-entry'], exit: 1, verdicts: { intact: true } },
    ),
    verified(
      'A link that replaces index.json',
      LAST_COUNTS,
      () => [
        ...oci,
        layouts.file('other.json', '{"schemaVersion":2,"manifests":[]}'),
        { path: 'index.json', link: 'other.json' },
      ],
      { findings: ['duplicate-entry', 'link-unexpected', 'no-image'], exit: 1, images: 0 },
    ),
    verified(
      'Devices, named pipes and sockets as members',
      'Not opened, because that could block for ever. Reported.',
      () =>
        behind(rawEntry({ name: 'pipe', flag: '6' }), rawEntry({ name: 'disk', flag: '4', device: [8, 0] })),
      { findings: ['special-file'], exit: 0, verdicts: { conformant: false } },
    ),
    verified(
      'A size in the header and another one in the PAX record',
      'The PAX record is used, as by engines. The contradiction is an error.',
      async () => {
        const hidden = await toTar([layouts.file('index.json', '{"manifests":[]}')], { endMarker: false });
        return behind(
          paxEntry([['size', String(hidden.length)]]),
          Buffer.concat([rawHeader({ name: 'hides', size: 0 }), hidden]),
        );
      },
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A name in the PAX record and another one in the GNU record',
      'The GNU record is used, as by engines. The contradiction is an error.',
      () => behind(gnuLong('L', 'first'), paxEntry([['path', 'second']]), rawEntry({ name: 'third' }, 'x')),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'Two PAX records with one key',
      'An error, because readers differ.',
      () =>
        behind(
          paxEntry([
            ['path', 'first'],
            ['path', 'second'],
          ]),
          rawEntry({ name: 'third' }, 'x'),
        ),
      { findings: ['member-ambiguous'], exit: 1 },
    ),
    verified(
      'A size of 2^63 bytes, or a negative size',
      'Invalid: the following members cannot be found, and the preceding ones are reported.',
      async () => {
        const tar = Buffer.from(await toTar(oci, { endMarker: false }));
        return Buffer.concat([tar, rawTar(rawHeader({ name: 'vast', patch: base256(2n ** 63n) }))]);
      },
      { findings: ['tar-header-invalid'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'A size of 8 PiB without content',
      'No memory is allocated for it. The preceding members are reported.',
      async () => {
        const tar = Buffer.from(await toTar(oci, { endMarker: false }));
        return Buffer.concat([tar, rawHeader({ name: 'vast', patch: base256(2n ** 53n - 1n) })]);
      },
      { findings: ['tar-truncated'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'Data after the end of the archive, or in the padding of a member',
      'Reported. No engine reads it.',
      async () => {
        const tar = Buffer.from(await toTar(oci));
        tar[tar.length - 1025] = 1;
        return Buffer.concat([tar, await toTar(evilSave)]);
      },
      { findings: ['trailing-bytes', 'padding-not-zero'], exit: 0, verdicts: { conformant: false } },
    ),
    verified(
      'In a layer: a size in the header and another one in the PAX record',
      'The PAX record is used, as by engines. The contradiction is an error.',
      () => {
        const hidden = rawEntry({ name: 'hidden' }, 'x');
        const tar = rawTar(
          paxEntry([['size', String(hidden.length)]]),
          rawHeader({ name: 'hides', size: 0 }),
          hidden,
        );
        return ofTar(tar);
      },
      { findings: ['layer-ambiguous'], exit: 1 },
    ),
    verified(
      'In a layer: sparse files of 8 EiB in some bytes, in each of the four formats',
      'No memory is allocated for them. An error, because engines would write them to disk.',
      () => ofTar(rawTar(...SPARSE)),
      { findings: ['layer-holes', 'layer-unloadable'], exit: 1 },
    ),
  ],
};

const EiB8 = '9223372036854775807';

/** GNU tar manual, "Storing Sparse Files". */
export const SPARSE: readonly Uint8Array[] = [
  paxEntry([
    ['GNU.sparse.size', EiB8],
    ['GNU.sparse.numblocks', '1'],
    ['GNU.sparse.offset', '0'],
    ['GNU.sparse.numbytes', '4'],
  ]),
  rawEntry({ name: 'pax-0.0' }, 'data'),
  paxEntry([
    ['GNU.sparse.major', '0'],
    ['GNU.sparse.minor', '1'],
    ['GNU.sparse.name', 'pax-0.1'],
    ['GNU.sparse.size', EiB8],
    ['GNU.sparse.numblocks', '1'],
    ['GNU.sparse.map', '0,4'],
  ]),
  rawEntry({ name: 'GNUSparseFile.0/x' }, 'data'),
  paxEntry([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'pax-1.0'],
    ['GNU.sparse.realsize', EiB8],
  ]),
  rawEntry({ name: 'GNUSparseFile.0/y' }, `${'1\n0\n4\n'.padEnd(512, '\0')}data`),
  rawEntry(
    {
      name: 'gnu',
      flag: 'S',
      format: 'gnu',
      patch(block) {
        block.write('00000000000\0', 386, 'latin1');
        block.write('00000000004\0', 398, 'latin1');
        block[483] = 0x80;
        block.writeBigUInt64BE(2n ** 63n - 1n, 487);
      },
    },
    'data',
  ),
];
