import type { FindingData, LockDoubt, LockGrade } from '../link/observation.js';
import type { Rules } from './rule.js';

/** The grades in words, for a sentence and beside an image. */
export const GRADE_WORDS: Readonly<Record<LockGrade, string>> = {
  file: 'same file',
  manifest: 'same manifest',
  config: 'same config',
  repacked: 'same image, repacked',
  files: 'same files, other tars',
};

/** Fields by the words of a Dockerfile, where it has them. */
const INSTRUCTIONS: Readonly<Record<string, string>> = {
  Healthcheck: 'HEALTHCHECK',
  Shell: 'SHELL',
  OnBuild: 'ONBUILD',
  StopTimeout: 'stop timeout',
  'config.User': 'USER',
  'config.ExposedPorts': 'EXPOSE',
  'config.Env': 'ENV',
  'config.Entrypoint': 'ENTRYPOINT',
  'config.Cmd': 'CMD',
  'config.Volumes': 'VOLUME',
  'config.WorkingDir': 'WORKDIR',
  'config.Labels': 'LABEL',
  'config.StopSignal': 'STOPSIGNAL',
};

const fieldWords = (field: string): string => INSTRUCTIONS[field] ?? field.replace(/^config\./, '');

/** `HEALTHCHECK, SHELL and ONBUILD` */
export const fieldList = (fields: readonly string[]): string => listWords(fields.map(fieldWords));

function listWords(words: readonly string[]): string {
  const [last = '', ...before] = [...words].reverse();
  return before.length === 0 ? last : `${before.reverse().join(', ')} and ${last}`;
}

/** Layers that are named one by one. */
const NAMED = 5;

function layerWords({ layers, expected, actual, reordered }: FindingData['lock-image-other']): string {
  if (layers.length === 0) return '';
  if (reordered) return 'its layers are in another order';
  const named = layers.slice(0, NAMED).map(layer => String(layer + 1));
  const rest = layers.length - NAMED;
  const numbers = rest > 0 ? `${named.join(', ')} and ${rest} more` : listWords(named);
  const plural = layers.length === 1 ? '' : 's';
  const counts = expected === actual ? `of ${actual}` : `(expected ${expected} layers, found ${actual})`;
  return `layer${plural} ${numbers} ${counts} ${layers.length === 1 ? 'is' : 'are'} not the same`;
}

function otherWords(d: FindingData['lock-image-other']): string {
  const fields = d.fields.length === 0 ? '' : `other ${fieldList(d.fields)}`;
  return [fields, layerWords(d)].filter(part => part !== '').join('; ') || 'another digest';
}

/** Reasons that are named one by one. */
const REASONS = 3;

function doubtWords(doubts: readonly LockDoubt[]): string {
  const words = doubts.slice(0, REASONS).map(doubtText);
  const rest = doubts.length - words.length;
  return `${words.join('; ')}${rest > 0 ? ` (and ${rest} more)` : ''}`;
}

/** A reason why an image cannot be compared or locked, in words. */
export function doubtText(doubt: LockDoubt): string {
  switch (doubt.what) {
    case 'finding':
      return `waybill verify finds ${doubt.code}${doubt.path === '' ? '' : ` in ${doubt.path}`}`;
    case 'verdict':
      return `it is not known to be ${doubt.verdict}`;
    case 'config':
      return 'its config is not here, or cannot be read';
    case 'field':
      return `its config is read in different ways: ${doubt.pointer}: expected ${doubt.expected}, found ${doubt.actual}`;
    case 'layer':
      return `layer ${doubt.layer + 1}: ${doubt.reason}`;
    case 'layers':
      return `it has ${doubt.layers} layers, and its config ${doubt.diffIds} diff_ids`;
    case 'platform':
      return `the index says ${doubt.declared}, its config ${doubt.config}`;
    case 'text':
      return 'its config is not UTF-8, and readers replace the bytes differently';
    case 'no-manifest':
      return 'the list has digests of manifests, and this archive has none: use a lock of `waybill lock`';
    case 'no-file':
      return 'the list has digests of files, and this is not one file: use a lock of `waybill lock`';
  }
}

const names = (list: readonly string[]): string =>
  list.length === 0 ? 'none' : list.map(name => JSON.stringify(name)).join(', ');

