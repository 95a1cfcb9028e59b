import type { Refusal } from '../../scan/layer-refusal.js';
import type { Scan } from '../../scan/scan.js';
import type { Member } from '../../source/source.js';
import { textOf } from '../../source/tar-entry.js';
import { LayerStack } from '../layer-stack.js';
import { refuse } from './answer.js';
import type { UnpackAnswer } from './unpack-words.js';

/** Unpacks the layers of an image, one upon the other, as an engine does. */
export class Unpacking {
  private readonly stack: LayerStack;
  /** What else there is to know of the layers that were taken. */
  note: string | null = null;

  constructor(
    private readonly scan: Scan,
    private readonly unpacks: (refusal: Refusal) => UnpackAnswer,
  ) {
    this.stack = new LayerStack(scan);
  }

  /**
   * @param member  the next layer; null where it is not here
   * @returns unpacks it, or refuses it in the words of the engine
   */
  next(member: Member | null): () => void {
    const refusals = this.stack.add(member === null ? null : (this.scan.facts(member)?.tar?.names ?? null));
    return () => {
      for (const one of refusals) {
        const { refusal, note } = this.unpacks(one);
        if (refusal !== null) refuse(textOf(refusal));
        if (note !== null) this.note ??= textOf(note);
      }
    };
  }
}
