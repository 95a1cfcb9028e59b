// Node's permission model (`node --permission`), which reading an archive works under.
// https://nodejs.org/api/permissions.html
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const OPTIONS: Readonly<Record<string, string>> = {
  FileSystemRead: '--allow-fs-read',
  FileSystemWrite: '--allow-fs-write',
};

/** An error of the model. */
interface Denial extends Error {
  readonly code: 'ERR_ACCESS_DENIED';
  readonly permission?: string;
  /** The path. */
  readonly resource?: string;
}

export const isDenial = (error: unknown): error is Denial =>
  error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';

/** The reason, with the option of Node that would allow it. */
export function denialText({ permission = '', resource }: Denial): string {
  const option = OPTIONS[permission];
  return denied(option === undefined ? [] : [`${option}=${resource || 'PATH'}`]);
}

/** The same for a path that is written: under a name of its own beside it, which is then renamed. */
export function writeDenialText({ resource }: Denial): string {
  if (resource === undefined || resource === '') return denied([]);
  const folder = join(dirname(resolve(resource)), '/');
  return denied([OPTIONS.FileSystemRead, OPTIONS.FileSystemWrite].map(option => `${option}=${folder}`));
}

const denied = (options: readonly string[]): string =>
  `Node's permission model does not allow it${options.length === 0 ? '' : `: start Node with ${options.join(' ')} too`}`;

/** False also for a path that may not be read: Node's own function throws then. */
export function exists(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}

/** null without the model. */
const model = () => (process as { readonly permission?: { has(scope: string): boolean } }).permission ?? null;

/** False without `--allow-worker`. */
export const mayStartThreads = (): boolean => model()?.has('worker') ?? true;

/** False under the model, which has no right to change the mode, owner or time of an open file. */
export const maySetAttributes = (): boolean => model() === null;
