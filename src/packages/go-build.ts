import { checkedPackage, type LanguagePackage, type LanguageReading } from './language.js';

/** Bytes of an executable that are looked at to tell whether it is one, and where its segments lie. */
const HEAD_BYTES = 4096;
export const GO_BLOCK_BYTES = 256 * 1024;
/** The end of a block is searched again with the next one, for marks that lie across. */
const OVERLAP = 64;
/** Bytes of build information that are read: that of Kubernetes has 40 kB. */
const INFO_BYTES = 4 * 1024 * 1024;

/** Before Go's build information, aligned to 16 bytes, in the first writable segment. Go debug/buildinfo */
const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const ALIGNMENT = 16;
const INFO_HEADER = 32;
/**
 * Around the module information: the linker puts them there, so that it is found without pointers. Go cmd/go modload
 */
const TEXT_START = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex');
const TEXT_END = Buffer.from('f932433186182072008242104116d8f2', 'hex');
const VERSION_START = Buffer.from('go1.');
const VERSION_BYTES = 64;
/** Places that may be the version of Go, of which a pointer tells the right one. */
const MOST_VERSIONS = 256;
/** A note of type 4 of "Go" holds the build ID. Go cmd/internal/buildid */
const GO_NOTE = Buffer.from('Go\0\0', 'latin1');

interface Segment {
  readonly start: number;
  readonly end: number;
  readonly address: bigint;
  readonly isWritable: boolean;
}

/** Bytes that are kept from a place in the file on. */
interface Kept {
  readonly start: number;
  readonly of: 'information' | 'module text';
  bytes: Buffer;
  filled: number;
}

/**
 * Finds Go's build information in an executable while its bytes pass: they are not kept, an executable may have
 * hundreds of megabytes. Since Go 1.18 the information is one piece; before, it holds two pointers, of which the
 * version lies in bytes that have passed already: all places that may be one are noted.
 */
export class GoBuildSearch {
  private readonly head = Buffer.alloc(HEAD_BYTES);
  private headFilled = 0;
  private segments: readonly Segment[] | null = null;
  private wanted: readonly Segment[] = [];
  /** Written by a Go before 1.18, perhaps: module text and versions lie in segments that are read only. */
  private mayPoint = false;
  private filled = 0;
  /** Bytes of the file that have passed. */
  private offset = 0;
  private kept: Kept | null = null;
  private moduleText = '';
  private hasText = false;
  private readonly versions = new Map<number, Buffer>();
  private found: { readonly version: string; readonly modules: string } | null = null;
  private isOver = false;

  /** @param block  `GO_BLOCK_BYTES` of scratch memory, for one search at a time */
  constructor(private readonly block: Buffer) {}

  /** @returns false if further bytes would be ignored */
  write(bytes: Uint8Array): boolean {
    let at = 0;
    if (this.segments === null) at = this.fillHead(bytes);
    while (at < bytes.length && !this.isOver) at += this.pass(bytes.subarray(at));
    return !this.isOver;
  }

  /** The packages that the executable was built from; null where it is none of Go. */
  end(): LanguageReading | null {
    if (this.segments === null) this.readHead();
    if (!this.isOver) this.search();
    return this.found === null ? null : goPackages(this.found.version, this.found.modules);
  }

  private fillHead(bytes: Uint8Array): number {
    const step = Math.min(bytes.length, HEAD_BYTES - this.headFilled);
    this.head.set(bytes.subarray(0, step), this.headFilled);
    this.headFilled += step;
    const isElf = this.headFilled < 4 || this.head.readUInt32BE(0) === 0x7f454c46;
    if (!isElf) this.isOver = true;
    else if (this.headFilled === HEAD_BYTES) this.readHead();
    return step;
  }

  private readHead(): void {
    const head = this.head.subarray(0, this.headFilled);
    this.segments = elfSegments(head);
    this.mayPoint = head.includes(GO_NOTE);
    this.wanted = this.segments.filter(({ isWritable }) => isWritable || this.mayPoint);
    this.isOver = !this.segments.some(({ isWritable }) => isWritable);
    for (let at = 0; at < head.length && !this.isOver; ) at += this.pass(head.subarray(at));
  }

