// Results files of a made-up fleet: shared bases, copies, images under many names, broken archives.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { balancedShards, listDigest, pathOfRecord, shardOf } from '../../src/fleet/list.js';
import type {
  ArchiveRecord,
  FindingRecord,
  ImageRecord,
  LayerRecord,
  Provenance,
} from '../../src/fleet/record.js';
import { archiveLine, RecordSummary } from '../../src/fleet/results.js';

/** A record without what made it. */
export type FleetItem = Omit<ArchiveRecord, keyof Provenance>;

const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A generator of numbers from 0 to below 1 that is the same on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const layer = (name: string, size: number, unpackedSize: number): LayerRecord => ({
  digest: sha(`stored ${name}`),
  diffId: sha(`unpacked ${name}`),
  size,
  unpackedSize,
});

const BASES = ['debian:12', 'alpine:3.20', 'ubuntu:24.04', 'node:20-slim', 'openjdk:21', 'python:3.12'];

function baseLayers(base: number): LayerRecord[] {
  // node, openjdk and python are built upon debian.
  const own = Array.from({ length: 1 + (base % 3) }, (_, i) =>
    layer(`${BASES[base]} ${i}`, 30_000_000 - 7_000_000 * i, 80_000_000 - 20_000_000 * i),
  );
  return base >= 3 ? [...baseLayers(0), ...own] : own;
}

const SOUND = { intact: true, complete: true, conformant: true } as const;

export function image(
  names: readonly string[],
  layers: readonly LayerRecord[],
  more: Partial<ImageRecord> = {},
) {
  const sum = (key: 'size' | 'unpackedSize') => layers.reduce((all, { [key]: size }) => all + (size ?? 0), 0);
  return {
    imageId: sha(`config ${JSON.stringify(layers.map(({ diffId }) => diffId))}`),
    manifestDigest: sha(`manifest ${JSON.stringify(layers.map(({ digest }) => digest))}`),
    names,
    platform: 'linux/amd64',
    created: '2024-05-01T10:00:00Z',
    verdicts: SOUND,
    base: null,
    layers,
    sizes: { stored: sum('size'), unpacked: sum('unpackedSize'), docker: sum('unpackedSize') },
    ...more,
  } satisfies ImageRecord;
}

export const finding = (
  code: string,
  severity: FindingRecord['severity'],
  failing: boolean,
  message: string,
) => ({
  code,
  severity,
  failing,
  image: null,
  path: 'blobs/sha256/0f',
  fingerprint: sha(`${code} ${message}`).slice('sha256:'.length),
  message,
});

export function item(path: string, more: Partial<FleetItem> = {}): FleetItem {
  return {
    kind: 'archive',
    path,
    size: 31_337_000,
    mtime: '2024-05-01T10:00:00.000000000Z',
    sha256: sha(`file ${path}`),
    durationMs: 12,
    exitCode: 0,
    error: null,
    container: 'tar',
    compression: 'none',
    layout: 'docker-archive',
    producer: 'docker save (25 or later)',
    verdicts: SOUND,
    images: [],
    findings: [],
    ...more,
  };
}

/** An archive without a report. */
export const broken = (path: string, what: string): FleetItem => ({
  kind: 'archive',
  path,
  size: 4096,
  mtime: '2024-05-01T10:00:00.000000000Z',
  sha256: null,
  durationMs: 1,
  exitCode: 2,
  error: { what, remedy: 'Save it again.' },
});

/** The archives of a fleet, in the order of their making. */
export function* fleet(count: number, seed = 1): Generator<FleetItem> {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  for (let i = 0; i < count; i++) {
    const app = below(Math.max(3, Math.ceil(count / 12)));
    const version = `1.${below(20)}.${below(10)}`;
    const path = `releases/team-${app % 17}/app-${app}/${version}/build-${i}.tar`;
    const chance = next();
    if (chance < 0.01) yield broken(path, 'the archive is cut short: expected 31337000 bytes, found 4096');
    else yield sound(path, { app, version, chance, below });
  }
}

