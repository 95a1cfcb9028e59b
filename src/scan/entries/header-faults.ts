import { type Device, deviceOf, type EntryHeader, type EntryRecords } from '../../tar/entry.js';
import { isHeaderOnly } from '../../tar/header.js';
import type { TarOddities } from '../../tar/layer-records.js';
import type { PaxRecords } from '../../tar/pax.js';
import { nameReadings, sizeReadings } from '../../tar/records.js';
import { agreesWithField } from '../../tar/walk-archive.js';
import type { RefusalKind } from '../names/facts.js';

const DIRECTORY = '5'.charCodeAt(0);

/**
 * Reports fields of an entry's header that readers interpret differently.
 * @param size  the size field of the header itself
 */
export function compareReadings(
  oddities: TarOddities,
  block: Uint8Array,
  { name, flag, storedSize, claimedSize }: EntryHeader,
  records: EntryRecords,
  size: number,
): void {
  if (isHeaderOnly(flag)) {
    // Old writers put the space reserved for a directory into its size field.
    if (claimedSize > 0 && flag !== DIRECTORY)
      oddities.isAmbiguous('content', name, ['0', String(claimedSize)]);
  } else if (!agreesWithField(storedSize, size))
    oddities.isAmbiguous('size', name, [String(storedSize), String(size)]);
  const names = nameReadings(block, records);
  if (names !== null) oddities.isAmbiguous('name', name, names);
  const sizes = records.pax.get('size') ? null : sizeReadings(block, size);
  if (sizes !== null) oddities.isAmbiguous('size', name, sizes);
}

const PREFIX = 'SCHILY.xattr.';

/** Linux's limits on the name and the value of an extended attribute, in bytes. limits.h */
const NAME_MAX = 255;
const SIZE_MAX = 65_536;

/**
 * The first extended attribute of an entry that Linux does not accept, for which engines refuse the layer. Not checked:
 * whether a file system has room for it and supports its namespace. xattr(7), fs/xattr.c
 * @param flag  the type of the entry
 */
export function xattrFault(pax: PaxRecords, flag: number): readonly [kind: RefusalKind, name: string] | null {
  for (const [key, value] of pax) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    const kind = faultOf(name, value, flag);
    if (kind !== null) return [kind, name];
  }
  return null;
}

function faultOf(name: string, value: string, flag: number): RefusalKind | null {
  if (name === '' || name.length > NAME_MAX || BARE.test(name)) return 'xattr-name';
  if (value.length > SIZE_MAX) return 'xattr-size';
  if (name.startsWith('user.') && SPECIAL.has(flag)) return 'xattr-on-special';
  return name === 'security.capability' && !isCapability(value) ? 'xattr-capability' : null;
}

const BARE = /^(?:user|trusted|security)\.$/;

/**
 * Names of extended attributes by which overlay hides, moves or replaces files of lower layers: of the kernel, as root
 * and without (`userxattr`), and of fuse-overlayfs. The others that overlay keeps are about its own bookkeeping.
 * https://docs.kernel.org/filesystems/overlayfs.html
 */
const OVERLAY =
  /^(?:(?:trusted|user)\.overlay\.(?:opaque|redirect|metacopy|whiteouts?)|(?:user|security)\.fuseoverlayfs\.opaque)$/;

/**
 * Finds what overlay obeys in an entry that is unpacked as it is: a device that is a whiteout, extended attributes.
 * Hazard: drivers that unpack layers one upon the other show the entry itself.
 */
export function overlayMark(
  block: Uint8Array,
  { pax }: EntryRecords,
  flag: number,
): readonly [kind: RefusalKind, name: string] | null {
  if (flag === CHARACTER_DEVICE && isZero(deviceOf(block, flag))) return ['overlay-whiteout', ''];
  for (const key of pax.keys()) {
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : '';
    if (OVERLAY.test(name)) return ['overlay-attribute', name];
  }
  return null;
}

/** Linux keeps 12 bits of the major number and 20 of the minor one. */
const isZero = ({ major, minor }: Device) => major % 2 ** 12 === 0 && minor % 2 ** 20 === 0;

const CHARACTER_DEVICE = '3'.charCodeAt(0);

/** Symbolic links, devices and pipes. A hard link has the type of its target. */
const SPECIAL: ReadonlySet<number> = new Set(['2', '3', '4', '6'].map(type => type.charCodeAt(0)));

/**
 * True for a valid capability: a version in the first four bytes, little-endian, with the flag `effective`. An empty
 * value removes the attribute. linux/capability.h
 */
function isCapability(value: string): boolean {
  if (value === '') return true;
  const magic = Buffer.from(value.slice(0, 4), 'latin1');
  if (magic.length < 4) return false;
  const version = (magic.readUInt32LE() & ~1) >>> 0;
  return (version === 0x02000000 && value.length === 20) || (version === 0x03000000 && value.length === 24);
}
