// Contents of a layer that engines refuse, unpack differently, or that are not a layer.

import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { assemble, image, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { gnuLong, paxEntry, type RawHeader, rawEntry, rawTar } from '../support/tar-blocks.js';
import { type Attack, type Chapter, verified } from './attack.js';

const file = (name: string, content = 'x') => rawEntry({ name }, content);
const entry = (name: string, flag: string, link = '', more: Partial<RawHeader> = {}) =>
  rawEntry({ name, flag, link, ...more });

/** An image of such layers, base first. */
async function stacked(...layers: readonly (readonly Uint8Array[])[]): Promise<readonly layouts.Member[]> {
  const made = await image({ layers: layers.map(entries => ({ tar: rawTar(...entries) })) });
  return layouts.skopeoOci({ image: made, tags: ['app:1'] });
}

/** An image of one layer with these stored bytes. */
async function stored(
  tar: Uint8Array,
  blob: Uint8Array,
  mediaType: string,
): Promise<readonly layouts.Member[]> {
  const base = await image({ layers: [{ tar }] });
  const layer = layerOf(tar, blob, 'gzip', [], { mediaType });
  return layouts.skopeoOci({ image: assemble(base.configBytes, [layer]), tags: ['app:1'] });
}

const REFUSED = 'podman refuses it, and the finding names other engines that do; `ids` has their messages.';

/** A layer that engines refuse. */
const refused = (attack: string, what: string, ...layers: readonly (readonly Uint8Array[])[]): Attack =>
  verified(attack, REFUSED, () => stacked(...layers), {
    findings: ['layer-unloadable'],
    exit: 1,
    verdicts: { intact: true, conformant: false },
    more: ({ report }) =>
      assert.ok(report.findings.some(({ data }) => (data as { what?: string }).what === what)),
  });

/** Layers that overlay drivers unpack to another file system than drivers that unpack them one upon the other. */
const unlike = (attack: string, ...layers: readonly (readonly Uint8Array[])[]): Attack =>
  verified(
    attack,
    'An error: overlay drivers, the default of every engine, show other files than umoci and drivers such as vfs.',
    () => stacked(...layers),
    { findings: ['layer-unloadable'], exit: 1, verdicts: { intact: true, conformant: false } },
  );

const { layer: TAR } = layouts.MEDIA;
const plain = rawTar(file('etc/a'));

export const layers: Chapter = {
  title: 'Inside a layer',
  attacks: [
    refused('A hard link to nothing', 'hard-link-to-nothing', [entry('a', '1', 'b')]),
    refused('A hard link before its target', 'hard-link-ahead', [entry('a', '1', 'b'), file('b')]),
    refused(
      'A hard link to itself, in place of a lower file',
      'hard-link-to-itself',
      [file('a')],
      [entry('a', '1', 'a')],
    ),
    refused('A hard link to a directory', 'hard-link-to-directory', [entry('d/', '5'), entry('a', '1', 'd')]),
    refused('A file that is used as a directory', 'file-as-directory', [file('a'), file('a/b')]),
    refused(
      'A file of a lower layer that is used as a directory',
      'file-as-directory',
      [file('a/b')],
      [file('a/b/c/d')],
    ),
    refused(
      'A link to nothing that is used as a directory',
      'dangling-directory',
      [entry('a', '2', 'zz')],
      [file('a/b')],
    ),
    refused('Links in a circle that are used as a directory', 'link-loop', [
      entry('a', '2', 'b'),
      entry('b', '2', 'a'),
      file('a/x'),
    ]),
    refused('A link in place of the root', 'root-replaced', [entry('./', '2', '/etc')]),
    refused('A whiteout of the root', 'whiteout-of-root', [file('.wh.')]),
    refused('A tar type that engines do not know (`7`, `S` and others)', 'unknown-type', [entry('a', '7')]),
    refused('A name that Linux does not accept', 'name-too-long', [
      gnuLong('L', 'n'.repeat(300)),
      entry('x', '0', '', { format: 'gnu' }),
    ]),
    verified(
      'A whiteout after a file of its name, in one layer',
      'Reported: podman removes the file, umoci keeps it, overlay drivers refuse the layer.',
      () => stacked([file('a'), file('.wh.a', '')]),
      { findings: ['layer-unloadable'], exit: 1, verdicts: { conformant: false } },
    ),
    unlike(
      'A character device 0:0 in place of a file, which is a whiteout for overlay',
      [file('etc/keep')],
      [entry('etc/keep', '3', '', { device: [0, 0] })],
    ),
    unlike(
      'Extended attributes of overlay: `trusted.overlay.opaque`, `redirect`, `metacopy`, and those of `user.overlay`',
      [file('etc/keep')],
      [paxEntry([['SCHILY.xattr.trusted.overlay.redirect', '/etc']]), entry('other/', '5')],
    ),
    unlike(
      'A whiteout below a link of the same layer',
      [file('d/keep')],
      [entry('d/', '5'), entry('l', '2', 'd'), file('l/.wh..wh..opq', '')],
    ),
    unlike('An opaque whiteout of the root', [file('etc/keep')], [file('.wh..wh..opq', '')]),
    unlike('A whiteout and a directory of its name', [file('d/keep')], [file('.wh.d', ''), entry('d/', '5')]),
    unlike(
      'A file below a link of a lower layer, whose directory no entry names',
      [file('real/run'), entry('app', '2', 'real')],
      [file('app/run', 'y')],
    ),
    verified(
      'A file in a directory that has the name of a whiteout',
      'An error: engines create the directory, and so does `files`; other tools hide what is in it.',
      () => stacked([file('etc/.wh.a/run')]),
      { findings: ['layer-unloadable'], exit: 1, verdicts: { conformant: false } },
    ),
    verified(
      'A path of thousands of `./`, longer than `pathBytes`, that engines clean',
      'An error: the entry was not read, and engines create it.',
      () => stacked([paxEntry([['path', `${'./'.repeat(3000)}run`]]), file('a')]),
      { findings: ['limit-reached'], exit: 1 },
    ),
    verified(
      'A whiteout without a name in a directory',
      'A warning: podman and umoci empty the directory, as `files` shows it; overlay drivers and containerd refuse the layer.',
      () => stacked([file('etc/keep')], [file('etc/.wh.', '')]),
      { findings: ['layer-unloadable'], exit: 0, verdicts: { intact: true, conformant: false } },
    ),
    verified(
      'A hard link to a file of a lower layer',
      'A warning: drivers that unpack each layer by itself refuse it.',
      () => stacked([file('a')], [entry('b', '1', 'a')]),
      { findings: ['layer-unloadable'], exit: 0 },
    ),
    verified(
      'A header with an invalid mode, a malformed PAX record',
      'Reported: Go, and so every engine, refuses the tar.',
      () => stacked([entry('a', '0', '', { mode: 'rwxr-xr\0' }), paxEntry([['uid', '0x10']]), file('b')]),
      { findings: ['layer-record-invalid'], exit: 1, verdicts: { conformant: false } },
    ),
    verified(
      'A layer that is a compressed stream and a tar at once',
      'Reported: engines use the magic numbers that they know, or the media type, and unpack different bytes. `ids` names those that refuse it.',
      () => {
        // A gzip header with a file name of a whole block.
        const block = rawEntry({ name: '\x1f\x8b\x08\x08aaaaaa\0', flag: '0' });
        return stored(plain, Buffer.concat([block, Buffer.alloc(1024)]), TAR);
      },
      { findings: ['layer-stream-ambiguous', 'layer-corrupt'], exit: 1 },
    ),
    verified(
      'A zstd stream that begins with a skippable frame',
      'Reported: podman, skopeo and crane do not recognise such a stream and do not unpack it.',
      () => stored(new Uint8Array(0), Buffer.from('522a4d180400000061616161', 'hex'), `${TAR}+zstd`),
      { findings: ['layer-stream-ambiguous'], exit: 1 },
    ),
    verified(
      'Zeros after a gzip stream',
      'Reported: podman and umoci refuse the layer, Docker stops before the zeros.',
      () => stored(plain, Buffer.concat([gzipSync(plain), Buffer.alloc(512)]), `${TAR}+gzip`),
      { findings: ['layer-trailing-bytes'], exit: 1, verdicts: { intact: true, conformant: false } },
    ),
    verified(
      'A plain layer labelled encrypted, with a wrong diff_id',
      'It is verified like any other; a layer that is not a tar leaves *intact* unknown.',
      () => stored(rawTar(file('who', 'GOOD')), rawTar(file('who', 'EVIL')), `${TAR}+encrypted`),
      { findings: ['layer-encrypted', 'diff-id-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'A layer that is not a tar, with another media type',
      'A note: digests and size are verified. podman refuses the image, which `ids` shows.',
      () => {
        const bytes = Buffer.from(`hsqs${'x'.repeat(600)}`);
        return stored(bytes, bytes, 'application/vnd.sylabs.image.layer.v1.squashfs');
      },
      { findings: ['layer-type-other'], exit: 0, verdicts: { intact: true } },
    ),
    verified(
      'The same with the media type of a tar',
      'An error: no engine unpacks it.',
      () => {
        const bytes = Buffer.from(`hsqs${'x'.repeat(600)}`);
        return stored(bytes, bytes, TAR);
      },
      { findings: ['layer-not-tar'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'A layer of 0 bytes',
      'An empty layer, as in every engine.',
      () => stored(new Uint8Array(0), new Uint8Array(0), TAR),
      { exit: 0, verdicts: { intact: true, conformant: true } },
    ),
  ],
};
