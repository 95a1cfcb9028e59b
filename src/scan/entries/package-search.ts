import type { Limits } from '../../limits.js';
import { GO_BLOCK_BYTES, GoBuildSearch } from '../../packages/go-build.js';
import { jarPackages, type UnpackBudget } from '../../packages/jar.js';
import {
  type LanguageReading,
  METADATA_BYTES,
  type MetadataForm,
  metadataForm,
  npmPackage,
  PACKAGE_JSON_BYTES,
  pythonPackage,
} from '../../packages/language.js';
import { MANY_PACKAGES, PACKAGES_CAP } from '../../packages/package.js';
import type { ContentSink } from '../../tar/entry.js';
import type { EntryPackage, LayerPackages } from './table.js';

export type PackageLimits = Pick<Limits, 'packageFileBytes'>;

/** The jars of a layer may unpack to this many times the limit of one. */
const UNPACKED_FILES = 8;
/** A jar in a jar may unpack to this part of the limit, because several are in memory at a time. */
const NESTED_PART = 4;
/** Files of a layer that could not be read, of which the reasons are kept. */
const MOST_PROBLEMS = 1000;
/** A smaller file is no executable. */
const SMALLEST_EXECUTABLE = 128;

/**
 * Reads the metadata of language packages in the files of one layer as they pass: package.json of npm, METADATA of
 * Python, jars, and the build information in executables of Go. What is kept are names and versions.
 */
export class PackageSearch {
  private readonly found: EntryPackage[] = [];
  private readonly problems: { index: number; reason: string }[] = [];
  private readonly budget: UnpackBudget;
  private isFull = false;
  private largest: number | null = null;
  private pieces: Buffer = Buffer.alloc(0);
  private block: Buffer | null = null;

  constructor(private readonly limits: PackageLimits) {
    const { packageFileBytes } = limits;
    this.budget = {
      left: UNPACKED_FILES * packageFileBytes,
      most: Math.ceil(packageFileBytes / NESTED_PART),
    };
  }

  /**
   * @param path  bytes, one per character, without a leading slash
   * @param size  of the file, in bytes
   * @returns null for a file that states no package
   */
  begin(index: number, path: string, size: number): ContentSink | null {
    if (this.isFull) return null;
    const form = metadataForm(path);
    if (form === null) return size < SMALLEST_EXECUTABLE ? null : new ExecutableSink(this, index);
    const most = this.mostOf(form);
    if (size > most && form !== 'METADATA') {
      if (most === this.limits.packageFileBytes) this.largest = Math.max(size, this.largest ?? 0);
      this.problem(index, `it has ${size} bytes, and no more than ${most} are read`);
      return null;
    }
    return new MetadataSink(this, { index, path, form, wanted: Math.min(size, most) });
  }

  finish(): LayerPackages {
    return { found: this.found, problems: this.problems, largest: this.largest };
  }

  /** Room for a file, with what is in it already. */
  room(length: number): Buffer {
    if (length > this.pieces.length) {
      const larger = Buffer.alloc(Math.max(length, Math.min(2 * length, this.limits.packageFileBytes)));
      this.pieces.copy(larger);
      this.pieces = larger;
    }
    return this.pieces;
  }

  goSearch(): GoBuildSearch {
    this.block ??= Buffer.alloc(GO_BLOCK_BYTES);
    return new GoBuildSearch(this.block);
  }

  /** @param bytes  valid only during the call */
  read(bytes: Buffer, { index, path, form }: MetadataFile): void {
    if (form === 'package.json') this.add(index, npmPackage(bytes));
    else if (form === 'METADATA') this.add(index, pythonPackage(bytes));
    else this.add(index, jarPackages(bytes, path, this.budget));
  }

  add(index: number, { packages, problems }: LanguageReading): void {
    for (const entry of packages) {
      if (this.found.length === PACKAGES_CAP) {
        if (!this.isFull) this.problem(index, MANY_PACKAGES);
        this.isFull = true;
        break;
      }
      this.found.push({ index, ...entry });
    }
    for (const reason of problems) this.problem(index, reason);
  }

  problem(index: number, reason: string): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ index, reason });
  }

  private mostOf(form: MetadataForm): number {
    if (form === 'jar') return this.limits.packageFileBytes;
    return Math.min(
      this.limits.packageFileBytes,
      form === 'package.json' ? PACKAGE_JSON_BYTES : METADATA_BYTES,
    );
  }
}

interface MetadataFile {
  readonly index: number;
  readonly path: string;
  readonly form: MetadataForm;
  /** Bytes from its start. */
  readonly wanted: number;
}

/** Takes a file that is read when all of it, or what is wanted of it, is there. */
class MetadataSink implements ContentSink {
  private filled = 0;
  private isOver = false;

  constructor(
    private readonly layer: PackageSearch,
    private readonly file: MetadataFile,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.isOver) return;
    const { wanted } = this.file;
    if (this.filled === 0 && bytes.length >= wanted) this.finish(bytes.subarray(0, wanted));
    else {
      this.put(bytes.subarray(0, wanted - this.filled));
      if (this.filled === wanted) this.finish(this.layer.room(wanted).subarray(0, wanted));
    }
  }

  hole(length: number): void {
    if (!this.isOver) this.write(Buffer.alloc(Math.min(length, this.file.wanted - this.filled)));
  }

  end(): void {
    if (!this.isOver && this.file.wanted > 0) this.layer.problem(this.file.index, 'the layer ends in it');
  }

  private put(piece: Uint8Array): void {
    this.layer.room(this.filled + piece.length).set(piece, this.filled);
    this.filled += piece.length;
  }

  private finish(bytes: Uint8Array): void {
    this.isOver = true;
    this.layer.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), this.file);
  }
}

const ELF = 0x7f;

/** Takes a file that may be an executable of Go. */
class ExecutableSink implements ContentSink {
  private search: GoBuildSearch | null = null;
  private isOver = false;

  constructor(
    private readonly layer: PackageSearch,
    private readonly index: number,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.isOver || bytes.length === 0) return;
    if (this.search === null && bytes[0] !== ELF) this.isOver = true;
    else {
      this.search ??= this.layer.goSearch();
      this.isOver = !this.search.write(bytes);
    }
  }

  /** Executables have no holes that build information lies behind. */
  hole(): void {
    this.isOver = true;
  }

  end(): void {
    const reading = this.search?.end() ?? null;
    if (reading !== null) this.layer.add(this.index, reading);
  }
}
