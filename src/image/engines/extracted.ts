import { posix } from 'node:path';
import { Extraction, Folder, type Unplaced } from '../../scan/extraction.js';
import { isLink } from '../../scan/links.js';
import { isUnsafeName, longestPart, NAME_MAX } from '../../source/path.js';
import type { Member } from '../../source/source.js';
import { cannotTell, refuse } from './answer.js';
import { below, clean, sparseWords, type TarFile } from './tar-file.js';

export type Tree = Extraction<Member>;

/** What Linux takes for a path, in bytes; nothing longer can be unpacked. */
const PATH_MAX = 4096;

/**
 * The tree that archive.Untar leaves, moby's and that of containers/storage. moby pkg/archive/archive.go
 * @param scoped  whether links stay inside it while it is unpacked: docker unpacks in a chroot, containers/image does not
 */
export function extracted(file: TarFile, scoped: boolean): Tree {
  const key = scoped || !file.members.some(isLink) ? 'scoped' : 'open';
  const known = trees.get(file)?.[key];
  if (known !== undefined) return known;
  const tree = build(file, key === 'scoped');
  trees.set(file, { ...trees.get(file), [key]: tree });
  return tree;
}

/** Several engines unpack the same file. One that cannot be unpacked is not remembered. */
const trees = new WeakMap<TarFile, { readonly scoped?: Tree; readonly open?: Tree }>();

function build({ members }: TarFile, scoped: boolean): Tree {
  const tree = new Extraction<Member>(scoped);
  for (const member of members) {
    const { name, flag } = member;
    checkLength(name);
    checkLength(member.target ?? '');
    if (isUnsafeName(name) && clean(name).startsWith('../')) refuse(`invalid entry name "${name}"`);
    if (flag !== undefined) refuse(`unhandled tar header type ${flag}`);
    const why = tree.add(member, below(name));
    if (why !== null) refuse(wordsFor(why, member));
  }
  return tree;
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) > PATH_MAX || longestPart(path) > NAME_MAX)
    refuse(`open DIR/${path.slice(0, 64)}…: file name too long`);
}

function wordsFor(why: Unplaced, { name, target }: Member): string {
  if (why === 'no target') return `linkat ${target} ${name}: no such file or directory`;
  return `open DIR/${below(name)}: not a directory`;
}

/** Whether there is anything at a path, through links. */
export const holds = (tree: Tree, path: string): boolean => tree.find(path, true) !== null;

/** The file at a path, or what the kernel says instead. */
export function open(tree: Tree, path: string): Member {
  checkLength(path);
  if (clean(path).startsWith('..')) refuse(`evalSymlinksInScope: DIR/${clean(path)} is not in DIR`);
  const real = below(path);
  const found = tree.find(real, true);
  if (found instanceof Folder) return refuse(`read ${`DIR/${real}`.replace(/\/$/, '')}: is a directory`);
  if (found?.type === 'other') cannotTell(`${real} is no file`);
  return found ?? refuse(`open DIR/${real}: no such file or directory`);
}

/** A file of the tree, through links; null where there is none. */
export function memberAt({ scan, sparse }: TarFile, tree: Tree, path: string): Member | null {
  const found = tree.find(path, true);
  if (found === null && scan.isDirectory && leadsOut(tree, path, LINKS))
    cannotTell(`${path} is behind a link that leads out of the directory`);
  if (found === null || found instanceof Folder) return null;
  if (found.type === 'other') cannotTell(sparse.has(found.path) ? sparseWords(path) : `${path} is no file`);
  return found;
}

const LINKS = 40;

/** Whether a link on the way leads out, where an engine follows it and waybill does not. */
function leadsOut(tree: Tree, path: string, links: number): boolean {
  const parts = path.split('/');
  const ways = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  const link = ways.find(way => tree.find(way, true) === null);
  const found = link === undefined || links === 0 ? null : tree.find(link, false);
  if (found === null || found instanceof Folder || found.type !== 'symlink') return false;
  const target = posix.join(posix.dirname(link!), found.target ?? '');
  return (
    found.target?.startsWith('/') === true || target.startsWith('..') || leadsOut(tree, target, links - 1)
  );
}

/** A file that must be there, or what the system says instead. */
export function fileAt(file: TarFile, tree: Tree, path: string): Member {
  const member = memberAt(file, tree, path);
  if (member !== null) return member;
  const isFolder = tree.find(path, true) instanceof Folder;
  return refuse(
    isFolder ? `read DIR/${path}: is a directory` : `open DIR/${path}: no such file or directory`,
  );
}
