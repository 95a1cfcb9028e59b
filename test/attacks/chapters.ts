import type { Chapter } from './attack.js';
import { bombs } from './bombs.js';
import { bounds, timeouts } from './bounds.js';
import { containers } from './containers.js';
import { documents } from './documents.js';
import { engines } from './engines.js';
import { extraction } from './extraction.js';
import { layers } from './layers.js';
import { machine } from './machine.js';
import { names, output } from './names.js';
import { outer } from './outer.js';
import { signatures } from './signatures.js';
import { work } from './work.js';

/** Every attack, grouped by the input that it uses. */
export const chapters: readonly Chapter[] = [
  bombs,
  work,
  bounds,
  timeouts,
  containers,
  outer,
  documents,
  engines,
  signatures,
  layers,
  names,
  output,
  extraction,
  machine,
];
