// Executables as Go's linker lays them out, with nothing to run in them: an ELF header, a segment that is read only,
// and a writable one that begins with the build information. Go debug/buildinfo
const START = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex');
const END = Buffer.from('f932433186182072008242104116d8f2', 'hex');

export interface GoExecutable {
  /** The version of Go: `go1.22.3`. */
  readonly version: string;
  /** Lines as `go version -m` prints them, without the tab before each. */
  readonly modules: string;
  /** `pointers` is the form before Go 1.18. Default `inline`. */
  readonly form?: 'inline' | 'pointers';
  readonly bits?: 32 | 64;
  readonly endian?: 'little' | 'big';
  /** Bytes of code before the build information. Default 5000. */
  readonly code?: number;
}

const ADDRESS = 0x400000;
const DATA_ADDRESS = 0xc00000;

export function goExecutable(options: GoExecutable): Buffer {
  const { version, modules, form = 'inline', bits = 64, endian = 'little', code = 5000 } = options;
  const word = bits / 8;
  const put = (bytes: Buffer, at: number, value: number, size: number) =>
    endian === 'little'
      ? bytes.writeUIntLE(value, at, Math.min(size, 6))
      : bytes.writeUIntBE(value, at + Math.max(0, size - 6), Math.min(size, 6));
  const text = Buffer.concat([START, Buffer.from(modules), END]);
  const constants =
    form === 'pointers' ? Buffer.concat([Buffer.from(`go1.9beta${version}`), text]) : Buffer.alloc(0);
  const note = Buffer.from('\x04\0\0\0\x10\0\0\0\x04\0\0\0Go\0\0', 'latin1');
  const head = Buffer.alloc(1024);
  const readOnly = Buffer.concat([head, note, Buffer.alloc(code, 'machine code '), constants]);
  const dataStart = Math.ceil(readOnly.length / 4096) * 4096;
  const data = form === 'inline' ? inlineData(version, text) : Buffer.alloc(32 + 4096);
  if (form === 'pointers') {
    data.write('\xff Go buildinf:', 'latin1');
    data[14] = word;
    data[15] = endian === 'little' ? 0 : 1;
    const versionAt = readOnly.length - constants.length + 'go1.9beta'.length;
    const header = 2048;
    put(data, 16, DATA_ADDRESS + header, word);
    put(data, 16 + word, DATA_ADDRESS + header + 2 * word, word);
    put(data, header, ADDRESS + versionAt, word);
    put(data, header + word, version.length, word);
  }
  const file = Buffer.concat([readOnly, Buffer.alloc(dataStart - readOnly.length), data, Buffer.alloc(3000)]);
  file.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, endian === 'little' ? 1 : 2, 1]);
  const size = bits === 64 ? 56 : 32;
  put(file, bits === 64 ? 32 : 28, 64, word);
  put(file, bits === 64 ? 54 : 42, size, 2);
  put(file, bits === 64 ? 56 : 44, 2, 2);
  const segments = [
    { start: 0, length: readOnly.length, address: ADDRESS, flags: 5 },
    { start: dataStart, length: data.length, address: DATA_ADDRESS, flags: 6 },
  ];
  for (const [i, { start, length, address, flags }] of segments.entries()) {
    const at = 64 + i * size;
    put(file, at, 1, 4);
    put(file, at + (bits === 64 ? 4 : 24), flags, 4);
    put(file, at + (bits === 64 ? 8 : 4), start, word);
    put(file, at + (bits === 64 ? 16 : 8), address, word);
    put(file, at + (bits === 64 ? 32 : 16), length, word);
  }
  return file;
}

function inlineData(version: string, text: Buffer): Buffer {
  const header = Buffer.alloc(32);
  header.write('\xff Go buildinf:', 'latin1');
  header[14] = 8;
  header[15] = 2;
  return Buffer.concat([header, varint(version.length), Buffer.from(version), varint(text.length), text]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}
