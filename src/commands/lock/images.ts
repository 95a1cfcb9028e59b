import { verdictsBy } from '../../checks/verdicts.js';
import type { Image } from '../../link/graph.js';
import type { LockDoubt } from '../../link/observation.js';
import { identityOf } from '../../lock/identity.js';
import type { LockedImage } from '../../lock/lock.js';
import { type ArchiveReading, type PartReading, pathIn } from '../../report/read.js';

/** An image of an archive, and what it is; or the reasons why that cannot be said. */
export interface IdentifiedImage {
  readonly part: PartReading;
  readonly image: Image;
  readonly locked: LockedImage | null;
  /** Empty where it is known. */
  readonly doubts: readonly LockDoubt[];
}

/**
 * The images of an archive by what they are. Hazard: one that `verify` finds an error in may be another one to an
 * engine, so that nothing is said of it.
 * @param reading  at depth `digests`, or `files` with digests for the trees of layers
 */
export function identifiedImages(reading: ArchiveReading, withFiles: boolean): IdentifiedImage[] {
  const beside = reading.findings.flatMap(({ severity, code, at }) =>
    severity === 'error' ? [{ what: 'finding' as const, code, path: at.path }] : [],
  );
  return reading.parts.flatMap(part =>
    part.graph.images.map(image => {
      const found = identityOf(part.scan, part.graph, image, withFiles);
      const told = [...beside, ...findingDoubts(part, image)];
      // An error names its cause: that a layer is not what it claims need not be said again.
      const doubts = told.some(({ what }) => what === 'finding') || 'image' in found ? told : found.doubts;
      return { part, image, locked: 'image' in found && doubts.length === 0 ? found.image : null, doubts };
    }),
  );
}

function findingDoubts(part: PartReading, image: Image): LockDoubt[] {
  const errors = part.findings.some(({ severity }) => severity === 'error')
    ? [...part.concerns.of([image])].filter(({ severity }) => severity === 'error')
    : [];
  const told = errors.map(({ code, at }) => ({
    what: 'finding' as const,
    code,
    path: pathIn(part.part, at.path),
  }));
  if (told.length > 0) return told;
  const verdicts = verdictsBy(part.concerns.doubts(image), part.scan.depth !== 'metadata');
  return (['intact', 'complete'] as const).flatMap(verdict =>
    verdicts[verdict] === true ? [] : [{ what: 'verdict' as const, verdict }],
  );
}
