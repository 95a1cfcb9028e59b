import type { Member } from '../source/source.js';
import type { PartReading } from './read.js';

/** Where a member of an archive is found again, for `reread`. */
export function memberPlace({ part, scan }: PartReading, { path }: Member) {
  const isOnce = part.source.access === 'once';
  const copies = isOnce ? scan.members.filter(m => m.path === path && m.type === 'file').length : 1;
  return { inside: part.inside, path, copies };
}
