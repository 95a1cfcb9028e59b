// Files on disk: an image's files stay below their directory with any names, and a pushed layout is sound.
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import {
  extractFiles,
  extractLayers,
  filesReport,
  InputError,
  manifestCreate,
  manifestPush,
  readArchive,
  reportOf,
} from '../../src/commands.js';
import { nameBytes } from '../../src/scan/entries/name.js';
import { hexOf } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { temporary } from '../support/tmp.js';
import { type ArchiveRecipe, archiveRecipe, membersOf } from './archives.js';
import { tarOf } from './containers.js';
import { type EntryRecipe, entryRecipe } from './entries.js';
import { type ImageRecipe, imageOf, imageRecipe } from './images.js';
import { kept } from './readings.js';
import { always } from './runs.js';
import { assertSame } from './same.js';

const root = temporary('written');
let number = 0;

/** A folder with files that must not change, and beside them the directory to write to. */
function sandbox(): string {
  const folder = join(root, String(number++));
  mkdirSync(join(folder, 'etc'), { recursive: true });
  for (const path of ['canary', 'etc/passwd', 'a', 'x']) writeFileSync(join(folder, path), `keep ${path}`);
  return folder;
}

/** Everything below a folder except the output: names, types, sizes, links, times, modes. */
function around(folder: string, but: string): unknown[] {
  const seen: unknown[] = [];
  const walk = (path: string) => {
    const { mode, size, mtimeMs, nlink } = lstatSync(path);
    const isDirectory = (mode & 0o170000) === 0o040000;
    // The folder's own size and time change when the output is created in it.
    seen.push(isDirectory ? [path, mode] : [path, mode, size, mtimeMs, nlink, readFileSync(path, 'latin1')]);
    for (const name of isDirectory ? readdirSync(path) : [])
      if (join(path, name) !== but) walk(join(path, name));
  };
  walk(folder);
  return seen;
}

/** Links that lead outside, with paths below them. */
const escaping: fc.Arbitrary<readonly EntryRecipe[]> = fc
  .record({
    link: fc.constantFrom(
      '..',
      '../..',
      '/',
      '../canary',
      '../etc',
      '/etc',
      'a/../..',
      '.',
      '../../../../../../tmp',
    ),
    name: fc.constantFrom('l', 'a', 'd/l', 'etc', './l', '/l', 'l/'),
    below: fc.constantFrom(
      'l/canary',
      'l/x',
      'a/passwd',
      'd/l/etc/passwd',
      'etc/passwd',
      '../canary',
      'l',
      'd/../../canary',
      'l/../canary',
    ),
    hard: fc.boolean(),
    entry: entryRecipe,
  })
  .map(({ link, name, below, hard, entry }) => [
    { ...entry, name, flag: hard ? '1' : '2', link, pax: [], content: '' },
    { ...entry, name: below, flag: '0', content: 'escaped', pax: [] },
    { ...entry, name: `${below}2`, flag: '1', link: below, pax: [], content: '' },
  ]);

const withEscapes = fc
  .record({ image: imageRecipe, tricks: fc.array(escaping, { maxLength: 2 }), apart: fc.boolean() })
  .map(({ image, tricks, apart }): ImageRecipe => {
    const layers = apart
      ? tricks.flatMap(trick => trick.map(entry => ({ entries: [entry], compression: 'none' as const })))
      : tricks.map(trick => ({ entries: trick, compression: 'none' as const }));
    return { ...image, layers: [...image.layers, ...layers] };
  });

const saved = (recipe: ImageRecipe) =>
  kept(tarOf(layouts.skopeoOci({ image: imageOf(recipe), tags: ['app:1'] })));

async function unlessRefused<T>(what: Promise<T>): Promise<T | InputError> {
  return what.catch(error => {
    if (error instanceof InputError) return error;
    throw error;
  });
}

