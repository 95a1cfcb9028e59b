// Arbitrary damage: to members before they are packed, and to the bytes of the archive.
import fc from 'fast-check';
import { bytesOf, digestOf, encodedOf, textOf } from '../support/digest.js';
import { type FileMember, file, isFile, type Member } from '../support/members.js';
import { withChecksum } from '../support/tar-blocks.js';
import { type EntryRecipe, entryBytes, entryRecipe } from './entries.js';
import { hostileJson, hostileText } from './texts.js';

/** Offsets of name, mode, uid, gid, size, mtime, type, link name, magic, device numbers, prefix. */
const HEADER_FIELDS = [0, 100, 108, 116, 124, 124, 136, 156, 156, 157, 257, 329, 345] as const;
const BLOCK = 512;

/** Places are fractions of the size, so that a damage can be applied to any archive. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.constantFrom(new Uint8Array(512), new Uint8Array(1024), new Uint8Array(100).fill(255)),
);

export type ByteDamage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'delete'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly to: number }
  | { readonly kind: 'entry'; readonly at: number; readonly entry: EntryRecipe }
  | { readonly kind: 'header'; readonly at: number; readonly field: number; readonly bytes: Uint8Array };

export const byteDamage: fc.Arbitrary<ByteDamage> = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('set'), at: place, bytes }),
  fc.record({ kind: fc.constant('cut'), at: place }),
  fc.record({ kind: fc.constant('insert'), at: place, bytes }),
  fc.record({ kind: fc.constant('delete'), at: place, length: fc.nat(2000) }),
  fc.record({ kind: fc.constant('repeat'), at: place, length: fc.nat(3000), to: place }),
  fc.record({ kind: fc.constant('entry'), at: place, entry: entryRecipe }),
  fc.record({
    kind: fc.constant('header'),
    at: place,
    field: fc.nat(HEADER_FIELDS.length - 1),
    bytes: fc.oneof(
      fc
        .constantFrom(
          '7777777\0',
          '00000000000\0',
          '77777777777\0',
          '-1',
          ' ',
          '\x80',
          '\xff\xff\xff\xff\xff\xff\xff\xff',
        )
        .map(text => new Uint8Array(Buffer.from(text, 'latin1'))),
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
    ),
  }),
) as fc.Arbitrary<ByteDamage>;

export function damagedBytes(whole: Uint8Array, damage: ByteDamage): Uint8Array {
  if (whole.length === 0) return whole;
  const at = Math.floor(damage.at * whole.length);
  const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  switch (damage.kind) {
    case 'cut':
      return whole.slice(0, at);
    case 'insert':
      return join(whole.subarray(0, at), damage.bytes, whole.subarray(at));
    case 'delete':
      return join(whole.subarray(0, at), whole.subarray(at + damage.length));
    case 'repeat': {
      const to = Math.floor(damage.to * whole.length);
      return join(whole.subarray(0, to), whole.subarray(at, at + damage.length), whole.subarray(to));
    }
    case 'flip': {
      const changed = whole.slice();
      changed[at] = (changed[at] as number) ^ (1 << damage.bit);
      return changed;
    }
    case 'set': {
      const changed = whole.slice();
      changed.set(damage.bytes.subarray(0, whole.length - at), at);
      return changed;
    }
    case 'entry': {
      const start = headerBefore(whole, at) ?? 0;
      return join(whole.subarray(0, start), entryBytes(damage.entry), whole.subarray(start));
    }
    case 'header':
      return withHeaderField(whole.slice(), at, damage);
  }
}

/** Changes a header field and updates the checksum, so that the header is still accepted. */
function withHeaderField(
  tar: Uint8Array,
  at: number,
  { field, bytes: value }: Extract<ByteDamage, { kind: 'header' }>,
): Uint8Array {
  const start = headerBefore(tar, at);
  if (start === undefined) return tar;
  const block = Buffer.from(tar.buffer, start, BLOCK);
  block.set(value.subarray(0, BLOCK), HEADER_FIELDS[field] as number);
  withChecksum(block);
  return tar;
}

/** The offset of the header that precedes a byte, or of the first one. */
function headerBefore(tar: Uint8Array, at: number): number | undefined {
  const headers: number[] = [];
  for (let block = 0; block + BLOCK <= tar.length; block += BLOCK)
    if (textOf(tar.subarray(block + 257, block + 262)) === 'ustar') headers.push(block);
  return headers.findLast(header => header <= at) ?? headers[0];
}

export type MemberDamage =
  | { readonly kind: 'drop'; readonly at: number }
  | { readonly kind: 'twice'; readonly at: number; readonly to: number }
  | { readonly kind: 'swap'; readonly at: number; readonly to: number }
  | { readonly kind: 'rename'; readonly at: number; readonly text: string }
  | { readonly kind: 'link'; readonly at: number; readonly to: number; readonly hard: boolean }
  | { readonly kind: 'point'; readonly at: number; readonly text: string }
  | { readonly kind: 'content'; readonly at: number; readonly damage: ByteDamage }
  | { readonly kind: 'exchange'; readonly at: number; readonly to: number }
  | {
      readonly kind: 'json';
      readonly at: number;
      readonly path: number;
      readonly value: unknown;
      readonly repair: boolean;
    }
  | {
      readonly kind: 'key';
      readonly at: number;
      readonly path: number;
      readonly text: string;
      readonly repair: boolean;
    }
  | { readonly kind: 'unkey'; readonly at: number; readonly path: number; readonly repair: boolean };

