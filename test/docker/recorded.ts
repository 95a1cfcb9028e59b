// Recorded answers of docker 28.5.2 and buildx 0.29.1 for the layouts of registry-layouts.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchiveReading, readArchive } from '../../src/commands.js';
import { repositoryRoot } from '../support/corpus.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { layoutOf } from './registry-layouts.js';

interface Recorded {
  /** By layout, then by flag or format: index into `texts`, or null if the tool failed. */
  readonly answers: Readonly<
    Record<string, Readonly<Record<'manifest' | 'imagetools', Readonly<Record<string, number | null>>>>>
  >;
  readonly texts: readonly string[];
}

const recorded = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/docker/recorded/registry.json'), 'utf8'),
) as Recorded;

export interface RecordedAnswer {
  readonly layout: string;
  /** A flag of `docker manifest inspect`, or a format of imagetools. */
  readonly asked: string;
  /** null if the tool failed. */
  readonly stdout: string | null;
}

export function recordedAnswers(tool: 'manifest' | 'imagetools'): readonly RecordedAnswer[] {
  return Object.entries(recorded.answers).flatMap(([layout, tools]) =>
    Object.entries(tools[tool]).map(([asked, at]) => ({
      layout,
      asked,
      stdout: at === null ? null : recorded.texts[at]!,
    })),
  );
}

const readings = new Map<string, Promise<ArchiveReading>>();

/** A layout of registry-layouts.ts as a tar, read once. */
export function readLayout(name: string): Promise<ArchiveReading> {
  const reading =
    readings.get(name) ??
    toTar(layoutOf(name)).then(tar => readArchive(saved(tar, `${name}.tar`), { depth: 'metadata' }));
  readings.set(name, reading);
  return reading;
}