test('files are written only below the directory, and are those that are listed', async () => {
  const what = fc.record({ recipe: withEscapes, devices: fc.boolean(), isThere: fc.boolean() });
  await always(what, 40, async ({ recipe, devices, isThere }) => {
    const folder = sandbox();
    const out = join(folder, 'out');
    if (isThere) mkdirSync(out);
    const before = around(folder, out);
    const archive = saved(recipe);
    const answer = await unlessRefused(extractFiles(archive, out, { devices }));
    assertSame(around(folder, out), before, 'beside the directory');
    if (!(answer instanceof InputError) && answer.exitCode === 0) await areListed(archive, out, devices);
    rmSync(folder, { recursive: true });
  });
});

/** Compares the files on disk with `waybill files`. */
async function areListed(archive: string, out: string, devices: boolean): Promise<void> {
  const report = filesReport(await readArchive(archive, { depth: 'files' }));
  const isWritten = (type: string) => devices || !['char', 'block', 'fifo'].includes(type);
  const listed = (report.images[0]?.files ?? []).filter(({ type }) => isWritten(type) && type !== 'other');
  for (const { path, type, size, target } of listed) {
    const place = Buffer.concat([Buffer.from(`${out}/`), Buffer.from(nameBytes(path), 'latin1')]);
    const stats = lstatSync(place);
    const what = `${JSON.stringify(path)}, a ${type},`;
    if (type === 'file' && (!stats.isFile() || stats.size !== size))
      throw new Error(`${what} has ${stats.size} bytes, not ${size}`);
    // A second name of a symbolic link is written as another symbolic link.
    if (type === 'hardlink' && stats.nlink < 2 && !stats.isSymbolicLink())
      throw new Error(`${what} has one name`);
    if (type === 'directory' && !stats.isDirectory()) throw new Error(`${what} is none`);
    if (type === 'symlink' && readlinkSync(place, 'latin1') !== nameBytes(target!))
      throw new Error(`${what} leads elsewhere`);
  }
}

test('layers are written as claimed', async () => {
  await always(imageRecipe, 15, async recipe => {
    const folder = sandbox();
    const out = join(folder, 'out');
    const before = around(folder, out);
    const answer = await unlessRefused(extractLayers(saved(recipe), {}, out));
    assertSame(around(folder, out), before, 'beside the directory');
    if (answer instanceof InputError) return;
    const names = readdirSync(out).sort();
    if (names.length !== recipe.layers.length)
      throw new Error(`${names.length} files of ${recipe.layers.length} layers`);
    for (const name of names) {
      const hex = /^\d+-([0-9a-f]{64})\.tar$/.exec(name)?.[1];
      if (hex !== hexOf(readFileSync(join(out, name)))) throw new Error(`${name} has other content`);
    }
    rmSync(folder, { recursive: true });
  });
});

test('a pushed list is a sound archive of the same images', async () => {
  const linux = archiveRecipe.map(
    (recipe): ArchiveRecipe => ({
      ...recipe,
      images: recipe.images
        .slice(0, 1)
        .map(image => ({ ...image, platform: { os: 'linux', architecture: 'amd64' } })),
      extras: 0,
    }),
  );
  await always(fc.record({ recipe: linux, tar: fc.boolean() }), 30, async ({ recipe, tar }) => {
    const folder = sandbox();
    const archive = kept(tarOf(membersOf(recipe)));
    const lists = join(folder, 'lists');
    const output = join(folder, tar ? 'out.tar' : 'out');
    const created = await unlessRefused(manifestCreate(lists, 'app:1', [archive], {}));
    const pushed =
      created instanceof InputError ? created : await unlessRefused(manifestPush(lists, 'app:1', { output }));
    if (!(pushed instanceof InputError)) {
      const report = reportOf(await readArchive(output));
      const source = reportOf(await readArchive(archive));
      const wanted = source.images.map(({ imageId }) => imageId);
      // A layer that is not a valid tar is copied unchanged.
      const isSound = source.verdicts.intact === true;
      if (isSound && (report.verdicts.intact !== true || report.verdicts.complete !== true))
        throw new Error(
          `what was pushed is not sound: ${report.findings.map(({ code, message }) => `${code}: ${message}`).join('\n')}`,
        );
      for (const { imageId } of report.images)
        if (!wanted.includes(imageId)) throw new Error(`another image ${imageId}`);
    }
    rmSync(folder, { recursive: true });
  });
});

test.run();
