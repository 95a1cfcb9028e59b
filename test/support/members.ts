// An archive before it is packed: its members in the order the producer writes them.
import { bytesOf, textOf } from './digest.js';

interface Placed {
  readonly path: string;
  readonly mode?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
}

export interface FileMember extends Placed {
  readonly bytes: Uint8Array;
}

export interface LinkMember extends Placed {
  readonly link: string;
  readonly hard?: boolean;
}

export interface DirectoryMember extends Placed {
  readonly directory: true;
}

export type Member = FileMember | LinkMember | DirectoryMember;

export const isFile = (member: Member): member is FileMember => 'bytes' in member;
export const isLink = (member: Member): member is LinkMember => 'link' in member;

export const file = (
  path: string,
  content: string | Uint8Array,
  more: Omit<Placed, 'path'> = {},
): FileMember => ({
  path,
  bytes: bytesOf(content),
  ...more,
});

export const directory = (path: string, more: Omit<Placed, 'path'> = {}): DirectoryMember => ({
  path: path.endsWith('/') ? path : `${path}/`,
  directory: true,
  ...more,
});

/** Keeps the first member of each path, as a producer does that checks before it writes. */
export function firstOfEach(members: readonly Member[]): Member[] {
  const seen = new Set<string>();
  return members.filter(({ path }) => !seen.has(path) && seen.add(path));
}

/** Sorts like a walk through sorted directories: names are compared segment by segment. */
export function walkOrder(members: readonly Member[]): Member[] {
  const key = ({ path }: Member) => path.replace(/\/$/, '').replaceAll('/', '\0');
  return [...members].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

export function memberBytes(members: readonly Member[], path: string): Uint8Array {
  const found = members.find(member => member.path === path);
  if (found === undefined || !isFile(found)) throw new Error(`no file ${path} among the members`);
  return found.bytes;
}

export const memberJson = (members: readonly Member[], path: string): unknown =>
  JSON.parse(textOf(memberBytes(members, path)));

export const without = (members: readonly Member[], path: string): Member[] =>
  members.filter(member => member.path !== path);

/** Changes the bytes of one member. */
export function replaceBytes(
  members: readonly Member[],
  path: string,
  change: (bytes: Uint8Array) => string | Uint8Array,
): Member[] {
  memberBytes(members, path);
  return members.map(member =>
    member.path === path && isFile(member) ? { ...member, bytes: bytesOf(change(member.bytes)) } : member,
  );
}

/** Inverts one byte of one file; a negative `at` counts from the end. */
export function flipByte(members: readonly Member[], path: string, at: number): Member[] {
  return replaceBytes(members, path, bytes => {
    const changed = Uint8Array.from(bytes);
    const index = at < 0 ? changed.length + at : at;
    if (index < 0 || index >= changed.length) throw new Error(`${path} has no byte ${at}`);
    changed[index] = (changed[index] as number) ^ 0xff;
    return changed;
  });
}