  /** @returns how many bytes were taken */
  private pass(bytes: Uint8Array): number {
    const segment = this.wanted.find(({ end }) => end > this.offset);
    if (segment === undefined) {
      this.search();
      this.isOver = true;
      return bytes.length;
    }
    const gap = segment.start - this.offset;
    if (gap > 0) {
      this.search();
      this.filled = 0;
      this.kept = null;
      const step = Math.min(gap, bytes.length);
      this.offset += step;
      return step;
    }
    const room = this.kept === null ? GO_BLOCK_BYTES - this.filled : GO_BLOCK_BYTES;
    const step = Math.min(bytes.length, segment.end - this.offset, room);
    const piece = bytes.subarray(0, step);
    this.offset += step;
    if (this.kept !== null) this.keep(this.kept, piece);
    else {
      this.block.set(piece, this.filled);
      this.filled += step;
      if (this.filled === GO_BLOCK_BYTES || this.offset === segment.end) this.search();
    }
    return step;
  }

  /** Searches what is in the block, and leaves its end there. */
  private search(): void {
    if (this.kept !== null || this.filled === 0) return;
    const region = this.block.subarray(0, this.filled);
    const start = this.offset - this.filled;
    const information = this.informationIn(region, start);
    const text = this.mayPoint && !this.hasText ? region.indexOf(TEXT_START) : -1;
    if (this.mayPoint) this.noteVersions(region, start);
    const isTextFirst = text >= 0 && (information < 0 || text < information);
    const from = isTextFirst ? text : information;
    if (from >= 0) {
      this.filled = 0;
      this.kept = {
        start: start + from,
        of: isTextFirst ? 'module text' : 'information',
        bytes: Buffer.alloc(8 * 1024),
        filled: 0,
      };
      this.keep(this.kept, Buffer.from(region.subarray(from)));
      return;
    }
    const left = Math.min(OVERLAP, this.filled);
    this.block.copyWithin(0, this.filled - left, this.filled);
    this.filled = left;
  }

  private informationIn(region: Buffer, start: number): number {
    const segments = this.segments!.filter(({ isWritable }) => isWritable);
    for (let at = region.indexOf(MAGIC); at >= 0; at = region.indexOf(MAGIC, at + 1)) {
      const place = start + at;
      const isData = segments.some(segment => segment.start <= place && place < segment.end);
      if (isData && place % ALIGNMENT === 0) return at;
    }
    return -1;
  }

  private noteVersions(region: Buffer, start: number): void {
    for (let at = region.indexOf(VERSION_START); at >= 0; at = region.indexOf(VERSION_START, at + 1)) {
      if (this.versions.size === MOST_VERSIONS) return;
      this.versions.set(start + at, Buffer.from(region.subarray(at, at + VERSION_BYTES)));
    }
  }

  private keep(kept: Kept, bytes: Uint8Array): void {
    const filled = kept.filled + bytes.length;
    if (filled > kept.bytes.length) {
      const larger = Buffer.alloc(2 * filled);
      kept.bytes.copy(larger);
      kept.bytes = larger;
    }
    kept.bytes.set(bytes, kept.filled);
    kept.filled = filled;
    const content = kept.bytes.subarray(0, filled);
    if (kept.of === 'information') this.readInformation(kept, content);
    else this.readText(kept, content);
  }

  private readText(kept: Kept, content: Buffer): void {
    const end = content.indexOf(TEXT_END);
    if (end < 0 && content.length < INFO_BYTES) return;
    this.kept = null;
    this.hasText = true;
    if (end >= 0) this.moduleText = content.toString('utf8', TEXT_START.length, end);
    this.noteVersions(content, kept.start);
    // What was kept after the text is searched as the rest of the file is.
    const rest = Buffer.from(content.subarray(end < 0 ? content.length : end).subarray(-GO_BLOCK_BYTES));
    this.block.set(rest);
    this.filled = rest.length;
    this.search();
  }

  private readInformation(kept: Kept, content: Buffer): void {
    if (content.length < INFO_HEADER) return;
    const [pointerBytes, flags] = [content[14]!, content[15]!];
    const isInline = (flags & 2) !== 0;
    const result = isInline ? inlineStrings(content) : this.pointed(kept, content, pointerBytes, flags);
    if (result === 'more' && content.length < INFO_BYTES) return;
    this.isOver = true;
    if (typeof result === 'object') this.found = result;
  }

  /** The form before Go 1.18: a pointer to the string header of the version, and one to that of the module text. */
  private pointed(kept: Kept, content: Buffer, pointerBytes: number, flags: number) {
    if (pointerBytes !== 4 && pointerBytes !== 8) return 'none';
    const isLittle = (flags & 1) === 0;
    const number = (at: number) => readWord(content, at, pointerBytes, isLittle);
    const header = this.placeOf(number(ALIGNMENT));
    if (header === null) return { version: '', modules: this.moduleText };
    const at = header - kept.start;
    if (at >= 0 && at + 2 * pointerBytes > content.length) return 'more';
    const place = at < 0 ? null : this.placeOf(number(at));
    const length = at < 0 ? 0 : Number(number(at + pointerBytes));
    const version = place === null ? undefined : this.versions.get(place);
    const text = version?.toString('latin1', 0, Math.min(length, VERSION_BYTES)) ?? '';
    return { version: text, modules: this.moduleText };
  }

