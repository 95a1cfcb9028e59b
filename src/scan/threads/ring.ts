import { ROOM_BYTES } from '../../codec/codec.js';
import { type Compression, compressions } from '../../codec/registry.js';
import type { Examination } from '../blob/examiner.js';

/** Bytes of a slot: it has room for a decoder's piece until it is at least half full. */
const SLOT = 2 * ROOM_BYTES;
/** Enough slots to compensate for pieces of different speed, and few enough to stay in the shared cache. */
const SLOTS = 8;
/** A sleeping thread is woken when half of the ring is ready for it: waking takes as long as copying a slot. */
const HALF = SLOTS / 2;

/** Memory of a ring, in bytes. */
export const RING_BYTES = SLOT * SLOTS;

/**
 * Indexes of the words at the head of the memory. For each slot, its kind and a number follow: its length, or the CRC
 * of `check`.
 */
const [SIGNAL, WRITTEN, READ, STATE, COMPRESSION, IS_TAR, KINDS] = [0, 1, 2, 3, 4, 5, 6] as const;
const NUMBERS = KINDS + SLOTS;
const WORDS = NUMBERS + SLOTS;

const [OPEN, ENDED, BROKEN] = [0, 1, 2] as const;
const [STORED, CONTENT, CHECK] = [0, 1, 2] as const;
type Kind = typeof STORED | typeof CONTENT | typeof CHECK;

/**
 * Passes the input of an examination from one thread to another in shared memory: one writes, the other reads, and each
 * sleeps while the ring is full or empty. A third thread may break the ring, which wakes both, so that neither waits
 * for a thread that has ended.
 *
 * Hazard: sleeping blocks the thread. The main thread only creates and breaks rings.
 */
export class Ring implements Examination {
  private readonly words: Int32Array;
  private readonly slots: readonly Uint8Array[];
  /** The kind of the slot that is being filled, and its length so far. */
  private kind: Kind = STORED;
  private filled = 0;

  /** @param memory  of a ring that another thread has created */
  constructor(readonly memory = new SharedArrayBuffer(4 * WORDS + RING_BYTES)) {
    this.words = new Int32Array(memory, 0, WORDS);
    this.slots = Array.from({ length: SLOTS }, (_, i) => new Uint8Array(memory, 4 * WORDS + i * SLOT, SLOT));
  }

  begin(compression: Compression, isTar: boolean): void {
    this.words[COMPRESSION] = compressions.indexOf(compression);
    this.words[IS_TAR] = isTar ? 1 : 0;
  }

  /** @throws RingBroken if the reader has ended; the other writing methods do so too */
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

  /** Returns the buffer for the next content, with at least `ROOM_BYTES`. */
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

  /** Passes everything on, until the end or until the ring is broken. */
  read(target: Examination): void {
    for (let begun = false; ; ) {
      const signal = Atomics.load(this.words, SIGNAL);
      // The state is read first: slots that were written before the end must not be missed.
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
      // Content that the decoder placed here need not be copied.
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

  /**
   * Number of slots that were written and not read. Both counters wrap around in the same way, so their difference
   * stays correct.
   */
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

/** The thread on the other side has ended. */
export class RingBroken extends Error {}