interface Draw {
  readonly app: number;
  readonly version: string;
  readonly chance: number;
  readonly below: (limit: number) => number;
}

function sound(path: string, { app, version, chance, below }: Draw): FleetItem {
  const base = app % BASES.length;
  const own = Array.from({ length: 1 + (app % 4) }, (_, i) =>
    layer(
      i === 0 ? `app ${app}` : `app ${app} ${version} ${i}`,
      2_000_000 + 1000 * app,
      6_000_000 + 3000 * app,
    ),
  );
  const isBase = chance > 0.98;
  const names = isBase ? [`docker.io/library/${BASES[base]}`] : [`registry.example/app-${app}:${version}`];
  const claimed = { name: `docker.io/library/${BASES[base]}`, digest: null };
  const one = image(names, isBase ? baseLayers(base) : [...baseLayers(base), ...own], {
    base: app % 2 === 0 ? claimed : null,
  });
  const findings = findingsFor(chance, below);
  const failing = findings.some(found => found.failing);
  return item(path, {
    size: (one.sizes.stored ?? 0) + 10_240,
    sha256: sha(`file ${JSON.stringify(one.layers)}`),
    durationMs: 5 + below(20),
    exitCode: failing ? 1 : 0,
    verdicts: { ...SOUND, intact: !failing },
    images: [one],
    findings,
  });
}

function findingsFor(chance: number, below: (limit: number) => number): FindingRecord[] {
  const notes = Array.from({ length: below(4) }, (_, i) =>
    finding('config-created-missing', 'info', false, `the config has no time of creation (${i})`),
  );
  if (chance < 0.03)
    return [
      finding(
        'digest-mismatch',
        'error',
        true,
        'the blob has another digest: expected sha256:00, found sha256:0f',
      ),
      ...notes,
    ];
  if (chance < 0.2)
    return [finding('layer-duplicate', 'warning', false, 'layer 3 is layer 2 again'), ...notes];
  return notes;
}

export type Source = Omit<Provenance, 'schemaVersion' | 'shard'>;

export const SOURCE: Source = {
  tool: 'waybill 0.1.0',
  command: 'scan',
  policy: sha('policy'),
  settings: sha('settings'),
};

export interface ResultsOptions {
  readonly shards?: number;
  readonly by?: 'path' | 'size';
  readonly source?: Partial<Source>;
  readonly name?: (number: number) => string;
}

/** Writes the results files of a run, as its shards do. @returns their paths in the order of the shards */
export function writeResults(
  folder: string,
  items: readonly FleetItem[],
  { shards = 1, by = 'path', source = {}, name = number => `results-${number}.ndjson` }: ResultsOptions = {},
): string[] {
  mkdirSync(folder, { recursive: true });
  const sorted = items
    .map(one => ({ one, path: pathOfRecord(one)! }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const paths = sorted.map(({ path }) => path);
  const sizes = by === 'size' ? sorted.map(({ one }) => one.size ?? 0) : null;
  const list = listDigest({ paths, sizes });
  const balanced = sizes === null ? null : balancedShards(sizes, shards);
  return Array.from({ length: shards }, (_, i) => {
    const own = sorted.filter(({ path }, at) => (balanced?.[at] ?? shardOf(path, shards)) === i + 1);
    const from = {
      schemaVersion: 1,
      ...SOURCE,
      ...source,
      shard: { number: i + 1, of: shards, by, list },
    } as const;
    const file = join(folder, name(i + 1));
    const summary = new RecordSummary(own.length);
    const lines = own.map(({ one }, at) => {
      const line = lineOf(one, from);
      summary.add(at, line, one.exitCode);
      return `${line}\n`;
    });
    writeFileSync(file, [...lines, `${summary.trailerLine(from, items.length, 1000)}\n`].join(''));
    return file;
  });
}

function lineOf(
  { kind: _, durationMs, path, pathBytes, size, mtime, ...body }: FleetItem,
  from: Provenance,
): string {
  const what = { path, ...(pathBytes !== undefined && { pathBytes }), size, mtime };
  return archiveLine(what, from, durationMs, JSON.stringify(body));
}
