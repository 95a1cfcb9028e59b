// The cost of an archive of one megabyte: every command within five seconds of CPU time and 500 MiB, and `--timeout`.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { goJson } from '../support/digest.js';
import { image, layer } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';
import { type Attack, type Chapter, proved } from './attack.js';
import { item, repeated, save } from './material.js';

const bin = join(repositoryRoot, 'bin/waybill.js');

/** Seconds of CPU time that one command may take on an idle machine. */
const MOST_CPU = 5;
/** Factor for a busy machine; quadratic algorithms take minutes and still fail. */
const PATIENCE = 4;
/** Memory that a command may use, in MiB. */
const MOST = 500;

const SPENT = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    writeSync(2, '\\nspent ' + JSON.stringify([maxRSS / 1024, (userCPUTime + systemCPUTime) / 1e6]));
  });
`)}`;

interface Spent {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** MiB. */
  readonly peak: number;
  /** Seconds. */
  readonly cpu: number;
  readonly wall: number;
}

function waybill(args: readonly string[], seconds = PATIENCE * MOST_CPU * 4): Promise<Spent> {
  const options = { timeout: seconds * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 29 } as const;
  const start = performance.now();
  return new Promise(resolve => {
    execFile(process.execPath, ['--import', SPENT, bin, ...args], options, (error, stdout, stderr) => {
      // Output of the program at its exit may follow.
      const [line, numbers] = /\nspent (\[.*\])/.exec(stderr) ?? ['', '[null, null]'];
      const [peak, cpu] = JSON.parse(numbers!).map((value: number | null) => value ?? Number.NaN);
      const status = error === null ? 0 : (error.signal ?? error.code ?? null);
      const wall = (performance.now() - start) / 1000;
      resolve({ status, stdout, stderr: stderr.replace(line, ''), peak, cpu, wall });
    });
  });
}

const EVERY = [
  'verify FILE',
  'verify FILE --json',
  'show FILE',
  'ids FILE',
  'sizes FILE',
  'files FILE',
  'files FILE --tree',
  'waste FILE',
  'diff FILE FILE',
  'images FILE',
  'images FILE --tree',
  'history FILE',
  'inspect FILE',
  'manifest inspect FILE',
  'imagetools inspect FILE',
  'cat FILE etc/passwd',
  'report FILE -o REPORT.html',
  'report FILE -o REPORT.md',
  'extract FILE ROOT',
];

type Made = readonly layouts.Member[] | Uint8Array;

/** Every command over an archive of at most a megabyte, each within the bounds. */
const bounded = (
  attack: string,
  answer: string,
  make: () => Made | Promise<Made>,
  commands = EVERY,
): Attack =>
  proved(attack, answer, async () => {
    const made = await make();
    const bytes = made instanceof Uint8Array ? made : gzipSync(await toTar(made), { level: 9 });
    assert.ok(bytes.length <= 1e6, `${bytes.length} bytes are more than a megabyte`);
    const file = saved(bytes, 'bounds.tgz');
    await each(commands, command => within(command, file), 2);
  });

