// Names that some readers normalise to another name.
import { type Move, planted } from './move.js';
import type { Piece } from './piece.js';

const renamed = (name: string, does: string, rename: (path: string) => string | null): Move =>
  planted(name, does, (twin: Piece) => {
    const path = rename(twin.path);
    return path === null ? null : { ...twin, path };
  });

const splitAt = (path: string): [folder: string, name: string] => {
  const at = path.lastIndexOf('/') + 1;
  return [path.slice(0, at), path.slice(at)];
};

export const nameMoves: readonly Move[] = [
  renamed(
    'name-dotdot',
    'A name that leads through a folder and back, for readers that clean names.',
    path => `x/../${path}`,
  ),
  renamed('name-dotdot-inside', 'The same with `..` in the middle of the name.', path => {
    const [folder, name] = splitAt(path);
    return `${folder}y/../${name}`;
  }),
  renamed(
    'name-above',
    'A name that leads above the root, which some readers take for the root.',
    path => `../${path}`,
  ),
  renamed('name-above-twice', 'The same from a folder.', path => `a/../../${path}`),
  renamed('name-dot', 'A name that begins with `./`.', path => `./${path}`),
  renamed('name-dot-inside', 'A name with `/./` in the middle.', path => {
    const [folder, name] = splitAt(path);
    return folder === '' ? `././${name}` : `${folder}./${name}`;
  }),
  renamed('name-double-slash', 'A name with `//` in it.', path => {
    const [folder, name] = splitAt(path);
    return folder === '' ? `.//${name}` : `${folder}/${name}`;
  }),
  renamed('name-absolute', 'A name that begins with a slash.', path => `/${path}`),
  renamed('name-absolute-twice', 'A name that begins with two slashes.', path => `//${path}`),
  renamed('name-backslash', 'Backslashes in place of slashes.', path => `.\\${path.replaceAll('/', '\\')}`),
  renamed(
    'name-slash-end',
    'A file whose name ends in a slash, which Go reads as a directory.',
    path => `${path}/`,
  ),
  renamed('name-dot-end', 'A file whose name ends in `/.`.', path => `${path}/.`),
  renamed(
    'name-nul',
    'A name with a NUL and further bytes, which are not part of the name.',
    path => `${path}\0.old`,
  ),
  renamed('name-case', 'A name in capitals, for file systems that fold case.', path => path.toUpperCase()),
  renamed(
    'name-first-capital',
    'A name that begins with a capital.',
    path => path.slice(0, 1).toUpperCase() + path.slice(1),
  ),
  renamed('name-space', 'A name with a trailing space.', path => `${path} `),
  renamed(
    'name-twice',
    'The same name twice: the first one counts for some, the last one for others.',
    path => path,
  ),
];
