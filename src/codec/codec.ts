/**
 * Receives decompressed bytes. The chunk is only valid during the call: decoders reuse their buffers.
 * May throw; the decoder then passes the error on to the caller of `write` or `end`.
 */
export type Sink = (chunk: Uint8Array) => void;

/** Services that the owner of a decoder offers it. */
export interface Outlet {
  /**
   * Memory for at least `ROOM_BYTES`, valid until the next call of the sink, for a decoder that can choose where it
   * puts what it decodes. The decoded bytes still go through the sink, which then need not copy them.
   */
  readonly room?: (() => Uint8Array) | undefined;
  /** Compares the CRC-32 of all that has gone through the sink since the last call, in place of the decoder. */
  readonly crc32?: (expected: number) => void;
}

/**
 * Measured on 500 MB of gzip: 64 KiB to 1 MiB are equally fast, zlib's own 16 KiB is not. This stays in the L2 cache.
 */
export const ROOM_BYTES = 256 * 1024;

/**
 * A synchronous push decompressor for one stream. Push, because one and the same decoder serves a seekable file,
 * a pipe and an archive within an archive; synchronous, because inside a worker that is twice as fast as streams.
 */
export interface Decoder {
  /**
   * @throws CodecError when the bytes are not what the format allows. Bytes decoded before the error reached the sink,
   * with one exception: see `inflate.ts`. After an error every further `write` and `end` throws the same error again.
   */
  write(chunk: Uint8Array): void;
  /** Tells the decoder that there is no more input. @throws CodecError when the stream was cut short. */
  end(): void;
  /** Frees what the decoder holds outside the JavaScript heap. Safe to call more than once, and after an error. */
  close(): void;
  /** The outer shape of the stream as far as it was read. Complete after `end`. */
  readonly shape: StreamShape;
}

export interface StreamShape {
  /**
   * gzip members, zstd data frames, xz or bzip2 streams that were read to their end; null where the library hides it.
   */
  parts: number | null;
  /** zstd skippable frames (zstd:chunked keeps its table of contents in one). */
  skippable: number;
  /** Zero bytes after the last part, in bytes. Harmless padding. */
  trailingZeros: number;
  /** Bytes after the last part that are neither padding nor another part, in bytes. Not decoded. */
  trailingGarbage: number;
}

/** One compression: how to recognise it and how to decompress it. */
export interface Codec<Name extends string = string> {
  /** The `compression` of the JSON report. */
  readonly name: Name;
  /** Whether a stream that begins with `head` (at least 6 bytes where there are as many) is of this compression. */
  matches(head: Uint8Array): boolean;
  /** Must have resolved before `open` is called (WebAssembly needs instantiating). Idempotent. */
  load(): Promise<void>;
  isLoaded(): boolean;
  open(sink: Sink, outlet?: Outlet): Decoder;
  /**
   * The most bytes that one compressed byte can stand for, to say which limit would let any stream of the format pass.
   */
  readonly maxRatio: number;
}

/**
 * Loads once, also for callers that come while it is loading: packages hand out what is inside them only once. A
 * failure is forgotten, so that the next caller tries again.
 */
export function loadedOnce(load: () => Promise<void>): () => Promise<void> {
  let loading: Promise<void> | null = null;
  return () => {
    loading ??= load().catch(error => {
      loading = null;
      throw error;
    });
    return loading;
  };
}

/** A fault for which readers of the same format give different errors, or which some of them ignore. */
export type CodecFault =
  /** gzip: CRC-32 of the content (RFC 1952 section 2.3.1). */
  | { readonly code: 'crc32'; readonly expected: number; readonly actual: number }
  /** gzip: length of the content in bytes; `expected` is modulo 2^32. */
  | { readonly code: 'length'; readonly expected: number; readonly actual: number }
  /** gzip: a reader must give an error (RFC 1952 section 2.3.1.2), and no engine does. */
  | { readonly code: 'reserved-flags' }
  /** gzip: a name or comment of the header that is longer than Go reads. */
  | { readonly code: 'long-header-text' };

/** The fault in a few words, without the codec's name. */
export function faultText(fault: CodecFault): string {
  switch (fault.code) {
    case 'crc32':
      return `CRC-32 should be ${hex(fault.expected)} but is ${hex(fault.actual)}`;
    case 'length':
      return `length should be ${fault.expected} (modulo 2^32) but is ${fault.actual}`;
    case 'reserved-flags':
      return 'reserved header flags are set';
    case 'long-header-text':
      return 'a name or comment in its header is longer than the 511 bytes that engines read';
  }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** The bytes could not be decompressed to their end. `kind` distinguishes a cut stream from a corrupt one. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  /**
   * The stream may be sound but asks for more than this decoder has: a window over the limit, a dictionary, an xz
   * filter. Its kind is 'corrupt', for it was not unpacked; calling it broken to the user would be a false verdict.
   */
  readonly unsupported: boolean;
  /** The fault as data, where readers differ about it; null for any other. */
  readonly fault: CodecFault | null;

  constructor(
    readonly codec: string,
    readonly kind: 'truncated' | 'corrupt',
    /** The fault in a few words, without the codec's name. */
    readonly reason: string,
    options?: ErrorOptions & { readonly unsupported?: boolean; readonly fault?: CodecFault },
  ) {
    super(`${codec}: ${reason}`, options);
    this.unsupported = options?.unsupported ?? false;
    this.fault = options?.fault ?? null;
  }
}

/** A codec was needed whose `load` has not resolved yet. */
export class CodecNotLoaded extends Error {
  constructor(readonly codec: Codec) {
    super(`${codec.name}: load() has not been awaited`);
  }
}

// Node's types of this age do not declare WebAssembly (only the DOM's do). This is the part that the decoders need.
export interface WasmInstance {
  readonly exports: object;
}

interface WasmNamespace {
  readonly Instance: new (module: object, imports: object) => WasmInstance;
  readonly RuntimeError: new (message?: string) => Error;
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmNamespace }).WebAssembly;
