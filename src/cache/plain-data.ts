/**
 * Plain data with typed arrays ↔ bytes. Reading executes nothing and allocates no more than the bytes' own size: JSON,
 * and behind it the elements of all arrays.
 *
 *     0   8  bytes of JSON, little-endian
 *     8   …  JSON: [arrays, data]; `arrays` has the type and the number of elements of each
 *     …   …  elements of each array, little-endian, each array at a multiple of 8
 *
 * In the data an array is an object with one property, `#`, its number. Data with a property of this name cannot be
 * packed.
 */

const TYPES = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array } as const;
type TypeName = keyof typeof TYPES;
type TypedArray = InstanceType<(typeof TYPES)[TypeName]>;

const ARRAY = '#';
const LENGTH_BYTES = 8;
const ALIGNMENT = 8;
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Largest JSON that is written and read, in bytes. */
const MOST_JSON = 64 * 1024 * 1024;

/** Elements are copied as they lie in memory, which on a big-endian machine would be another order. */
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

class NotPlain extends Error {}

/** null for data that would not come back equal: with a class, NaN, infinity, -0 or a property that is undefined. */
export function packData(data: unknown): Uint8Array | null {
  if (!isLittleEndian) return null;
  const arrays: TypedArray[] = [];
  let json: Buffer;
  try {
    const plain = replaced(data, arrays);
    json = Buffer.from(JSON.stringify([arrays.map(array => [typeOf(array), array.length]), plain]));
  } catch (error) {
    if (error instanceof NotPlain || error instanceof RangeError) return null;
    throw error;
  }
  if (json.length > MOST_JSON) return null;
  let at = aligned(LENGTH_BYTES + json.length);
  const bytes = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + aligned(byteLength), at));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, LENGTH_BYTES);
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  return bytes;
}

/** The data that was packed; undefined for bytes that `packData` does not write. */
export function unpackData(bytes: Uint8Array): unknown {
  if (!isLittleEndian || bytes.length < LENGTH_BYTES) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MOST_JSON || LENGTH_BYTES + length > bytes.length) return undefined;
  try {
    const json = Buffer.from(bytes.buffer, bytes.byteOffset + LENGTH_BYTES, length).toString();
    const [sizes, data] = JSON.parse(json) as [readonly (readonly [TypeName, number])[], unknown];
    let at = aligned(LENGTH_BYTES + length);
    const arrays = sizes.map(([type, count]) => {
      const from = at;
      if (!Object.hasOwn(TYPES, type)) throw new NotPlain();
      const end = from + count * TYPES[type].BYTES_PER_ELEMENT;
      if (!Number.isSafeInteger(count) || count < 0 || end > bytes.length) throw new NotPlain();
      at = aligned(end);
      // A copy: the elements then lie at a multiple of their size, and no array keeps the others in memory. Hazard:
      // `slice` of a Buffer is none.
      return new TYPES[type](new Uint8Array(bytes.subarray(from, end)).buffer);
    });
    return restored(data, arrays);
  } catch {
    return undefined;
  }
}

const typeOf = (array: TypedArray): TypeName =>
  (Object.keys(TYPES) as TypeName[]).find(name => array.constructor === TYPES[name])!;

const isTyped = (value: object): value is TypedArray =>
  Object.values(TYPES).some(type => value.constructor === type);

/** The data with numbers in the place of its typed arrays, which are added to `arrays`. */
function replaced(value: unknown, arrays: TypedArray[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw new NotPlain();
    return value;
  }
  if (typeof value !== 'object') throw new NotPlain();
  if (Array.isArray(value)) return value.map(item => replaced(item, arrays));
  if (isTyped(value)) return { [ARRAY]: arrays.push(value) - 1 };
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.hasOwn(value, ARRAY)) throw new NotPlain();
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaced(item, arrays)]));
}

function restored(value: unknown, arrays: readonly TypedArray[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(item => restored(item, arrays));
  const number = (value as { readonly [ARRAY]?: unknown })[ARRAY];
  if (number === undefined)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, restored(item, arrays)]));
  const array = typeof number === 'number' ? arrays[number] : undefined;
  if (array === undefined) throw new NotPlain();
  return array;
}
