// Small changes to bytes of any kind.
import type { Random } from './random.js';

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** Boundary values of integers. */
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Mutation = (bytes: Uint8Array, random: Random, tokens: readonly string[]) => Uint8Array;

const place = (bytes: Uint8Array, random: Random) => random.below(bytes.length + 1);

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const changed = Uint8Array.from(bytes);
    if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8);
    return changed;
  },
  function setBytes(bytes, random) {
    const changed = Uint8Array.from(bytes);
    const at = place(bytes, random);
    changed.set(random.bytes(random.size(8)).subarray(0, changed.length - at), at);
    return changed;
  },
  function setNumber(bytes, random) {
    const changed = Buffer.from(bytes);
    const size = random.pick([1, 2, 4]);
    if (changed.length < size) return bytes;
    const at = random.below(changed.length - size + 1);
    const number = random.pick(NUMBERS) % 2 ** (8 * size);
    if (random.once(2)) changed.writeUIntLE(number, at, size);
    else changed.writeUIntBE(number, at, size);
    return new Uint8Array(changed);
  },
  function cut(bytes, random) {
    return bytes.slice(0, place(bytes, random));
  },
  function remove(bytes, random) {
    const at = place(bytes, random);
    return join(bytes.subarray(0, at), bytes.subarray(at + random.size(bytes.length + 1)));
  },
  function insert(bytes, random) {
    const at = place(bytes, random);
    return join(bytes.subarray(0, at), random.bytes(random.size(64)), bytes.subarray(at));
  },
  function insertToken(bytes, random, tokens) {
    const at = place(bytes, random);
    const token = tokens.length === 0 ? Buffer.alloc(1) : Buffer.from(random.pick(tokens), 'latin1');
    return join(bytes.subarray(0, at), token, bytes.subarray(random.once(2) ? at : at + token.length));
  },
  function repeat(bytes, random) {
    const at = place(bytes, random);
    const piece = bytes.subarray(at, at + random.size(64));
    const copies = Array.from({ length: random.size(100) }, () => piece);
    return join(bytes.subarray(0, at), ...copies, bytes.subarray(at));
  },
  function move(bytes, random) {
    const [from, to] = [place(bytes, random), place(bytes, random)];
    const piece = bytes.subarray(from, from + random.size(bytes.length + 1));
    return join(bytes.subarray(0, to), piece, bytes.subarray(to));
  },
  function fill(bytes, random) {
    const at = place(bytes, random);
    return Uint8Array.from(bytes).fill(random.pick([0, 0x20, 0x30, 0x39, 0xff]), at, at + random.size(512));
  },
];

/** Maximum size: larger inputs reach the readers' limits, which have their own tests. */
const LARGEST = 1 << 20;

/** @param tokens  strings with a meaning to the reader; bytes, one per character */
export function mutated(bytes: Uint8Array, random: Random, tokens: readonly string[] = []): Uint8Array {
  let changed = bytes;
  for (let rounds = random.size(6); rounds > 0; rounds--) {
    const next = random.pick(MUTATIONS)(changed, random, tokens);
    if (next.length <= Math.max(LARGEST, bytes.length)) changed = next;
  }
  return changed;
}

/** The beginning of one input and the end of another. */
export const spliced = (one: Uint8Array, other: Uint8Array, random: Random): Uint8Array =>
  join(one.subarray(0, place(one, random)), other.subarray(place(other, random)));