  /** The offset in the file of an address in memory. */
  private placeOf(address: bigint): number | null {
    for (const { start, end, address: first } of this.segments!) {
      const place = BigInt(start) + address - first;
      if (address >= first && place < BigInt(end)) return Number(place);
    }
    return null;
  }
}

function readWord(bytes: Buffer, at: number, size: number, isLittle: boolean): bigint {
  if (size === 8) return isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at);
  return BigInt(isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
}

/** Two strings, each after its length as a varint: the version of Go, and the module text between its marks. */
function inlineStrings(content: Buffer): { version: string; modules: string } | 'more' | 'none' {
  const version = stringAt(content, INFO_HEADER);
  if (typeof version === 'string') return version;
  const modules = stringAt(content, version.end);
  if (typeof modules === 'string') return modules;
  const text = modules.bytes;
  const isFramed = text.length >= 33 && text.at(-17) === 0x0a;
  return {
    version: version.bytes.toString('latin1'),
    modules: isFramed ? text.toString('utf8', 16, text.length - 16) : '',
  };
}

function stringAt(content: Buffer, start: number): { bytes: Buffer; end: number } | 'more' | 'none' {
  let length = 0;
  for (let at = start, shift = 1; at < start + 5; at++, shift *= 128) {
    if (at >= content.length) return 'more';
    length += (content[at]! & 0x7f) * shift;
    if (content[at]! >= 0x80) continue;
    if (length > INFO_BYTES) return 'none';
    const end = at + 1 + length;
    return end > content.length ? 'more' : { bytes: content.subarray(at + 1, end), end };
  }
  return 'none';
}

/** Loaded segments of an ELF file. System V ABI, "ELF Header", "Program Header" */
function elfSegments(head: Buffer): Segment[] {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return [];
  const is64 = head[4] === 2;
  const isLittleEndian = head[5] !== 2;
  const word = (at: number) => readWord(head, at, is64 ? 8 : 4, isLittleEndian);
  const half = (at: number) => (isLittleEndian ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const start = Number(word(is64 ? 32 : 28));
  const [size, count] = [half(is64 ? 54 : 42), half(is64 ? 56 : 44)];
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * size;
    if (size < 32 || at + (is64 ? 56 : 32) > head.length) break;
    const [type, flags] = [at, at + (is64 ? 4 : 24)].map(place =>
      Number(readWord(head, place, 4, isLittleEndian)),
    );
    if (type !== 1) continue;
    const first = Number(word(at + (is64 ? 8 : 4)));
    const length = Number(word(at + (is64 ? 32 : 16)));
    const isWritable = (flags! & 2) !== 0;
    segments.push({ start: first, end: first + length, address: word(at + (is64 ? 16 : 8)), isWritable });
  }
  return segments.sort((a, b) => a.start - b.start);
}

const NO_VERSION = '(devel)';

/**
 * The modules of an executable: its own, those that it was built from, and Go's standard library. Settings of the build
 * are left out: they may hold secrets. Go runtime/debug, BuildInfo.String
 */
function goPackages(goVersion: string, text: string): LanguageReading {
  const packages: LanguagePackage[] = [];
  const problems = new Set<string>();
  const add = (name: string, version: string | null) => {
    const checked = checkedPackage({
      ecosystem: 'golang',
      group: null,
      name,
      version,
      license: null,
      inside: null,
    });
    packages.push(...checked.packages);
    for (const reason of checked.problems) problems.add(reason);
  };
  const modules: { name: string; version: string | null }[] = [];
  for (const line of text.split('\n')) {
    const [word, name = '', version = ''] = line.split('\t');
    if (name === '') continue;
    const module = { name, version: version === '' || version === NO_VERSION ? null : version };
    if (word === 'mod' || word === 'dep') modules.push(module);
    // A replacement by a directory has no version, and the name of the module that it replaces says more.
    else if (word === '=>')
      modules.splice(-1, 1, module.version === null ? { ...modules.at(-1)!, version: null } : module);
  }
  for (const { name, version } of modules) add(name, version);
  const release = /^go(\d\S*)/.exec(goVersion)?.[1];
  if (release !== undefined) add('stdlib', release);
  return { packages, problems: [...problems] };
}
