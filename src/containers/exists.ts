import { existsSync } from 'node:fs';

/** False also for a path that Node's permission model does not let be read: Node's own function throws then. */
export function exists(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}
