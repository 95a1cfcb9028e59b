// Runs one race: its images are in the page cache, its contestants run in turn, and those that cannot run have a
// reason.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { alternate } from './alternate.js';
import type { ImageCache } from './cache.js';
import { type NodeVersion, Starters } from './contestants.js';
import { isInstalled } from './installed.js';
import type { ImageFile, Race } from './races.js';
import type { RaceResult } from './report.js';

/** Seconds after which a contestant of a race is not run again. */
const PATIENCE = 30;

export interface Course {
  readonly nodes: readonly NodeVersion[];
  readonly rounds: number;
  readonly cache: ImageCache;
  readonly say: (text: string) => void;
}

export async function runRace(race: Race, { nodes, rounds, cache, say }: Course): Promise<RaceResult> {
  const { id, title, images, times = 1 } = race;
  say(title);
  const paths = new Map<string, string>();
  for (const [name, form] of images) paths.set(`${name} ${form}`, await cache.path(name, form));
  const at = (...file: ImageFile) => paths.get(file.join(' '))!;
  // Reads the files into the page cache, so that the first contestant has no disadvantage.
  spawnSync('find', [...paths.values(), '-type', 'f', '-exec', 'cat', '{}', '+'], { stdio: 'ignore' });
  const { output } = cache;
  const contestants = race.contestants(new Starters(nodes, output), at).map(contestant => ({
    ...contestant,
    lacks: contestant.needs.find(command => !isInstalled(command)),
  }));
  const measured = await alternate(
    contestants.filter(({ lacks }) => lacks === undefined),
    { rounds: rounds * times, patience: PATIENCE, output, say },
  );
  return {
    id,
    title,
    images: images
      .filter(([, form]) => form !== 'layout')
      .map(([name, form]) => ({ name, form, bytes: statSync(at(name, form)).size })),
    results: contestants.map(
      ({ id, lacks }) =>
        measured.find(result => result.id === id) ?? { id, samples: [], problem: `no ${lacks} is installed` },
    ),
  };
}