async function within(command: string, file: string): Promise<void> {
  const folder = temporary('bounds');
  const names: Readonly<Record<string, string>> = { FILE: file, ROOT: join(folder, 'root') };
  const args = command.split(' ').map(arg => names[arg] ?? arg.replace('REPORT', join(folder, 'report')));
  const { status, stderr, peak, cpu } = await waybill(args);
  assert.ok(status === 0 || status === 1 || status === 2, `${command}: ${status}: ${stderr.slice(0, 500)}`);
  assert.ok(cpu < PATIENCE * MOST_CPU, `${command}: ${cpu} s of processor`);
  assert.ok(peak < MOST, `${command}: ${Math.round(peak)} MiB`);
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const hex = (number: number) => number.toString(16).padStart(64, '0');

const v1 = (id: number, parent: number | null) =>
  layouts.file(`${hex(id)}/json`, goJson({ id: hex(id), ...(parent !== null && { parent: hex(parent) }) }));

/** A layer of the given entries, in a layout of one image. */
async function ofEntries(...tars: readonly Uint8Array[]): Promise<layouts.Member[]> {
  const made = await image({ layers: tars.map(tar => ({ tar, compression: 'gzip' as const })) });
  return layouts.skopeoOci({ image: made, tags: ['app:1'] });
}

const DEEP = 'a/'.repeat(1900);
/** Images whose manifest.json lists one layer any number of times. */
async function listing(images: number, layers: number): Promise<layouts.Member[]> {
  const one = await layer({ files: { a: 'x' } });
  const rootfs = { type: 'layers', diff_ids: Array<string>(layers).fill(one.diffId) };
  const config = (i: number) =>
    layouts.file(`c${i}.json`, goJson({ ...item.config, history: undefined, rootfs, i }));
  const Layers = Array<string>(layers).fill('l.tar');
  const items = numbers(images).map(i => ({ Config: `c${i}.json`, RepoTags: [`app:${i}`], Layers }));
  return [
    layouts.file('l.tar', one.blob),
    ...numbers(images).map(config),
    layouts.file('manifest.json', goJson(items)),
  ];
}

/** Empty members after an archive, compressed in pieces: as many of one name as fit. */
async function crowded(): Promise<Uint8Array> {
  const tar = Buffer.from(
    await toTar(layouts.skopeoOci({ image: item, tags: ['app:1'] }), { endMarker: false }),
  );
  const some = gzipSync(Buffer.concat(Array<Buffer>(2048).fill(rawEntry({ name: 'x' }))), { level: 9 });
  return Buffer.concat([gzipSync(tar), repeated(some, 150), gzipSync(Buffer.alloc(1024))]);
}

const REPORTING = EVERY.filter(command => !/^(cat|extract|waste|sizes|diff)/.test(command));

/** A command that takes much longer than its timeout. */
async function stopped(): Promise<void> {
  const bytes = gzipSync(await toTar(await listing(900, 100)));
  // A command of less than a second is not stopped, so several archives are given.
  const files = numbers(40).map(i => saved(bytes, `late-${i}.tgz`));
  const { status, stderr, stdout, wall } = await waybill([
    'images',
    '--digests',
    ...files,
    '--timeout',
    '1s',
  ]);
  assert.ok(status === 2 || status === 1, `${status}: ${stderr.slice(0, 500)}`);
  // If the report is done before the thread ends the process, archives that were read are listed and the others named.
  const isEnded = /^waybill: .*not done in time: the limit seconds is 1 s/.test(stderr);
  if (isEnded) assert.is(stdout, '');
  else assert.match(stderr, /not read: the time is over|the limit seconds is 1 s/);
  assert.ok(wall < PATIENCE * 2, `${wall} s`);
}

export const bounds: Chapter = {
  title: 'A megabyte',
  attacks: [
    bounded(
      'Six thousand v1 images that share a chain of six thousand parents',
      'Each layer is read once. Images are listed up to the limit `descriptors`.',
      () => [
        ...numbers(6000).map(i => v1(i, i === 0 ? null : i - 1)),
        ...numbers(6000).map(i => v1(10_000 + i, 5999)),
      ],
      REPORTING,
    ),
    bounded(
      'A thousand images that list one layer a hundred times each',
      'Layers are listed up to the limit `descriptors`, which is lower for a small file; engines are not modelled for the rest.',
      () => listing(990, 100),
      REPORTING,
    ),
    bounded(
      'One image with three hundred thousand names',
      'Names are read up to the limit `names`.',
      () =>
        layouts.replaceBytes(save, 'manifest.json', bytes => {
          const [document] = JSON.parse(Buffer.from(bytes).toString());
          return JSON.stringify([{ ...document, RepoTags: numbers(300_000).map(i => `a:${i}`) }]);
        }),
      REPORTING,
    ),
    bounded(
      'Three hundred thousand empty members',
      'The facts about an empty file are computed once. Members are read up to the limit `members`.',
      crowded,
      REPORTING,
    ),
    bounded('A hundred thousand hard links to one file', 'Each finds its target in constant time.', () =>
      ofEntries(
        rawTar(
          rawEntry({ name: 'f' }, 'x'),
          ...numbers(100_000).map(i => rawEntry({ name: `l${i}`, flag: '1', link: 'f' })),
        ),
      ),
    ),
    bounded(
      'The same, and another layer that removes the first half of them',
      'The first remaining name is searched once.',
      () =>
        ofEntries(
          rawTar(
            rawEntry({ name: 'f' }, 'x'),
            ...numbers(80_000).map(i => rawEntry({ name: `l${i}`, flag: '1', link: 'f' })),
          ),
          rawTar(rawEntry({ name: '.wh.f' }), ...numbers(40_000).map(i => rawEntry({ name: `.wh.l${i}` }))),
        ),
    ),
    bounded(
      'Eight thousand files nineteen hundred directories deep, and after each a link that is replaced by a file',
      'Resolved paths are discarded only if something on them is removed.',
      () =>
        ofEntries(
          rawTar(
            ...numbers(8000).flatMap(i => [
              paxEntry([['path', `${DEEP}${i}`]]),
              rawEntry({ name: 'f' }),
              rawEntry({ name: 's', flag: i % 2 === 0 ? '0' : '2', link: 'x' }),
            ]),
          ),
        ),
      EVERY.filter(command => !command.startsWith('extract')),
    ),
  ],
};

export const timeouts: Chapter = {
  title: 'Timeout',
  attacks: [
    proved(
      'Forty archives that take a second each, with `--timeout 1s`',
      'A separate thread keeps the time for all of them together, and terminates the current computation.',
      stopped,
    ),
  ],
};