export const lockRules: Rules<
  | 'lock-image-other'
  | 'lock-file-other'
  | 'lock-image-extra'
  | 'lock-image-missing'
  | 'lock-grade-low'
  | 'lock-field-lost'
  | 'lock-field-unlocked'
  | 'lock-attached-missing'
  | 'lock-name-other'
  | 'lock-undecided'
> = {
  'lock-image-other': {
    severity: 'error',
    verdict: null,
    message: d => `another image than ${d.locked} of ${d.lock}: ${otherWords(d)}`,
    explain:
      'The lock has an image of this name and platform, or with these layers, and this is not it: a layer or a field of the config differs. No tool that only repacks an image changes these. It was built again, or changed. Do not load it; ask for the image that was locked, or approve this one and lock it. If only its platform is another one, lock that platform too, or verify with --platform.',
  },
  'lock-file-other': {
    severity: 'error',
    verdict: null,
    message: d =>
      d.locked === null
        ? `the file is not in ${d.lock} (${d.actual})`
        : `expected ${d.expected}, as ${d.lock} has for ${d.locked}, found ${d.actual}`,
    explain:
      'A list of sha256sum says which bytes a file has. This file has others: it was changed, cut short, compressed or packed again. The list cannot tell which; a lock of waybill lock can. Fetch the file again.',
  },
  'lock-image-extra': {
    severity: 'error',
    verdict: null,
    message: d => `the image is not in ${d.lock}${d.digest === null ? '' : ` (config ${d.digest})`}`,
    explain:
      'The archive holds an image that the lock does not have, under no name and with no digest that it knows. Engines load it with the others. Approve it and lock it, or remove it.',
  },
  'lock-image-missing': {
    severity: 'error',
    verdict: null,
    message: d => `${d.lock} has ${d.locked} (${d.digest}), which no archive here holds`,
    explain:
      'An image of the lock was not found in any of the archives. If only a part of a delivery is verified, --partial makes this a note, and --platform leaves out the images of other platforms.',
  },
  'lock-grade-low': {
    severity: 'error',
    verdict: null,
    message: d =>
      `expected at least "${GRADE_WORDS[d.least]}" as ${d.locked} of ${d.lock}, found "${GRADE_WORDS[d.grade]}"`,
    explain:
      'The image agrees with the lock, but in less than --grade asks for. From the best on: manifest (every byte of the image), config (the same config and layers, packed in another way), repacked (the same layers, and the fields of the config that every engine keeps), files (the same files in layers whose tars differ).',
  },
  'lock-field-lost': {
    severity: 'warning',
    verdict: null,
    message: d => `the image has lost what ${d.lock} has: without its ${fieldList(d.fields)}`,
    explain:
      'HEALTHCHECK, SHELL, ONBUILD and the stop timeout are fields of Docker that an OCI config has not: a tool that converts an image to OCI drops them, and the image runs without them. Where only the files are the same, times, author and history may be lost too. Everything else is as the lock has it.',
  },
  'lock-field-unlocked': {
    severity: 'warning',
    verdict: null,
    message: d => `the image has ${fieldList(d.fields)}, of which ${d.lock} does not know`,
    explain:
      'The lock was made from an OCI config, which cannot have this field, so that nothing says whether it was approved. A HEALTHCHECK runs a command in the container. Make the lock from an archive that has it, such as one of docker save, or verify with --fail-on warning.',
  },
  'lock-attached-missing': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `the archive lacks what ${d.lock} has with the image: ${d.attached.map(({ type, digest }) => `${type} (${digest})`).join(', ')}`,
    explain:
      'Signatures, attestations or SBOMs that were locked with the image are not in the archive. They belong to one manifest, so that repacking loses them. The image itself is as the lock has it.',
  },
  'lock-name-other': {
    severity: 'info',
    verdict: null,
    message: d =>
      `expected the names ${names(d.expected)} as in ${d.lock}, found ${names(d.actual)}${
        d.taken.length === 0 ? '' : `, of which the lock gives ${names(d.taken)} to another image`
      }`,
    explain:
      'The image is one of the lock, under other names. Engines rename images, so this is a note, and with --names an error. It is a warning where the name is that of another image of the lock: a container that is started by that name then runs another image than was approved under it.',
  },
  'lock-undecided': {
    severity: 'error',
    verdict: null,
    message: d => `cannot be compared with ${d.lock}: ${doubtWords(d.doubts)}`,
    explain:
      'What the image is depends on who reads it, or not all of it was read: engines could load something else than was compared. Such an image is never the locked one. Mend what waybill verify reports first.',
  },
};
