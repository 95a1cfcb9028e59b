// Goals are judged correctly from given numbers, and name existing measurements.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ImageCache } from '../../bench/cache.js';
import { Starters } from '../../bench/contestants.js';
import { type Goal, goals } from '../../bench/goals.js';
import { judge, type Measured } from '../../bench/judge.js';
import { chosenRaces, races } from '../../bench/races.js';
import { type RaceResult, type Summary, summary } from '../../bench/report.js';
import { verdicts } from '../../bench/suite.js';
import { temporary } from '../support/tmp.js';

const took = (seconds: number, peak: number | null = null): Summary => ({
  seconds,
  min: seconds,
  max: seconds,
  cpu: seconds,
  peak,
});
const measured = (numbers: Readonly<Record<string, Summary>>): Measured => new Map(Object.entries(numbers));
const ratio: Goal = { kind: 'ratio', of: 'r/waybill verify', to: 'r/skopeo', most: 0.55 };

test('a ratio is met up to its limit', () => {
  const of = (seconds: number) =>
    judge(ratio, measured({ 'r/waybill verify': took(seconds), 'r/skopeo': took(2) }));
  assert.equal(of(1.1), {
    goal: 'r/waybill verify against skopeo',
    measured: 0.55,
    most: 0.55,
    unit: 'times',
    met: true,
    cpu: 0.55,
    absent: [],
  });
  assert.is(of(1.2).met, false);
});

test('without its peer a goal is left open, and the peer is named', () => {
  const { met, measured: value, absent } = judge(ratio, measured({ 'r/waybill verify': took(1) }));
  assert.equal({ met, value, absent }, { met: null, value: null, absent: ['r/skopeo'] });
});

test('another Node is judged by its own times, against peers that have no Node', () => {
  const numbers = measured({
    'r/waybill verify': took(1),
    'r/waybill verify, Node 24': took(1.5),
    'r/skopeo': took(2),
  });
  assert.is(judge(ratio, numbers).met, true);
  assert.is(judge(ratio, numbers, ', Node 24').met, false);
  const { absent } = judge(ratio, numbers, ', Node 26');
  assert.equal(absent, ['r/waybill verify']);
});

test('goals of the kind beyond count seconds, goals of memory count bytes', () => {
  const beyond: Goal = { kind: 'beyond', of: 'r/waybill show', to: 'r/node -e 0', most: 0.09 };
  const start = (seconds: number) =>
    judge(beyond, measured({ 'r/waybill show': took(seconds), 'r/node -e 0': took(0.04) }));
  assert.is(start(0.125).met, true);
  assert.is(start(0.135).met, false);
  const memory: Goal = { kind: 'memory', of: 'r/waybill verify', most: 130e6 };
  assert.is(judge(memory, measured({ 'r/waybill verify': took(1, 130e6) })).met, true);
  assert.is(judge(memory, measured({ 'r/waybill verify': took(1, 131e6) })).met, false);
  assert.is(judge(memory, measured({ 'r/waybill verify': took(1) })).met, null);
});

test('flat compares the highest peak with the lowest', () => {
  const flat: Goal = { kind: 'flat', of: ['r/a', 'r/b', 'r/c'], most: 1.2 };
  const of = (...peaks: number[]) =>
    judge(flat, new Map(peaks.map((peak, i) => [`r/${'abc'[i]}`, took(1, peak)])));
  assert.is(of(100, 119, 101).met, true);
  assert.is(of(125, 119, 100).met, false);
  assert.equal(of(100, 100).absent, ['r/c']);
});

test('linear leaves out the start, and steps that are within the noise', () => {
  const goal = (...units: number[]): Goal => ({
    kind: 'linear',
    of: units.map(unit => ({ of: `r/${unit}`, units: unit })),
    most: 1.2,
  });
  const of = (numbers: Readonly<Record<number, number>>) =>
    judge(
      goal(...Object.keys(numbers).map(Number)),
      new Map(Object.entries(numbers).map(([unit, seconds]) => [`r/${unit}`, took(seconds)])),
    );
  // Start-up takes 0.2 s, 100 units take 1 s: with the start included, small amounts would look slow and hide a growth.
  assert.is(of({ 0: 0.2, 100: 1.2, 1000: 10.2 }).met, true);
  assert.is(of({ 0: 0.2, 100: 1.2, 1000: 13.2 }).met, false);
  assert.is(of({ 0: 0.2, 1: 0.201, 100: 1.2, 1000: 10.2 }).measured?.toFixed(3), '1.000');
  assert.is(of({ 0: 0.2, 1: 0.201 }).met, null);
});

test('a summary has the medians of the times and the highest peak', () => {
  const samples = [3, 1, 2].map(n => ({ seconds: n, cpu: n * 2, peak: n * 10 }));
  assert.equal(summary(samples), { seconds: 2, min: 1, max: 3, cpu: 4, peak: 30 });
  assert.is(summary(samples.slice(0, 2))?.seconds, 2);
  assert.is(summary([]), null);
});

test('every goal names contestants of one race', async () => {
  const layout = await new ImageCache(temporary('bench'), () => {}).path('tiny', 'layout');
  const start = new Starters([{ path: process.execPath, suffix: '' }], 'output');
  const known = new Set(
    races.flatMap(race => race.contestants(start, () => layout).map(({ id }) => `${race.id}/${id}`)),
  );
  assert.is(
    known.size,
    races.flatMap(race => race.contestants(start, () => layout)).length,
    'no two are called alike',
  );
  const named = goals.flatMap(goal => {
    if (goal.kind === 'linear') return goal.of.map(({ of }) => of);
    if (goal.kind === 'flat') return goal.of;
    return goal.kind === 'memory' ? [goal.of] : [goal.of, goal.to];
  });
  assert.ok(named.length > 60);
  assert.equal(
    named.filter(name => !known.has(name)),
    [],
  );
});

test('only goals of races that ran are judged, once for each Node', () => {
  const races: RaceResult[] = [{ id: 'single', title: '', images: [], results: [] }];
  const judged = verdicts(races, [{ suffix: '' }, { suffix: ', Node 24' }]);
  assert.equal(
    judged.map(({ goal, met }) => [goal, met]),
    ['', ', Node 24'].map(suffix => [
      `single/waybill verify --jobs 2 against waybill verify --jobs 1${suffix}`,
      null,
    ]),
  );
});

test('races are chosen by name and image', () => {
  const ids = (choice: Parameters<typeof chosenRaces>[0]) => chosenRaces(choice).map(({ id }) => id);
  assert.equal(ids({ only: 'verify-gzip' }), ['verify-gzip-medium', 'verify-gzip-large']);
  assert.equal(ids({ size: 'huge', only: 'bytes' }), ['bytes-docker-huge', 'bytes-gzip-huge']);
  assert.not(ids({}).some(id => /huge|tiny|small/.test(id)));
  assert.ok(ids({ quick: true }).length > 4);
  assert.not(ids({ quick: true }).some(id => /medium|large|many|single/.test(id)));
  assert.equal(ids({ only: 'nothing of this name' }), []);
});

test.run();
