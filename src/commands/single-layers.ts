import { deadlineIn } from '../containers/deadline.js';
import type { Member, SeekableMember } from '../containers/source.js';
import { reading } from '../containers/unreadable.js';
import { type Resources, sharedAmong } from '../limits.js';
import type { Layer } from '../link/graph.js';
import type { ArchiveReading, PartReading } from '../report/read.js';
import { type ChosenImage, imagesWithLayer, layerIndexes } from '../report/select.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { UnpackedTotal } from '../scan/blob/unpacked-total.js';
import { limitsWithin } from '../scan/resources.js';
import { type Scan, scanMembers } from '../scan/scan.js';
import { unchanged } from './unchanged.js';

/** How one call reads. */
export interface LayerReading {
  /** On the clock of `containers/deadline.ts`; by default `limits.seconds` from now. */
  readonly deadline?: number | undefined;
  /** Ends the call with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called while reading, with the bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

/** Reads the entries of some layers of an image. */
export type ReadLayers = (chosen: ChosenImage, layers: readonly Layer[]) => Promise<Scan>;

/** True if layers can be read one by one, and reading them is less work than using what was read. */
export const areLayersUnread = ({ part, scan }: PartReading): boolean =>
  part.source.access === 'seekable' && scan.depth !== 'files';

/** The layers of an archive whose documents have been read. What was read of a layer is kept, and not read again. */
export class SingleLayers {
  private readonly known = new Map<Member, BlobFacts>();
  private readonly unpacked = new UnpackedTotal();

  constructor(
    private readonly archive: ArchiveReading,
    private readonly resources: Resources,
  ) {
    this.unpacked.hasStored(archive.size);
  }

  /**
   * The scan of an image with the entries of these layers and of those that were read before: no other content is read.
   * @throws InputError when the archive is not what it was when it was opened
   */
  async read(
    { part: { scan } }: ChosenImage,
    layers: readonly Layer[],
    { deadline, signal, onProgress }: LayerReading,
  ): Promise<Scan> {
    const { archive, known, unpacked } = this;
    const { jobs, memory } = this.resources;
    const members = layers.flatMap(({ member }) => (member === null ? [] : [member as SeekableMember]));
    const until = deadline ?? deadlineIn(scan.limits.seconds);
    const work = { jobs, memory, signal, unpacked, deadline: until, onProgress };
    // As when the archive is read whole: limits by its size apply to what is made of the entries.
    const limits = sharedAmong(limitsWithin(this.resources), archive.opened.parts.length);
    const read = await unchanged(archive, () =>
      reading(archive.opened.file, () =>
        scanMembers({ ...scan, limits }, [...new Set(members)], known, work),
      ),
    );
    return { ...read, limits: scan.limits };
  }
}

/** Digits by which a digest is told from all others of an archive. */
const SURE_DIGITS = /^\d{1,3}$|[0-9a-f]{12}$/;

/**
 * The index of the layer that a text names: its number, from 1, or the beginning of its digest or diff_id. Layers are
 * read only where the claims of the documents do not say which one it is.
 * @param file  for the message
 * @throws InputError when there is no such layer, or several
 */
export async function layerNamed(
  chosen: ChosenImage,
  layer: string,
  file: string,
  readLayers: ReadLayers,
): Promise<number> {
  const isClaimed = SURE_DIGITS.test(layer) && layerIndexes(chosen, layer).length === 1;
  const { part, image } = chosen;
  const scan = isClaimed ? part.scan : await readLayers(chosen, image.layers);
  return imagesWithLayer([{ image, part: { ...part, scan } }], layer, file)[0]!.index;
}
