import type { Algorithm } from '../spec/digest.js';
import { BlobAnalyser } from './analyser.js';
import type { Analysis } from './analysis.js';
import type { BlobFacts } from './facts.js';

/** The facts about files of no bytes, which are the same for all: a tar of a megabyte, packed, has a million of them. */
export class EmptyFacts {
  private readonly known = new Map<number, BlobFacts>();

  constructor(private readonly analysis: Analysis) {}

  of(algorithms: readonly Algorithm[]): BlobFacts {
    const known = this.known.get(algorithms.length);
    if (known !== undefined) return known;
    const facts = new BlobAnalyser(algorithms, this.analysis).end();
    this.known.set(algorithms.length, facts);
    return facts;
  }
}
