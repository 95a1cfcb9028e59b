// A complete run: the images, the races, the micro benchmarks, and the goals.

import type { ImageCache } from './cache.js';
import { type NodeVersion, nodeVersions } from './contestants.js';
import { goals } from './goals.js';
import { versions } from './installed.js';
import { judge, raceOf, type Verdict } from './judge.js';
import type { Line } from './micro/line.js';
import { micro } from './micro/micro.js';
import type { Options } from './options.js';
import { runRace } from './race.js';
import { chosenRaces } from './races.js';
import { machine, type RaceResult, type Report, summary } from './report.js';

type Say = (text: string) => void;

export async function runSuite(options: Options, cache: ImageCache, say: Say): Promise<Report> {
  const nodes = nodeVersions(options.nodes);
  const races = (options.micro ? [] : chosenRaces(options)).filter(({ id, images }) => {
    const impossible = images.find(([, form]) => !cache.canMake(form));
    if (impossible !== undefined) say(`${id} is left out: nothing here packs ${impossible[1]}`);
    return impossible === undefined;
  });
  // All images are made first, because making them keeps the disk busy.
  for (const { images } of races) for (const [name, form] of images) await cache.path(name, form);
  const start = Date.now();
  const about = machine();
  const results: RaceResult[] = [];
  for (const race of races) results.push(await runRace(race, { nodes, rounds: options.rounds, cache, say }));
  const lines = await parts(options, cache, say);
  return {
    date: new Date(start).toISOString(),
    machine: about,
    versions: versions(),
    rounds: options.rounds,
    seconds: (Date.now() - start) / 1000,
    races: results,
    goals: verdicts(results, nodes),
    micro: lines,
  };
}

/** The micro benchmarks are left out if races were selected. */
function parts(
  { micro: alone, quick, rounds, only, size }: Options,
  cache: ImageCache,
  say: Say,
): Promise<Line[]> {
  if (!alone && (only !== undefined || size !== undefined)) return Promise.resolve([]);
  const images = quick
    ? ({ content: 'small', entries: 'entries-10000' } as const)
    : ({ content: 'medium', entries: 'entries-100000' } as const);
  return micro(cache, images, rounds, say);
}

/** Every goal of the races that ran, for every Node. */
export function verdicts(
  races: readonly RaceResult[],
  nodes: readonly Pick<NodeVersion, 'suffix'>[],
): Verdict[] {
  const measured = new Map(
    races.flatMap(race =>
      race.results.flatMap(({ id, samples }) => {
        const found = summary(samples);
        return found === null ? [] : [[`${race.id}/${id}`, found] as const];
      }),
    ),
  );
  const ran = goals.filter(goal => races.some(({ id }) => id === raceOf(goal)));
  return nodes.flatMap(({ suffix }) => ran.map(goal => judge(goal, measured, suffix)));
}
