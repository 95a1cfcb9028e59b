import { isObject } from '../spec/json.js';
import type { ItemRecord } from './results.js';

/** Whether a line has all that the merge uses: it may come from another program, or from a disk that is damaged. */
export function isWholeRecord(record: ItemRecord): boolean {
  if (!isShallow(record, DEPTH)) return false;
  if (record.kind === 'other') return true;
  const { durationMs, verdicts, passed, images = [], findings = [] } = record as unknown as Json;
  if (record.exitCode !== 2 && [verdicts, record.images, record.findings].includes(undefined)) return false;
  return (
    isNumber(durationMs) &&
    (verdicts === undefined || isVerdicts(verdicts)) &&
    (passed === undefined || typeof passed === 'boolean') &&
    (record.timed === undefined || record.timed === true) &&
    isListOf(images, isImage) &&
    isListOf(findings, isFinding) &&
    (findings as readonly Json[]).every(({ image }) => image === null || image < (images as Json[]).length) &&
    (record.exitCode > 0 ||
      (passed !== false && !(findings as readonly Json[]).some(({ failing }) => failing)))
  );
}

/**
 * Levels of lists and objects: a record has six. `JSON.stringify` fails for what `JSON.parse` accepts, with thousands.
 */
const DEPTH = 12;

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every(member => isShallow(member, depth - 1)));

// biome-ignore lint/suspicious/noExplicitAny: a member of any type is compared with what is expected.
type Json = Readonly<Record<string, any>>;

const isNumber = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;
const isSize = (value: unknown): boolean =>
  value === null || (Number.isSafeInteger(value) && (value as number) >= 0);
const isText = (value: unknown): boolean => typeof value === 'string';
const isNumberOrNull = (value: unknown): boolean => value === null || isNumber(value);
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isListOf = (value: unknown, is: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(is);

const isTruth = (value: unknown): boolean => value === null || typeof value === 'boolean';

const isVerdicts = (value: unknown): boolean =>
  isObject(value) && isTruth(value.intact) && isTruth(value.complete) && isTruth(value.conformant);

function isImage(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { imageId, manifestDigest, names, platform, created, verdicts, base, layers, sizes } = value as Json;
  return (
    [imageId, manifestDigest, platform, created].every(isTextOrNull) &&
    isListOf(names, isText) &&
    isVerdicts(verdicts) &&
    (base === null || (isObject(base) && isTextOrNull(base.name) && isTextOrNull(base.digest))) &&
    isListOf(layers, isLayer) &&
    isObject(sizes) &&
    [sizes.stored, sizes.unpacked, sizes.docker].every(isSize)
  );
}

const isLayer = (value: unknown): boolean =>
  isObject(value) &&
  [value.digest, value.diffId].every(isTextOrNull) &&
  [value.size, value.unpackedSize].every(isSize);

const SEVERITIES: readonly unknown[] = ['error', 'warning', 'info'];

const isFinding = (value: unknown): boolean =>
  isObject(value) &&
  [value.code, value.fingerprint, value.message].every(isText) &&
  SEVERITIES.includes(value.severity) &&
  typeof value.failing === 'boolean' &&
  isNumberOrNull(value.image) &&
  isTextOrNull(value.path);
