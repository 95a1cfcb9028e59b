import { execFileSync } from 'node:child_process';
import { lchownSync, lutimesSync } from 'node:fs';
import type { TreeNode } from '../filesystem/file-tree.js';
import { type Attributes, timeOf } from './root-entry.js';

const LETTERS: Readonly<Record<string, string>> = { char: 'c', block: 'b', fifo: 'p' };

/**
 * Creates a device or a named pipe by mknod(1): Node has no call for it.
 * @throws the system's error, or one with the message of mknod; also for a name that is not UTF-8, which cannot be
 *   passed to a command
 */
export function makeSpecialFile(path: Buffer, { entry, inode }: TreeNode, { owner }: Attributes): void {
  const name = new TextDecoder('utf-8', { fatal: true }).decode(path);
  const numbers = entry.device === null ? [] : [String(entry.device.major), String(entry.device.minor)];
  const mode = (entry.mode & 0o777).toString(8);
  try {
    execFileSync('mknod', ['-m', mode, '--', name, LETTERS[inode.type]!, ...numbers], { stdio: 'pipe' });
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? '').trim();
    throw said === '' ? error : new Error(said.slice(said.lastIndexOf(': ') + 2));
  }
  if (owner) lchownSync(path, entry.uid, entry.gid);
  lutimesSync(path, timeOf(entry), timeOf(entry));
}
