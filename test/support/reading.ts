// Reads fixtures and reports on them, for most tests of the product.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import {
  type ArchiveReading,
  type Finding,
  InputError,
  type ReadOptions,
  type Report,
  readArchive,
  reportOf,
  verify,
} from '../../src/commands.js';
import { repositoryRoot } from './corpus.js';
import type { Member } from './members.js';
import { type TarOptions, toTar } from './pack.js';
import { temporary } from './tmp.js';

export interface Reading {
  readonly reading: ArchiveReading;
  readonly report: Report;
  /** Exit code of `waybill verify`. */
  readonly exitCode: number;
}

let folder: string | undefined;

/** Writes bytes to a file; the next call with the same name overwrites it. */
export function saved(bytes: Uint8Array, name = 'image.tar'): string {
  folder ??= temporary('reading');
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Bytes in chunks, as from a pipe. */
export async function* streamOf(bytes: Uint8Array, piece = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

export async function readInput(
  input: string | AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<Reading> {
  const reading = await readArchive(input, options);
  const { exitCode } = verify(reading, { failOn: 'error' });
  return { reading, report: reportOf(reading), exitCode };
}

/** Reads the members as a tar file. */
export async function readMembers(
  members: readonly Member[],
  options: ReadOptions = {},
  tar: TarOptions = {},
): Promise<Reading> {
  return readInput(saved(await toTar(members, tar)), options);
}

/** Expects an InputError and returns it. */
export async function refusal(what: Promise<unknown>): Promise<InputError> {
  const error = await what.then(
    () => assert.unreachable('expected an InputError'),
    (error: unknown) => error,
  );
  if (!(error instanceof InputError)) throw error;
  return error;
}

export const codes = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);

/** Codes and messages of the findings that are errors or warnings. */
export const faults = (findings: readonly Finding[]): string[] =>
  findings.filter(({ severity }) => severity !== 'info').map(({ code, message }) => `${code}: ${message}`);

export const ALL_TRUE = { intact: true, complete: true, conformant: true } as const;

/** A podman archive that is cut before its manifest.json: its v1 files look like an image without the last layer. */
export function cutBeforeManifest(): Uint8Array {
  const packed = readFileSync(join(repositoryRoot, 'samples/hello-podman.tar.gz'));
  return gunzipSync(packed).subarray(0, 25_000);
}
