import { isUnsafeName } from '../../source/path.js';
import type { Member } from '../../source/source.js';
import { refuse } from './answer.js';
import { below, clean, type TarFile } from './tar-file.js';

/** A place in the tree that is there once the tar has been unpacked. */
export interface Place {
  readonly type: 'dir' | 'file' | 'symlink' | 'other';
  /** The entry with the bytes; null for a directory. */
  readonly member: Member | null;
  /** Where a symbolic link points, as written. */
  readonly target: string;
}

/** By path. Of the directories that no entry stands for, only those at the top. */
export type Tree = ReadonlyMap<string, Place>;

const DIRECTORY: Place = { type: 'dir', member: null, target: '' };

/** What Linux takes for a path, in bytes; nothing longer can be unpacked. */
const PATH_MAX = 4096;
/** FollowSymlinkInScope's own cap on links, and one of ours on what they may make a path grow to. */
const HOPS = 255;
const SEGMENTS = 512;

/** The tree that moby's archive.Untar leaves: a later entry takes the place of an earlier one. moby pkg/archive/archive.go */
export function extracted({ members }: TarFile): Tree {
  const tree = new Map<string, Place>([['', DIRECTORY]]);
  for (const member of members) {
    checkLength(member.name);
    checkLength(member.target ?? '');
    const path = below(member.name);
    if (path === '') continue;
    if (isUnsafeName(member.name) && clean(member.name).startsWith('../')) {
      refuse(`invalid entry name "${member.name}"`);
    }
    const place = placeOf(member, tree);
    const slash = path.indexOf('/');
    const top = path.slice(0, Math.max(0, slash));
    if (!tree.has(top)) tree.set(top, DIRECTORY);
    tree.set(path, place);
  }
  return tree;
}

function checkLength(path: string): void {
  if (path.length > PATH_MAX) refuse(`open DIR/${path.slice(0, 64)}…: file name too long`);
}

function placeOf(member: Member, tree: Tree): Place {
  const { type, name } = member;
  const target = member.target ?? '';
  if (type === 'directory') return DIRECTORY;
  if (type === 'symlink') return { type, member, target };
  if (type !== 'hardlink') return { type, member, target: '' };
  return tree.get(below(target)) ?? refuse(`linkat ${target} ${name}: no such file or directory`);
}

/**
 * Where a path leads inside the tree, through symbolic links, none of which can leave it. What it leads to may be absent.
 * moby vendor/github.com/moby/sys/symlink (FollowSymlinkInScope)
 */
export function resolve(tree: Tree, path: string): string {
  checkLength(path);
  if (clean(path).startsWith('..')) refuse(`evalSymlinksInScope: DIR/${clean(path)} is not in DIR`);
  const todo = segments(below(path)).reverse();
  const done: string[] = [];
  for (let hops = 0, seen = 0; todo.length > 0; seen++) {
    const segment = todo.pop()!;
    if (segment === '.') continue;
    if (segment === '..') {
      done.pop();
      continue;
    }
    const place = tree.get([...done, segment].join('/'));
    if (place?.type !== 'symlink') {
      done.push(segment);
      continue;
    }
    if (++hops > HOPS || seen > SEGMENTS) refuse(`evalSymlinksInScope: too many links in ${path}`);
    if (place.target.startsWith('/')) done.length = 0;
    todo.push(...segments(place.target).reverse());
  }
  return done.join('/');
}

const segments = (path: string): string[] => path.split('/').filter(segment => segment !== '');

/** The file at a path, or what the kernel says instead. */
export function open(tree: Tree, path: string): Member {
  const real = resolve(tree, path);
  const place = tree.get(real);
  if (place?.member) return place.member;
  const isDirectory = place !== undefined || [...tree.keys()].some(key => key.startsWith(`${real}/`));
  if (isDirectory) return refuse(`read ${`DIR/${real}`.replace(/\/$/, '')}: is a directory`);
  return refuse(`open DIR/${real}: no such file or directory`);
}
