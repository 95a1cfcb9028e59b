// `waybill extract`: nothing may be written or changed outside of the given directory, nor get other permissions.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { cat } from '../../src/commands/cat.js';
import { extractFiles } from '../../src/commands/extract/files.js';
import { defaultLimits, InputError, readArchive } from '../../src/commands.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { misnamed, writeRoot } from '../../src/write/root-fs.js';

import { walked } from '../support/file-system.js';
import { image, type TarEntry } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { refusal, saved } from '../support/reading.js';
import { rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';
import { type Chapter, extracted, proved } from './attack.js';
import { SPARSE } from './containers.js';

const ofLayers = async (...layers: readonly (readonly TarEntry[])[]): Promise<Uint8Array> => {
  const of = await image({ layers: layers.map(entries => ({ entries })) });
  return toTar(layouts.dockerSave({ image: of, tags: ['app:1'] }));
};

const link = (path: string, to: string): TarEntry => ({ path, type: 'symlink', link: to });
const hard = (path: string, to: string): TarEntry => ({ path, type: 'link', link: to });
const file = (path: string, bytes = 'x'): TarEntry => ({ path, bytes });

const INSIDE =
  'Links are followed inside, as a process in the image would. They are created after everything else.';
const paths = (root: string) => [...walked(root).keys()].sort();

/** Writes an image's files into a directory that an attacker has prepared. */
async function intoPrepared(archive: string, root: string): Promise<readonly string[]> {
  const reading = await readArchive(archive, { depth: 'files' });
  const [part] = reading.parts;
  const [of] = part!.graph.images;
  const { lost } = await writeRoot(
    {
      archive,
      tree: squash(tablesOf(part!.scan, of!)),
      layers: of!.layers.map(({ member }) => ({ inside: null, path: member!.path, copies: 1, stored: null })),
    },
    root,
    root,
    { owner: false, devices: false, wanted: () => true, limits: defaultLimits, onProgress: () => {} },
  );
  return lost;
}

export const extraction: Chapter = {
  title: 'Extraction',
  attacks: [
    extracted(
      'Absolute names, names with `..`, in files, directories and links',
      'Names are resolved from the root of the image, which is its own parent.',
      ({ file: outside }) =>
        ofLayers([
          file('../outside', 'evil'),
          file(outside, 'evil'),
          file('a/../../outside', 'evil'),
          { path: '../', mode: 0o777 },
          hard('stolen', '/../../etc/passwd'),
        ]),
      {
        exit: 1,
        more: (root, notes) => {
          assert.is(readFileSync(join(root, 'outside'), 'utf8'), 'evil');
          assert.match(notes.join('\n'), 'it is a hard link to what is not there');
        },
      },
    ),
    extracted(
      'A link to a directory outside, and a file below it in the same layer',
      INSIDE,
      ({ folder }) => ofLayers([link('a', folder), file('a/outside', 'evil')]),
      { exit: 0, more: root => assert.is(lstatSync(join(root, 'a')).isSymbolicLink(), true) },
    ),
    extracted(
      'The same in two layers, and through a chain of links',
      INSIDE,
      ({ folder }) =>
        ofLayers(
          [link('a', folder), link('b', 'a'), link('c', '../../..')],
          [file('b/outside', 'evil'), file('c/x')],
        ),
      { exit: 0 },
    ),
    extracted(
      'A directory of one layer that becomes a link in the next, with files below it in both',
      'The link replaces the directory and its contents.',
      ({ folder }) =>
        ofLayers([file('d/outside', 'x')], [link('d', folder)], [file('d/outside', 'evil'), file('d/other')]),
      { exit: 0 },
    ),
    extracted(
      'A link made through a whiteout, an opaque directory, and below a whiteout',
      'Whiteouts only hide files of lower layers.',
      ({ folder }) =>
        ofLayers(
          [link('a', folder), file('b/x'), file('c/y')],
          [file('a/.wh.outside', ''), file('.wh...', ''), file('.wh..', ''), link('b', folder)],
          [file('b/.wh..wh..opq', ''), file('a/.wh..wh..opq', ''), file('.wh.c/outside', 'evil')],
        ),
      { exit: 0 },
    ),
    extracted(
      'A hard link to a symbolic link that leads outside, and a file of its name',
      'The hard link is created as a symbolic link. A file replaces a link, and is not written through it.',
      ({ file: outside }) =>
        ofLayers(
          [link('a', outside), hard('b', 'a')],
          [file('b', 'evil'), { path: 'a', bytes: 'evil', mode: 0o4777 }],
        ),
      { exit: 0, more: root => assert.is(readFileSync(join(root, 'a'), 'utf8'), 'evil') },
    ),
    extracted(
      'A hard link through a link to a directory outside',
      'The name does not exist inside, so it is not created.',
      ({ folder }) => ofLayers([link('a', folder), hard('stolen', 'a/outside')]),
      { exit: 1, more: root => assert.equal(paths(root), ['a']) },
    ),
    extracted(
      'Modes, owners and times of a link’s target',
      'They are set by the handle of the created file, never through a link.',
      ({ file: outside, folder }) =>
        ofLayers([
          { path: 'a', type: 'symlink', link: outside, mode: 0o777, mtime: 1 },
          { path: 'b', type: 'symlink', link: folder, mode: 0o777, mtime: 1 },
        ]),
      { exit: 0 },
    ),
    extracted(
      'setuid, setgid and device nodes',
      'Left out, except on request; then only root can create them.',
      () =>
        ofLayers([
          { path: 'su', bytes: 'x', mode: 0o6755 },
          { path: 'kmem', type: 'character-device', device: [1, 2] },
          { path: 'disk', type: 'block-device', device: [8, 0] },
          { path: 'pipe', type: 'fifo' },
        ]),
      {
        exit: 0,
        more(root, notes) {
          assert.equal(paths(root), ['su']);
          assert.is(lstatSync(join(root, 'su')).mode & 0o7777, 0o755);
          assert.match(notes.join('\n'), '3 devices or named pipes are left out');
        },
      },
    ),
    extracted(
      'A sparse file of 8 EiB',
      'Its holes are holes on the disk too. A size that the file system does not accept is noted.',
      async () => {
        const of = await image({ layers: [{ tar: rawTar(...SPARSE) }] });
        return toTar(layouts.dockerSave({ image: of, tags: ['app:1'] }));
      },
      {
        exit: 1,
        more(root, notes) {
          assert.equal(paths(root), []);
          assert.match(notes.join('\n'), /gnu is not written: it is larger than any file can be/);
        },
      },
    ),
    extracted(
      'Names that no file system accepts: too long, or with a NUL',
      'Noted, and left out. Below a directory that could not be created, nothing is attempted.',
      () =>
        ofLayers([
          file(`${'d'.repeat(300)}/below`),
          file('n'.repeat(256)),
          { path: 'x', bytes: 'x', pax: { path: 'nul\0nul' } },
          file('fine'),
        ]),
      {
        exit: 1,
        more(root, notes) {
          assert.equal(paths(root), ['fine']);
          assert.match(notes.join('\n'), 'below is not written: a directory above it is not written');
        },
      },
    ),
    proved(
      'Names with another meaning on Windows: `..\\x`, `C:x`, `file:stream`, `con`, `name.`',
      'Not written on Windows.',
      () => {
        for (const name of [
          '..\\x',
          'C:x',
          'file:stream',
          'con',
          'a/NUL.txt',
          'name.',
          'name ',
          'LPT1',
          'a*b',
          '\u0001',
        ])
          assert.ok(misnamed(name, 'win32') !== null, name);
        for (const name of ['console', 'a/b.c', 'com', '.hidden', 'name.x'])
          assert.is(misnamed(name, 'win32'), null);
        assert.is(misnamed('..\\x', 'linux'), null);
        assert.ok(misnamed('a\0', 'linux') !== null);
      },
    ),
    proved(
      'Names that differ only in case, on a case-insensitive disk: a link, and a directory',
      'Directories are created before links, and an existing name is not created again.',
      async () => {
        const above = temporary('attack');
        const [root, outside] = [join(above, 'root'), join(above, 'outside')];
        mkdirSync(outside);
        mkdirSync(root);
        // The effect of a link `ETC` on a case-insensitive file system.
        symlinkSync(outside, join(root, 'etc'));
        symlinkSync(join(outside, 'made'), join(root, 'file'));
        const archive = await ofLayers([
          file('etc/passwd', 'evil'),
          file('etc/d/x'),
          file('file', 'evil'),
          link('l', 'x'),
        ]);
        const lost = await intoPrepared(saved(archive, 'prepared.tar'), root);
        assert.equal(readdirSync(outside), []);
        assert.is(lost.length, 5, lost.join('\n'));
        assert.equal(readdirSync(root).sort(), ['etc', 'file', 'l']);
      },
    ),
    proved(
      'An archive that is changed between the reading that lists its files and the one that writes them',
      'An error that says what changed. Nothing is written.',
      async () => {
        const image = await ofLayers([file('a')], [file('b')]);
        const archive = saved(image, 'between.tar');
        const above = temporary('attack');
        let before = 0;
        const onProgress = (done: number) => {
          // The second reading begins.
          if (done < before) writeFileSync(archive, image.toReversed().subarray(0, 512), { flag: 'r+' });
          before = done;
        };
        const error = await refusal(extractFiles(archive, join(above, 'root'), { onProgress }));
        assert.match(error.message, 'it has changed while it was read: expected modified');
        assert.equal(readdirSync(above), []);
      },
      { exit: 2 },
    ),
    proved(
      'The same while one file is printed',
      'An error after its layer has been read to the end: the printed bytes are not those that were listed.',
      async () => {
        const archive = saved(await ofLayers([file('a'), file('b', 'x'.repeat(2_000_000))]), 'cat.tar');
        const put = async () => writeFileSync(archive, 'changed', { flag: 'r+' });
        const error = await refusal(cat(archive, 'a', put));
        assert.match(error.message, 'it has changed while it was read: expected modified');
      },
      { exit: 2 },
    ),
    proved(
      'A link in the directory before anything is extracted into it',
      'A directory must be new or empty.',
      async () => {
        const above = temporary('attack');
        const root = join(above, 'root');
        mkdirSync(root);
        symlinkSync(above, join(root, 'etc'));
        const archive = saved(await ofLayers([file('etc/outside', 'evil')]), 'into.tar');
        const error = await refusal(extractFiles(archive, root));
        assert.match(error.message, 'the directory is not empty');
        assert.equal([...readdirSync(above), ...readdirSync(root)], ['root', 'etc']);
      },
      { exit: 2 },
    ),
    proved(
      'A user who may write beside the directory replaces it by a link while it is filled',
      'The directory is held open, and written to by its handle (on Linux). At the end there is an error.',
      async () => {
        const above = temporary('attack');
        const outside = join(above, 'outside');
        mkdirSync(outside);
        const archive = saved(
          await ofLayers([file('etc/passwd', 'evil'), { path: 'd/', mode: 0o777 }]),
          'swap.tar',
        );
        let swapped = false;
        const onProgress = () => {
          const made = readdirSync(above).find(name => name.endsWith('.unfinished'));
          if (swapped || made === undefined) return;
          swapped = true;
          renameSync(join(above, made), join(above, 'moved'));
          symlinkSync(outside, join(above, made));
        };
        const error = await refusal(extractFiles(archive, join(above, 'root'), { onProgress }));
        assert.ok(swapped);
        assert.match(error.message, 'another program replaced it while waybill wrote to it');
        assert.equal(readdirSync(outside), []);
        assert.not.ok(existsSync(join(above, 'root')));
      },
      { exit: 2 },
    ),
    proved(
      'Layers written as files: a diff_id with a path in it',
      'Files are named by computed digests.',
      async () => {
        const { extractLayers } = await import('../../src/commands/extract/layers.js');
        const of = await image({
          layers: [{ files: { a: 'a' } }],
          config: { rootfs: { type: 'layers', diff_ids: ['sha256:../../../evil'] } },
        });
        const above = temporary('attack');
        const archive = saved(await toTar(layouts.skopeoOci({ image: of, tags: ['app:1'] })), 'layers.tar');
        const { exitCode } = await extractLayers(archive, {}, join(above, 'layers'));
        assert.is(exitCode, 1);
        assert.equal(readdirSync(above), ['layers']);
        assert.match(readdirSync(join(above, 'layers')).join(), /^01-[0-9a-f]{64}\.tar$/);
      },
      { exit: 1 },
    ),
    proved(
      'A report that is written to the path of a link',
      'The link is replaced, and its target is not changed.',
      async () => {
        const { saveReport } = await import('../../src/write/output-file.js');
        const above = temporary('attack');
        const [outside, report] = [join(above, 'outside'), join(above, 'report.html')];
        writeFileSync(outside, 'mine');
        symlinkSync(outside, report);
        saveReport(report, 'a report');
        assert.is(readFileSync(outside, 'utf8'), 'mine');
        assert.is(lstatSync(report).isFile(), true);
        assert.throws(() => readlinkSync(report));
        assert.throws(
          () => saveReport(join(above, 'nowhere', 'x.html'), ''),
          (error: unknown) => error instanceof InputError,
        );
      },
    ),
  ],
};
