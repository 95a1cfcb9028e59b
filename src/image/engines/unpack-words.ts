import type { Refusal } from '../../scan/layer-refusal.js';
import { refusalWords, type Unpacker } from '../layer-words.js';

/** What an engine makes of a layer that one of its drivers, or both, refuse; both null where it takes it. */
export interface UnpackAnswer {
  readonly refusal: string | null;
  readonly note: string | null;
}

const DRIVERS = {
  podman: ['podman (vfs)', 'podman (overlay)'],
  'docker-classic': ['docker-classic (vfs)', 'docker-classic (overlay2)'],
} as const;

/** podman as its vfs driver answers, with a note on the other. */
export function podmanUnpacks(refusal: Refusal): UnpackAnswer {
  const words = refusalWords(refusal, 'podman (vfs)');
  const overlay = words === null ? refusalWords(refusal, 'podman (overlay)') : null;
  return { refusal: words, note: overlay === null ? null : `with the overlay driver it refuses: ${overlay}` };
}

/** Docker's classic store, which refuses what all of its drivers do, with a note on what one does. */
export function dockerUnpacks(refusal: Refusal): UnpackAnswer {
  const [vfs, overlay] = DRIVERS['docker-classic'].map(driver => refusalWords(refusal, driver)) as [
    string | null,
    string | null,
  ];
  if (vfs !== null && overlay !== null) return { refusal: overlay, note: null };
  if (overlay !== null) return { refusal: null, note: `with overlay2 it refuses: ${overlay}` };
  return { refusal: null, note: vfs === null ? null : `with the vfs driver it refuses: ${vfs}` };
}

/** containerd, which Docker's containerd store unpacks with. */
export const containerdUnpacks = (refusal: Refusal): UnpackAnswer => ({
  refusal: refusalWords(refusal, 'docker-containerd'),
  note: null,
});

export const umociUnpacks = (refusal: Refusal): UnpackAnswer => ({
  refusal: refusalWords(refusal, 'umoci'),
  note: null,
});

/** Those that refuse a layer: an engine by its name alone where all of its drivers do. */
export function enginesRefusing(refusal: Refusal): string[] {
  const refuses = (engine: Unpacker) => refusalWords(refusal, engine) !== null;
  const byDriver = Object.entries(DRIVERS).flatMap(([engine, drivers]) =>
    drivers.every(refuses) ? [engine] : drivers.filter(refuses),
  );
  return [...byDriver, ...(['docker-containerd', 'umoci'] as const).filter(refuses)];
}