export const memberDamage: fc.Arbitrary<MemberDamage> = fc.oneof(
  fc.record({ kind: fc.constant('drop'), at: place }),
  fc.record({ kind: fc.constant('twice'), at: place, to: place }),
  fc.record({ kind: fc.constant('swap'), at: place, to: place }),
  fc.record({ kind: fc.constant('rename'), at: place, text: hostileText }),
  fc.record({ kind: fc.constant('link'), at: place, to: place, hard: fc.boolean() }),
  fc.record({ kind: fc.constant('point'), at: place, text: hostileText }),
  fc.record({ kind: fc.constant('content'), at: place, damage: byteDamage }),
  fc.record({ kind: fc.constant('exchange'), at: place, to: place }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('json'),
      at: place,
      path: place,
      value: hostileJson,
      repair: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('key'), at: place, path: place, text: hostileText, repair: fc.boolean() }),
  fc.record({ kind: fc.constant('unkey'), at: place, path: place, repair: fc.boolean() }),
) as fc.Arbitrary<MemberDamage>;

export function damagedMembers(members: readonly Member[], damage: MemberDamage): Member[] {
  if (members.length === 0) return [];
  const at = Math.floor(damage.at * members.length);
  const one = members[at] as Member;
  const other = 'to' in damage ? (members[Math.floor(damage.to * members.length)] as Member) : one;
  const replaced = (member: Member) => members.map((old, i) => (i === at ? member : old));
  switch (damage.kind) {
    case 'drop':
      return members.filter((_, i) => i !== at);
    case 'twice':
      return members.flatMap(member => (member === other ? [member, one] : [member]));
    case 'swap':
      return members.map(member => (member === one ? other : member === other ? one : member));
    case 'rename':
      return replaced({ ...one, path: damage.text });
    case 'link':
      return replaced({ path: one.path, link: other.path, hard: damage.hard });
    case 'point':
      return replaced({ path: one.path, link: damage.text });
    case 'exchange':
      return isFile(one) && isFile(other) ? replaced({ ...one, bytes: other.bytes }) : [...members];
    case 'content':
      return isFile(one) ? replaced({ ...one, bytes: damagedBytes(one.bytes, damage.damage) }) : [...members];
    default:
      return damagedDocument(members, damage);
  }
}

/** Changes a document of the archive; with `repair`, also updates every digest that depends on it. */
function damagedDocument(
  members: readonly Member[],
  damage: Extract<MemberDamage, { kind: 'json' | 'key' | 'unkey' }>,
): Member[] {
  const documents = members
    .filter(isFile)
    .filter(({ bytes: content }) => /^\s*[[{]/.test(textOf(content.subarray(0, 20))));
  const chosen = documents[Math.floor(damage.at * documents.length)];
  if (chosen === undefined) return [...members];
  const parsed = parse(chosen.bytes);
  if (parsed === undefined) return [...members];
  const content = bytesOf(JSON.stringify(changedJson(parsed, damage)) ?? 'null');
  const changed = members.map(member => (member === chosen ? { ...chosen, bytes: content } : member));
  return damage.repair ? repaired(changed, chosen, content) : changed;
}

function parse(content: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(content));
  } catch {
    return undefined;
  }
}

function changedJson(
  document: unknown,
  damage: Extract<MemberDamage, { kind: 'json' | 'key' | 'unkey' }>,
): unknown {
  const places: (readonly [parent: Record<string, unknown>, key: string])[] = [];
  const root = { document };
  const walk = (parent: Record<string, unknown>, key: string) => {
    places.push([parent, key]);
    const value = parent[key];
    if (typeof value !== 'object' || value === null) return;
    for (const inner of Object.keys(value)) walk(value as Record<string, unknown>, inner);
  };
  walk(root, 'document');
  const [parent, key] = places[Math.floor(damage.path * places.length)] as (typeof places)[number];
  if (damage.kind === 'unkey') delete parent[key];
  else if (damage.kind === 'json') define(parent, key, damage.value);
  else {
    const { [key]: value } = parent;
    if (!Array.isArray(parent)) delete parent[key];
    define(parent, damage.text, value);
  }
  return root.document;
}

const define = (object: Record<string, unknown>, key: string, value: unknown) =>
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });

/** Renames a changed document to its new digest, and updates the documents that refer to it, recursively. */
function repaired(members: readonly Member[], before: FileMember, after: Uint8Array): Member[] {
  let current = [...members];
  const pending = [{ was: before.bytes, is: after, path: before.path }];
  // The recursion is bounded, because documents may refer to each other in a circle.
  for (
    let change = pending.shift(), rounds = 0;
    change !== undefined && rounds < 20;
    change = pending.shift(), rounds++
  ) {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const [was, is] = [change.was, change.is].map(content => encodedOf(digestOf(content, algorithm))) as [
        string,
        string,
      ];
      current = current.map(member => {
        const path = member.path.replaceAll(was, is);
        if (!isFile(member)) return { ...member, path };
        const content = textOf(member.bytes.subarray(0, 1_000_000));
        if (!content.includes(was) || !/^\s*[[{]/.test(content)) return { ...member, path };
        const text = content
          .replaceAll(was, is)
          .replaceAll(
            new RegExp(`("digest":\\s*"sha\\d+:${is}",\\s*"size":\\s*)\\d+`, 'g'),
            `$1${change!.is.length}`,
          )
          .replaceAll(
            new RegExp(`("size":\\s*)\\d+(,\\s*"digest":\\s*"sha\\d+:${is}")`, 'g'),
            `$1${change!.is.length}$2`,
          );
        const next = file(path, text, { ...(member.mode !== undefined && { mode: member.mode }) });
        pending.push({ was: member.bytes, is: next.bytes, path });
        return next;
      });
    }
  }
  return current;
}
