// Entries of a cache: a file that is not exactly what was written is not used.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packEntry, unpackEntry } from '../../src/cache/entry.js';
import { packData, unpackData } from '../../src/cache/plain-data.js';

const SIGNER = { key: Buffer.alloc(32, 1), program: 'waybill 1.0.0 build' };
const NAME = Buffer.alloc(32, 2);
const CONTENT = Buffer.from('{"verdict":"yes"}');
const ENTRY = packEntry(NAME, CONTENT, SIGNER);

test('an entry gives its content', () => {
  assert.equal(Buffer.from(unpackEntry(ENTRY, NAME, SIGNER) as Uint8Array), CONTENT);
});

test('cut at any length it is not used', () => {
  for (let length = 0; length < ENTRY.length; length++)
    assert.is(unpackEntry(ENTRY.subarray(0, length), NAME, SIGNER), 'truncated', `${length} bytes`);
});

test('with any bit of it flipped it is not used', () => {
  for (let at = 0; at < 8 * ENTRY.length; at++) {
    const bytes = Buffer.from(ENTRY);
    bytes[at >> 3]! ^= 1 << (at & 7);
    assert.type(unpackEntry(bytes, NAME, SIGNER), 'string', `bit ${at}`);
  }
});

test('another verdict of the same length is not used', () => {
  const bytes = Buffer.from(ENTRY);
  bytes.write('{"verdict":"no!"}', ENTRY.length - CONTENT.length);
  assert.is(unpackEntry(bytes, NAME, SIGNER), 'damaged');
});

test('the entry of another key in its place is not used', () => {
  assert.is(unpackEntry(ENTRY, Buffer.alloc(32, 3), SIGNER), 'foreign');
});

test('the entry of another version is not used', () => {
  assert.is(unpackEntry(ENTRY, NAME, { ...SIGNER, program: 'waybill 1.0.1 build' }), 'version');
});

test('an entry that another key signed is not used', () => {
  assert.is(unpackEntry(ENTRY, NAME, { ...SIGNER, key: Buffer.alloc(32, 9) }), 'damaged');
});

test('bytes behind an entry make it another one', () => {
  assert.is(unpackEntry(Buffer.concat([ENTRY, Buffer.alloc(1)]), NAME, SIGNER), 'truncated');
});

const DATA = {
  text: 'é\u0000\ud800 "#"',
  nothing: null,
  numbers: [0, -1, 2 ** 53 - 1, 0.1, 1e300],
  nested: [{ yes: true }, [], {}],
  tables: [
    new Uint8Array([1, 2, 3]),
    new Uint16Array([65535]),
    new Uint32Array(0),
    new Float64Array([0.5, -1e300]),
  ],
};

test('plain data comes back equal', () => {
  const bytes = packData(DATA)!;
  assert.equal(unpackData(bytes), DATA);
  // At an odd address, as within a file that was read.
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assert.equal(unpackData(shifted.subarray(3)), DATA);
  // Node's own bytes, in memory that others share.
  assert.equal(unpackData(Buffer.from(shifted.buffer, 3, bytes.length)), DATA);
});

test('data that would not come back equal is not packed', () => {
  const others = [
    { a: undefined },
    { a: Number.NaN },
    { a: Number.POSITIVE_INFINITY },
    { a: -0 },
    { a: new Map() },
    { a: 1n },
    { a: Buffer.alloc(1) },
    { a: new BigInt64Array(1) },
    { '#': 0 },
    [() => 0],
  ];
  for (const other of others) assert.is(packData(other), null);
});

test('hostile bytes are no data, and cost no memory', () => {
  const json = (text: string) => {
    const bytes = Buffer.alloc(8 + text.length);
    bytes.writeBigUInt64LE(BigInt(text.length));
    bytes.write(text, 8);
    return new Uint8Array(bytes);
  };
  const hostile = [
    json('[[["u8",1000000000000]],{"#":0}]'),
    json('[[["f64",-1]],{"#":0}]'),
    json('[[["u8",0.5]],{"#":0}]'),
    json('[[["constructor",1]],{"#":0}]'),
    json('[[["__proto__",1]],{"#":0}]'),
    json('[[],{"#":0}]'),
    json('[[],{"#":"length"}]'),
    json('null'),
    json('{'),
    json(`[[],${'['.repeat(100_000)}${']'.repeat(100_000)}]`),
    new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255]),
    new Uint8Array(3),
  ];
  for (const bytes of hostile) assert.is(unpackData(bytes), undefined);
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
  assert.equal(Object.keys(unpackData(json('[[],{"__proto__":{"polluted":1}}]')) as object), ['__proto__']);
  const whole = packData(DATA)!;
  for (let at = 0; at < whole.length; at++) unpackData(whole.subarray(0, at));
});

test.run();
