import { createHash, type Hash } from 'node:crypto';
import { CodecError, type Compression, type Decoder, type Sink } from '../codec/codec.js';
import { codecFor, sniff } from '../codec/registry.js';
import type { Limits } from '../limits.js';
import { isTar, looksLikeJson } from '../source/kind.js';
import { BLOCK } from '../source/tar-header.js';
import type { Algorithm, Digests } from '../spec/digest.js';
import { EntryTableBuilder } from './entry-builder.js';
import { ContentCapture, type ContentWanted } from './entry-content.js';
import type { BlobFacts, BlobFailure } from './facts.js';
import { TarWalk } from './tar-walk.js';

/** What is the same for all blobs of a scan. Plain data: worker threads are started with it. */
export interface Analysis {
  readonly limits: Pick<
    Limits,
    'unpackedFree' | 'unpackedRatio' | 'layerEntries' | 'layerEntryBytes' | 'keptContentBytes'
  >;
  /** Whether the entries of layers are kept, or only counted. */
  readonly files: boolean;
  /** What is wanted of the content of layers' files, where their entries are kept. */
  readonly contents?: ContentWanted | undefined;
}

/**
 * Turns the bytes of one member into facts in a single pass: hashed as stored, unpacked, hashed unpacked, walked as a
 * tar. Fed by whoever has the bytes: a worker with a range, the main thread with a pipe. Codecs must have been loaded.
 */
export class BlobAnalyser {
  private readonly stored: Hasher;
  private readonly head = new Uint8Array(BLOCK);
  private size = 0;
  private content: Content | null = null;

  constructor(
    private readonly algorithms: readonly Algorithm[],
    private readonly analysis: Analysis,
    /** Gets the unpacked content as it passes, such as to write it down. It may throw, which ends everything. */
    private readonly tap: Sink | null = null,
  ) {
    this.stored = new Hasher(algorithms);
  }

  write(chunk: Uint8Array): void {
    this.stored.update(chunk);
    if (this.content === null && this.size < BLOCK)
      this.head.set(chunk.subarray(0, BLOCK - this.size), this.size);
    const before = this.size;
    this.size += chunk.length;
    if (this.content !== null) {
      this.content.write(chunk, this.size);
    } else if (this.size >= BLOCK) {
      const begun = this.begin(this.head);
      begun.write(this.head, this.size);
      begun.write(chunk.subarray(BLOCK - before), this.size);
    }
  }

  /** @param failure  why there is no more to come, when it is not the member's end */
  end(failure: BlobFailure | null = null): BlobFacts {
    if (this.content === null) {
      const head = this.head.subarray(0, this.size);
      this.begin(head).write(head, this.size);
    }
    const content = this.content!;
    const finished = content.end();
    const digests = this.stored.digests();
    const compression = content.compression;
    return {
      size: this.size,
      digests: failure === null ? digests : null,
      compression,
      unpacked: failure === null ? finished.unpacked(digests, this.size) : null,
      failure: failure ?? content.failure,
      stream: content.shape,
      tar: finished.tar,
    };
  }

  private begin(head: Uint8Array): Content {
    this.content = new Content(head, this.algorithms, this.analysis, this.tap);
    return this.content;
  }
}

/** The content of a blob, plain or compressed, once its first bytes have told which. */
class Content {
  readonly compression: Compression;
  failure: BlobFailure | null = null;
  private readonly decoder: Decoder | null = null;
  private readonly hasher: Hasher | null = null;
  private walk: TarWalk | null = null;
  private readonly limits: Analysis['limits'];
  private unpackedSize = 0;
  private storedSize = 0;

  constructor(
    head: Uint8Array,
    algorithms: readonly Algorithm[],
    { limits, files, contents }: Analysis,
    private readonly tap: Sink | null,
  ) {
    this.limits = limits;
    this.compression = sniff(head);
    const newWalk = () => {
      const capture = contents === undefined ? null : new ContentCapture(contents, limits);
      return files ? new TarWalk(new EntryTableBuilder(limits, capture), capture) : new TarWalk();
    };
    if (this.compression === 'none') {
      // A plain blob's digest and diff_id are one hash. JSON is no layer; anything else may be meant to be one.
      if (!looksLikeJson(head) || isTar(head)) this.walk = newWalk();
    } else {
      this.hasher = new Hasher(algorithms);
      this.walk = newWalk();
      this.decoder = codecFor(this.compression).open(piece => this.unpack(piece));
    }
  }

  get shape() {
    return this.decoder?.shape ?? null;
  }

  write(chunk: Uint8Array, storedSize: number): void {
    this.storedSize = storedSize;
    if (this.decoder === null) {
      this.tap?.(chunk);
      this.walk?.write(chunk);
    } else this.guard(() => this.decoder!.write(chunk));
  }

  end() {
    this.guard(() => this.decoder?.end());
    this.decoder?.close();
    const tar = this.walk?.end() ?? null;
    return {
      tar,
      unpacked: (stored: Digests, storedSize: number) => {
        if (this.failure !== null) return null;
        if (this.hasher === null) return { size: storedSize, digests: stored };
        return { size: this.unpackedSize, digests: this.hasher.digests() };
      },
    };
  }

  private unpack(piece: Uint8Array): void {
    this.unpackedSize += piece.length;
    const { unpackedFree, unpackedRatio } = this.limits;
    if (this.unpackedSize > unpackedFree && this.unpackedSize > unpackedRatio * this.storedSize) {
      this.failure = {
        kind: 'limit',
        limit: 'unpackedRatio',
        value: unpackedRatio,
        unpacked: this.unpackedSize,
      };
      throw new LimitReached();
    }
    this.hasher!.update(piece);
    this.tap?.(piece);
    this.walk!.write(piece);
  }

  private guard(step: () => void): void {
    if (this.failure !== null) return;
    try {
      step();
    } catch (error) {
      if (error instanceof LimitReached) return;
      if (!(error instanceof CodecError)) throw error;
      const { codec, reason } = error;
      const kind = error.unsupported ? 'unsupported' : error.kind;
      this.failure = { kind, codec, reason, unpacked: this.unpackedSize };
    }
  }
}

class LimitReached extends Error {}

class Hasher {
  private readonly hashes: readonly Hash[];
  constructor(algorithms: readonly Algorithm[]) {
    this.hashes = algorithms.map(algorithm => createHash(algorithm));
  }
  update(bytes: Uint8Array): void {
    for (const hash of this.hashes) hash.update(bytes);
  }
  digests(): Digests {
    const [sha256, sha512] = this.hashes.map(hash => hash.digest('hex'));
    return { sha256: `sha256:${sha256}`, sha512: sha512 === undefined ? null : `sha512:${sha512}` };
  }
}
