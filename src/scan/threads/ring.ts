import { ROOM_BYTES } from '../../codec/codec.js';
import { type Compression, compressions } from '../../codec/registry.js';
import type { Examination } from '../blob/examiner.js';

/** Bytes of a slot: with room for a decoder's piece until it is at least half full. */
const SLOT = 2 * ROOM_BYTES;
/** Enough to even out fast pieces and slow ones, and few enough to stay in the cache that cores share. */
const SLOTS = 8;
/** A sleeping thread is woken when half of the ring is ready for it: waking takes as long as copying a slot. */
const HALF = SLOTS / 2;

/** What a ring takes, in bytes. */
export const RING_BYTES = SLOT * SLOTS;

/** Words at the head of the memory. For each slot follow what it holds, and a number: its length, or what `check` wants. */
const [SIGNAL, WRITTEN, READ, STATE, COMPRESSION, IS_TAR, KINDS] = [0, 1, 2, 3, 4, 5, 6] as const;
const NUMBERS = KINDS + SLOTS;
const WORDS = NUMBERS + SLOTS;

const [OPEN, ENDED, BROKEN] = [0, 1, 2] as const;
const [STORED, CONTENT, CHECK] = [0, 1, 2] as const;
type Kind = typeof STORED | typeof CONTENT | typeof CHECK;

/**
 * What is to be examined on its way from one thread to another, in memory that both see: one writes, the other reads, and
 * each sleeps while it is ahead. A third may break the ring, which wakes both: neither waits for a thread that has ended.
 *
 * Hazard: sleeping blocks the thread. The main thread only makes and breaks rings.
 */
export class Ring implements Examination {
  private readonly words: Int32Array;
  private readonly slots: readonly Uint8Array[];
  /** The slot that is being filled: what with, and how far. */
  private kind: Kind = STORED;
  private filled = 0;

  /** @param memory  of a ring that another thread has made */
  constructor(readonly memory = new SharedArrayBuffer(4 * WORDS + RING_BYTES)) {
    this.words = new Int32Array(memory, 0, WORDS);
    this.slots = Array.from({ length: SLOTS }, (_, i) => new Uint8Array(memory, 4 * WORDS + i * SLOT, SLOT));
  }

  begin(compression: Compression, isTar: boolean): void {
    this.words[COMPRESSION] = compressions.indexOf(compression);
    this.words[IS_TAR] = isTar ? 1 : 0;
  }

  /** @throws RingBroken when there is no reader any more, as the other writing methods do */
  stored(bytes: Uint8Array): void {
    this.write(STORED, bytes);
  }

  content(bytes: Uint8Array): void {
    this.write(CONTENT, bytes);
  }

  check(crc: number): void {
    this.turnTo(CHECK);
    this.waitForRoom();
    this.publish(crc);
  }

  /** Where the next content may be put, at least `ROOM_BYTES`, before it comes as content. */
  readonly room = (): Uint8Array => this.roomFor(CONTENT);

  end(): void {
    this.turnTo(CHECK);
    Atomics.compareExchange(this.words, STATE, OPEN, ENDED);
    this.wake();
  }

  break(): void {
    Atomics.compareExchange(this.words, STATE, OPEN, BROKEN);
    this.wake();
  }

  /** Passes everything on, to the end or until the ring is broken. */
  read(target: Examination): void {
    for (let begun = false; ; ) {
      const signal = Atomics.load(this.words, SIGNAL);
      // The state first: what was written before the end must not be missed.
      const state = Atomics.load(this.words, STATE);
      if (state === BROKEN) return;
      const isEmpty = this.fill() === 0;
      if (isEmpty && state === OPEN) {
        Atomics.wait(this.words, SIGNAL, signal);
        continue;
      }
      if (!begun) target.begin(compressions[this.words[COMPRESSION]!]!, this.words[IS_TAR] === 1);
      begun = true;
      if (isEmpty) return;
      this.pass(this.turn(READ), target);
      Atomics.add(this.words, READ, 1);
      if (this.fill() === HALF) this.wake();
    }
  }

  private pass(slot: number, target: Examination): void {
    const number = this.words[NUMBERS + slot]!;
    const kind = this.words[KINDS + slot];
    if (kind === CHECK) target.check(number >>> 0);
    else target[kind === STORED ? 'stored' : 'content'](this.slots[slot]!.subarray(0, number));
  }

  private write(kind: Kind, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = this.roomFor(kind);
      const piece = bytes.subarray(at, at + room.length);
      // What a decoder has put here need not be copied.
      if (piece.buffer !== room.buffer || piece.byteOffset !== room.byteOffset) room.set(piece);
      this.filled += piece.length;
      at += piece.length;
    }
  }

  private roomFor(kind: Kind): Uint8Array {
    this.turnTo(kind);
    if (this.filled > SLOT - ROOM_BYTES) this.publish(this.filled);
    if (this.filled === 0) this.waitForRoom();
    return this.slots[this.turn(WRITTEN)]!.subarray(this.filled);
  }

  private turnTo(kind: Kind): void {
    if (this.kind !== kind && this.filled > 0) this.publish(this.filled);
    this.kind = kind;
  }

  private waitForRoom(): void {
    for (;;) {
      const signal = Atomics.load(this.words, SIGNAL);
      if (Atomics.load(this.words, STATE) === BROKEN) throw new RingBroken();
      if (this.fill() < SLOTS) return;
      Atomics.wait(this.words, SIGNAL, signal);
    }
  }

  private publish(number: number): void {
    const slot = this.turn(WRITTEN);
    this.words[KINDS + slot] = this.kind;
    this.words[NUMBERS + slot] = number;
    this.filled = 0;
    Atomics.add(this.words, WRITTEN, 1);
    if (this.fill() >= HALF) this.wake();
  }

  /** Slots that were written and not read. Both counters wrap around in the same way, so their difference stays right. */
  private fill(): number {
    return (Atomics.load(this.words, WRITTEN) - Atomics.load(this.words, READ)) | 0;
  }

  private turn(counter: typeof WRITTEN | typeof READ): number {
    return (Atomics.load(this.words, counter) >>> 0) % SLOTS;
  }

  private wake(): void {
    Atomics.add(this.words, SIGNAL, 1);
    Atomics.notify(this.words, SIGNAL);
  }
}

/** The thread on the other side is gone. */
export class RingBroken extends Error {}
