// Files that an extraction of an archive leaves, compared with a real extraction of arbitrary members.
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Member } from '../../src/containers/source.js';
import { ExtractedDirectory, Extraction, Members } from '../../src/scan/extraction.js';
import { temporary } from '../support/tmp.js';

const SEED = 20_261_206;
const PATHS = ['a', 'b', 'd', 'e', 'd/a', 'd/b', 'e/a', 'd/e/a', 'e/b/a'];
const TARGETS = ['a', 'b', 'd', 'e', '.', './d', '../a', '../d', 'd/../b', '../../a', 'd/a', 'e/b', '/a'];

const make = (path: string, type: Member['type'], target: string | null = null): Member => ({
  path,
  name: path,
  type,
  size: 0,
  target,
});
const member = fc.oneof(
  fc.constantFrom(...PATHS).map(path => make(path, 'file')),
  fc.constantFrom(...PATHS).map(path => make(path, 'directory')),
  fc
    .tuple(fc.constantFrom(...PATHS), fc.constantFrom(...TARGETS))
    .map(([path, to]) => make(path, 'symlink', to)),
  fc
    .tuple(fc.constantFrom(...PATHS), fc.constantFrom(...PATHS))
    .map(([path, to]) => make(path, 'hardlink', to)),
);

/**
 * Extracts like archive.Untar of moby.
 * @returns false if it fails
 */
function extract(root: string, { path, type, target }: Member, content: string): boolean {
  const place = join(root, path);
  try {
    // Checks whether the parent exists, without following a link.
    if (!isThere(dirname(place))) mkdirSync(dirname(place), { recursive: true });
    const isDirectory = isThere(place) && lstatSync(place).isDirectory();
    if (isThere(place) && !(isDirectory && type === 'directory')) rmSync(place, { recursive: true });
    if (type === 'directory' && !isDirectory) mkdirSync(place);
    else if (type === 'symlink') symlinkSync(target!, place);
    else if (type === 'hardlink') linkSync(join(root, target!), place);
    else if (type === 'file') writeFileSync(place, content);
    return true;
  } catch {
    return false;
  }
}

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** The number of the member whose content is at a path; null if there is no file. */
function readAt(root: string, path: string): number | null {
  const place = join(root, path);
  return existsSync(place) && statSync(place).isFile() ? Number(readFileSync(place, 'utf8')) : null;
}

test('an extraction leaves the same files as a real one', () => {
  const top = temporary('extraction');
  let run = 0;
  let found = 0;
  const property = fc.property(fc.array(member, { minLength: 1, maxLength: 10 }), members => {
    // Two levels deep, so that `..` from the top leads to nothing, as `/` does.
    const root = join(top, `${++run}`, 'in', 'root');
    mkdirSync(root, { recursive: true });
    const ours = new Extraction<Member>(false);
    for (const [i, one] of members.entries()) {
      // A member that fails ends the extraction.
      if (!extract(root, one, String(i))) {
        assert.ok(ours.add(one, one.path) !== null, `${one.type} ${one.path} is refused`);
        break;
      }
      assert.is(ours.add(one, one.path), null, `${one.type} ${one.path} is extracted`);
    }
    for (const path of PATHS) {
      const node = ours.find(path, true);
      const is =
        node !== null && !(node instanceof ExtractedDirectory) && node.type === 'file'
          ? members.indexOf(node)
          : null;
      assert.is(is, readAt(root, path), path);
      if (is !== null) found++;
    }
    rmSync(join(top, `${run}`), { recursive: true });
  });
  fc.assert(property, { seed: SEED, numRuns: 1500 });
  assert.ok(found > 500, String(found));
});

test('in a chroot, links that lead out stay inside', () => {
  const members = [make('a', 'file'), make('d/l', 'symlink', '/a'), make('d/m', 'symlink', '../../../a')];
  for (const [scoped, expected] of [
    [true, members[0]],
    [false, null],
  ] as const) {
    const tree = new Extraction<Member>(scoped);
    for (const one of members) assert.is(tree.add(one, one.path), null);
    for (const path of ['d/l', 'd/m']) assert.is(tree.find(path, true), expected, path);
  }
});

test('members that cannot be extracted', () => {
  const tree = new Extraction<Member>(false);
  assert.is(tree.add(make('../a', 'file'), '../a'), 'outside');
  const long = 'a'.repeat(5000);
  assert.is(tree.add(make(long, 'file'), long), 'too long');
  assert.is(tree.add(make('a', 'symlink', long), 'a'), 'too long');
});

test('circles of links, and long detours through many links, end soon', () => {
  const chain = Array.from({ length: 39 }, (_, i) =>
    make(`l${i}`, 'symlink', `${'./'.repeat(2000)}l${i + 1}`),
  );
  const uses = Array.from({ length: 3000 }, (_, i) => make(`u${i}`, 'symlink', 'l0'));
  const started = performance.now();
  const members = new Members([make('l39', 'file'), make('loop', 'symlink', 'loop'), ...chain, ...uses]);
  assert.is(members.file('loop'), null);
  for (const { path } of uses) members.file(path);
  assert.ok(performance.now() - started < 5000);
  const few = new Members([make('l39', 'file'), ...chain]);
  assert.is(few.file('l0')?.path, 'l39');
});

test.run();
