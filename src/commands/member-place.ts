import type { Member } from '../source/source.js';
import type { PartReading } from './read.js';

/** Where a member of an archive is found again, for `reread`, and what its bytes were. */
export function memberPlace({ part, scan }: PartReading, member: Member) {
  const { path } = member;
  const isOnce = part.source.access === 'once';
  const copies = isOnce ? scan.members.filter(m => m.path === path && m.type === 'file').length : 1;
  const { size = 0, digests = null } = scan.facts(member) ?? {};
  const stored = digests === null ? null : { size, digest: digests.sha256 };
  return { inside: part.inside, path, copies, stored };
}
