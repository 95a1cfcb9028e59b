// The two images: GOOD, which waybill must show, and EVIL, which no engine may load without an error in waybill.
import { type Compression, canCompress } from '../support/compression.js';
import { type Image, image } from '../support/image.js';
import type { Random } from './random.js';

export interface Pair {
  readonly good: Image;
  readonly evil: Image;
}

const KINDS: readonly Compression[] = ['gzip', 'none', 'zstd'];

/** One layer with `/who`, or two; both images have the same structure, so that parts can be exchanged. */
export async function pairOf(random: Random): Promise<Pair> {
  const count = random.pick([1, 1, 2]);
  const compressions = Array.from({ length: count }, () => random.pick(KINDS.filter(canCompress)));
  const shared = count === 2 && random.oneIn(3);
  const [good, evil] = await Promise.all(['GOOD', 'EVIL'].map(who => named(who, compressions, shared)));
  return { good: good!, evil: evil! };
}

const made = new Map<string, Promise<Image>>();

/** @param shared  true if both images have the same base layer */
function named(who: string, compressions: readonly Compression[], shared: boolean): Promise<Image> {
  const key = `${who} ${compressions} ${shared}`;
  const known = made.get(key) ?? imageNamed(who, compressions, shared);
  made.set(key, known);
  return known;
}

function imageNamed(who: string, compressions: readonly Compression[], shared: boolean): Promise<Image> {
  return image({
    layers: compressions.map((compression, i) => {
      const own = shared && i === 0 ? 'BASE' : who;
      return {
        files: { who: `${own}\n`, ...(i > 0 && { 'etc/above': `${who} ${i}\n` }) },
        createdBy: `COPY ${i} # ${who}`,
        compression,
      };
    }),
    config: { config: { Cmd: [`/${who}`] } },
  });
}
