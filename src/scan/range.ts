import { CodecError } from '../codec/codec.js';
import { readRange } from '../source/read.js';
import type { ByteRange } from '../source/source.js';
import type { Algorithm } from '../spec/digest.js';
import { type Analysis, BlobAnalyser } from './analyser.js';
import type { BlobFacts, BlobFailure } from './facts.js';

const REPORT_EVERY = 8 * 1024 * 1024;

/** Reads a range once, synchronously, and says what it is. An unreadable file is a fact too. */
export function analyseRange(
  range: ByteRange,
  algorithms: readonly Algorithm[],
  analysis: Analysis,
  onProgress: (bytes: number) => void,
): BlobFacts {
  const analyser = new BlobAnalyser(algorithms, analysis);
  let unreported = 0;
  let failure: BlobFailure | null = null;
  try {
    readRange(range, piece => {
      analyser.write(piece);
      unreported += piece.length;
      if (unreported >= REPORT_EVERY) {
        onProgress(unreported);
        unreported = 0;
      }
      return true;
    });
  } catch (error) {
    failure = { kind: 'unreadable', reason: reasonOf(error) };
  }
  onProgress(unreported);
  return analyser.end(failure);
}

/** A damaged zip entry and an I/O error end the same way: what came before counts, the rest cannot be had. */
function reasonOf(error: unknown): string {
  if (error instanceof CodecError) return `the zip entry cannot be inflated: ${error.reason}`;
  if (error instanceof Error && 'code' in error) return error.message;
  throw error;
}
