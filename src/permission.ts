// Node's permission model (`node --permission`), which reading an archive works under. https://nodejs.org/api/permissions.html
import { existsSync } from 'node:fs';

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
  const remedy = option === undefined ? '' : `: start Node with ${option}=${resource || 'PATH'} too`;
  return `Node's permission model does not allow it${remedy}`;
}

/** False also for a path that may not be read: Node's own function throws then. */
export function exists(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}

/** False without `--allow-worker`. */
export function mayStartThreads(): boolean {
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  return permission?.has('worker') ?? true;
}
