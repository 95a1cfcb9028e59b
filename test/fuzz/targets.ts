import type { Target } from './target.js';
import { archiveTargets } from './targets-archive.js';
import { binaryTargets } from './targets-binary.js';
import { templateTargets } from './targets-template.js';
import { byteTextTargets, textTargets } from './targets-text.js';

/** All targets: readers of untrusted input. */
export const targets: readonly Target[] = [
  ...archiveTargets,
  ...binaryTargets,
  ...templateTargets,
  ...textTargets,
  ...byteTextTargets,
];
