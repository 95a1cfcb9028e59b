// Small input that costs much time or memory: texts for pattern backtracking, endless lists, one object listed many
// times.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { goJson } from '../support/digest.js';
import { assemble, image, type Layer, layer } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { rawEntry } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';
import { type Attack, type Chapter, proved } from './attack.js';
import { item, MiB, outerBomb, repeated, save, withLayer, zeros, zstdStored } from './material.js';

const bin = join(repositoryRoot, 'bin/waybill.js');

/** Far more than any command takes; a quadratic algorithm takes minutes. */
const HUNG_MS = 40_000;

/** Prints the process's peak memory in KiB as the last line. */
const PEAK = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) process.on('exit', () => writeSync(2, '\\npeak ' + process.resourceUsage().maxRSS));
`)}`;

interface Ended {
  readonly status: 0 | 1 | 2;
  readonly stdout: string;
  readonly stderr: string;
  /** In MiB. */
  readonly peak: number;
}

/** Runs the command as a process. Fails if it hangs, is ended by a signal, or reports a bug. */
function waybill(args: readonly string[]): Promise<Ended> {
  const options = { timeout: HUNG_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 29 } as const;
  const what = `waybill ${args.join(' ').slice(0, 300)}`;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--import', PEAK, bin, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : error.code;
      const end = stderr.lastIndexOf('\npeak ');
      if ((status !== 0 && status !== 1 && status !== 2) || end < 0)
        return reject(new Error(`${what}: ${error?.signal ?? status}: ${stderr.slice(0, 1000)}`));
      const peak = Number(stderr.slice(end + 6)) / 1024;
      return resolve({ status, stdout, stderr: stderr.slice(0, end), peak });
    });
  });
}

type RunCommand = (...args: string[]) => Promise<Ended>;
type Check = (run: RunCommand, file: string) => unknown;

/** Runs commands over an archive, each of which must end. */
const soon = (
  attack: string,
  answer: string,
  make: () => Promise<readonly layouts.Member[] | Uint8Array>,
  check: Check,
  more: Partial<Pick<Attack, 'exit' | 'findings'>> = {},
): Attack =>
  proved(
    attack,
    answer,
    async () => {
      const made = await make();
      const file = saved(made instanceof Uint8Array ? made : await toTar(made), 'work.tar');
      await check((...args) => waybill(args), file);
    },
    more,
  );

const WITHOUT_GOING_BACK = 'Every pattern takes time linear in their length.';

/** Texts that cause backtracking: repeated, with an end that does not match. */
const PUMPED = ['a', 'a.', 'a-', '/a', ' ', '0', ':', '._', '__', '\\', '{a,', '@sha256:'].map(
  piece => `${piece.repeat(300_000 / piece.length)}!`,
);

/** A layout of one image, from a config and additional fields of its entry in index.json. */
function layout(
  config: object,
  entries: readonly object[],
  layers: readonly Layer[] = item.layers,
): layouts.Member[] {
  const packed = assemble(Buffer.from(goJson(config)), layers);
  const manifest = layouts.manifestOf(packed);
  return layouts.ociLayout({ manifests: entries.map(entry => layouts.described(manifest, entry)) });
}

const named = (name: string) => ({ annotations: { [layouts.REF_ANNOTATION]: name } });

const step = (created_by: string) => ({ created_by, empty_layer: true });

const every = (file: string, run: RunCommand, commands: string) =>
  each(commands.split('; '), command => run(...command.split(' '), file), 2);

const report = (name: string) => join(temporary('work'), name);
const inEveryFormat = () => ['md', 'html', 'json', 'txt'].flatMap(ending => ['-o', report(`r.${ending}`)]);

/** An image that lists one layer any number of times, with a matching config. */
async function repeating(times: number, files: number, seed = 'a'): Promise<layouts.Member[]> {
  const entries = Object.fromEntries(Array.from({ length: files }, (_, i) => [`d/${i}`, seed]));
  const one = await layer({ files: entries, compression: 'gzip' });
  const rootfs = { type: 'layers', diff_ids: Array<string>(times).fill(one.diffId) };
  const packed = assemble(Buffer.from(goJson({ ...item.config, history: undefined, rootfs })), [one]);
  const { blobs } = layouts.manifestOf(packed);
  const document = JSON.parse(Buffer.from(blobs[0]!.bytes).toString());
  const layers = Array<object>(times).fill(document.layers[0]);
  const manifest = layouts.blobOf(layouts.MEDIA.manifest, goJson({ ...document, layers }));
  const content = { ...manifest, blobs: [...manifest.blobs, ...blobs.slice(1)] };
  return layouts.ociLayout({ manifests: [layouts.described(content, named('app:1'))] });
}

const TIMES = 30_000;
const lines = (word: string) => Array.from({ length: 40_000 }, (_, i) => `${word} ${i}`);

const other = async (members: readonly layouts.Member[]) => saved(await toTar(members), 'other.tar');

/** Maximum memory of a command, in MiB; a program that does nothing takes some 60. */
const MOST = 512;

const held = (
  what: string,
  make: () => Promise<readonly layouts.Member[] | Uint8Array>,
  { command = 'verify', exit = 1 }: { command?: string; exit?: 0 | 1 } = {},
): Attack =>
  soon(
    what,
    `Takes less than ${MOST} MiB of memory, with the default limits.`,
    make,
    async (run, file) => {
      const { status, peak, stdout } = await run(command, file);
      assert.is(status, exit, stdout.slice(-2000));
      assert.ok(peak > 30 && peak < MOST, `${Math.round(peak)} MiB`);
    },
    { exit },
  );

/** Run-length blocks in a frame with a window of 128 MiB. RFC 8878, 3.1.1.1.2 */
function wideZstd(bytes: number): Buffer {
  const frame = zeros.zstd(bytes);
  frame[5] = 17 << 3;
  return frame;
}

/** Empty entries of two thousand names, compressed per mebibyte and repeated. */
function tinyEntries(count: number): Buffer {
  const some = MiB / 512;
  const headers = Array.from({ length: some }, (_, i) => rawEntry({ name: `f${i}` }));
  return Buffer.concat([
    repeated(gzipSync(Buffer.concat(headers)), Math.floor(count / some)),
    gzipSync(Buffer.alloc(1024)),
  ]);
}

export const work: Chapter = {
  title: 'Work',
  attacks: [
    soon(
      'Names of 300 kB that cause backtracking in patterns: `a.a.a.…`, `a-a-…`, `/a/a…`, spaces, zeros, colons',
      WITHOUT_GOING_BACK,
      async () =>
        layout(
          item.config,
          PUMPED.map(text => ({
            annotations: { [layouts.REF_ANNOTATION]: text, [layouts.NAME_ANNOTATION]: text },
          })),
        ),
      async (run, file) => {
        const verified = await run('verify', file, ...inEveryFormat());
        assert.is(verified.status, 1);
        await every(file, run, 'show; ids; images --no-trunc --digests; history');
        const { status, stderr } = await run('show', file, 'nothing');
        assert.is(status, 2);
        assert.match(stderr, /^waybill: .*no image "nothing"/);
      },
    ),
    soon(
      'The same as RepoTags of manifest.json',
      'The same.',
      async () =>
        layouts.replaceBytes(save, 'manifest.json', bytes => {
          const [document] = JSON.parse(Buffer.from(bytes).toString());
          return JSON.stringify([
            { ...document, RepoTags: PUMPED.flatMap(text => [text, `app:${text}`, `${text}/b:1`]) },
          ]);
        }),
      async (run, file) => {
        assert.is((await run('verify', file)).status, 1);
        await every(file, run, 'images; inspect');
      },
    ),
    soon(
      'The same as instructions, labels and times of a config',
      'The same.',
      async () =>
        layout(
          {
            ...item.config,
            created: PUMPED[5],
            author: PUMPED[4],
            history: PUMPED.flatMap(text => [
              step(text),
              step(`/bin/sh -c #(nop) ${text}`),
              step(`|1 ${text} /bin/sh -c a`),
            ]),
            config: { Labels: Object.fromEntries(PUMPED.map(text => [text, text])), Cmd: [PUMPED[4]] },
          },
          [named('app:1')],
        ),
      async (run, file) => {
        // The time is not valid, so engines refuse the config.
        assert.is((await run('verify', file, ...inEveryFormat())).status, 1);
        await every(file, run, 'show; ids; history --no-trunc; inspect; sizes');
        await run('images', file, '--filter', 'label=a=b', '--filter', 'until=24h');
      },
    ),
    soon(
      'The same as platforms, media types and digests of index.json',
      'The same.',
      async () =>
        layout(
          item.config,
          PUMPED.map(text => ({
            platform: { os: text, architecture: text, variant: text },
            annotations: { 'org.opencontainers.image.created': text },
            mediaType: text,
            digest: `sha256:${text}`,
          })),
        ),
      async (run, file) => {
        assert.is((await run('verify', file, ...inEveryFormat())).status, 1);
        await every(file, run, 'show; ids; images; show --platform linux/amd64');
      },
    ),
    soon(
      'Files with names of 4096 bytes, under patterns of many stars and braces',
      'Only the last star is retried. Braces that expand to more than a thousand patterns are an error.',
      async () => {
        const names = Array.from({ length: 30 }, (_, i) => `${i}${'a'.repeat(4000)}/${'a/'.repeat(40)}`);
        const files = Object.fromEntries(names.map(name => [`${name}f`, 'x']));
        const { config, layers } = await image({ layers: [{ files, compression: 'gzip' }] });
        return layout(config, [named('app:1')], layers);
      },
      async (run, file) => {
        const stars = [
          '*a'.repeat(200),
          '**/a/'.repeat(200),
          '?'.repeat(3000),
          '[a-z]*'.repeat(200),
          '*'.repeat(4000),
        ];
        await each(stars, text => run('files', file, '--where', `${text}b`), 2);
        await run('sizes', file, '--top', '5', '--where', `${stars[0]}b`);
        await run('files', file, '--where', '{a,'.repeat(1000));
        for (const args of [
          ['files', file, '--where'],
          ['sizes', file, '--top', '5', '--where'],
          ['extract', file, report('root'), '--files'],
        ]) {
          const { status, stderr } = await run(...args, '{a,b}'.repeat(30));
          assert.is(status, 2);
          assert.match(stderr, /its braces stand for more than 1000 patterns/);
        }
      },
    ),
    soon(
      'Names of 300 kB under patterns of `images --filter reference=`',
      'Only the last star is retried.',
      async () => layout(item.config, PUMPED.map(named)),
      async (run, file) => {
        for (const pattern of [
          `${'*a'.repeat(100)}b`,
          `${'*[!x]'.repeat(100)}b`,
          `${'*?'.repeat(100)}b`,
          '*/'.repeat(500),
        ])
          await run('images', file, '--filter', `reference=${pattern}`);
      },
    ),
    soon(
      'A history of forty thousand steps, and as many labels',
      'Listed. Two of them are compared up to a limit, and regarded as different beyond it.',
      async () => {
        const Labels = Object.fromEntries(lines('key').map(key => [key, key]));
        return layout({ ...item.config, config: { Labels }, history: lines('RUN a').map(step) }, [
          named('app:1'),
        ]);
      },
      async (run, file) => {
        await every(file, run, 'verify; show; inspect');
        assert.match((await run('history', file, '--no-trunc')).stdout, /RUN a 39999/);
      },
    ),
    proved(
      'Two images whose histories, labels and variables differ in forty thousand lines each',
      'Compared up to a limit, and regarded as different beyond it. The first rows and the number of the others are shown.',
      async () => {
        const [a, b] = ['a', 'b'].map(word => {
          const Labels = Object.fromEntries(lines(word).map(key => [key, word]));
          const config = { Labels, Env: lines(`${word}=`) };
          return layout({ ...item.config, config, history: lines(word).map(step) }, [named('app:1')]);
        });
        const one = saved(await toTar(a!), 'work.tar');
        const { status, stdout } = await waybill(['diff', one, await other(b!)]);
        assert.is(status, 1);
        assert.match(stdout, /and \d{5,6} more/);
        assert.ok(stdout.length < 100_000);
      },
      { exit: 1 },
    ),
    soon(
      'An image with forty thousand tags',
      'All are listed.',
      async () =>
        layouts.replaceBytes(save, 'manifest.json', bytes => {
          const [document] = JSON.parse(Buffer.from(bytes).toString());
          return JSON.stringify([
            { ...document, RepoTags: Array.from({ length: 40_000 }, (_, i) => `app:${i}`) },
          ]);
        }),
      async (run, file) => {
        const [verified, listed] = await every(file, run, `verify; images; diff ${file}`);
        assert.is(verified!.status, 0);
        assert.match(listed!.stdout, /\b39999\b/);
      },
    ),
    proved(
      'Text files of 60,000 lines without a common line, and text files without a line feed',
      'Compared up to a limit on differing lines.',
      async () => {
        const [a, b] = await Promise.all(
          ['a', 'b'].map(async word => {
            const files = { lines: `${word}\n`.repeat(60_000), line: word.repeat(120_000) };
            const { config, layers } = await image({ layers: [{ files, compression: 'gzip' }] });
            return layout(config, [named('app:1')], layers);
          }),
        );
        const one = saved(await toTar(a!), 'work.tar');
        assert.is((await waybill(['diff', '--text', one, await other(b!)])).status, 1);
      },
      { exit: 1 },
    ),
    soon(
      'An image that lists one layer thirty thousand times',
      'The layer is read once. Lists have thirty thousand rows.',
      () => repeating(TIMES, 2),
      async (run, file) => {
        const commands = `verify; show; waste; inspect; diff ${file}; report ${inEveryFormat().join(' ')}`;
        const [verified, shown, ...others] = await every(file, run, commands);
        assert.equal(
          [verified, ...others].map(ended => ended!.status),
          [0, 0, 0, 0, 0],
        );
        assert.ok(shown!.stdout.split('\n').length > TIMES);
      },
    ),
    proved(
      'Two such images with different layers',
      'Compared in time linear in their number of layers.',
      async () => {
        const one = saved(await toTar(await repeating(TIMES, 2)), 'work.tar');
        const { status, stdout } = await waybill(['diff', one, await other(await repeating(TIMES, 2, 'b'))]);
        assert.is(status, 1);
        assert.match(stdout, /and 29980 more/);
      },
      { exit: 1 },
    ),
    soon(
      'The same in the manifest.json of docker save, with a config that lists two layers',
      'Each row takes constant time. The contradiction is a finding.',
      async () =>
        layouts.replaceBytes(save, 'manifest.json', bytes => {
          const [document] = JSON.parse(Buffer.from(bytes).toString());
          return JSON.stringify([{ ...document, Layers: Array<string>(TIMES).fill(document.Layers[0]) }]);
        }),
      async (run, file) => {
        assert.is((await run('verify', file)).status, 1);
        await every(file, run, 'show; sizes');
        assert.is((await run('diff', file, file)).status, 0);
      },
    ),
    soon(
      'An image that lists a layer of a thousand files twenty thousand times',
      'Applied up to the limit `imageEntries`. The first layer that is not applied is named.',
      () => repeating(20_000, 1000),
      async (run, file) => {
        const few = '--limit imageEntries=100000';
        const commands = ['files', 'sizes --top 5', 'waste', 'report'].map(command => `${command} ${few}`);
        const ended = await every(file, run, [...commands, `diff ${few} ${file}`].join('; '));
        ended.push(await run('cat', file, 'd/1', ...few.split(' ')));
        assert.equal(
          ended.map(({ status }) => status),
          [1, 1, 1, 0, 0, 1],
        );
        for (const { stdout, stderr } of ended)
          assert.match(
            stdout + stderr,
            /layer 100\b[^\n]*the limit imageEntries is 100000|from layer 100 of a on there are more files than are compared/,
          );
      },
      { exit: 1 },
    ),
    soon(
      'Fifteen images with names of 900 kB of control characters',
      'Names in text reports and errors are cut after 8192 characters; in JSON they are complete.',
      async () => {
        const names = Array.from({ length: 15 }, (_, i) => `${i}${'\u0001'.repeat(150_000)}`);
        return layout(item.config, names.map(named));
      },
      async (run, file) => {
        const [, , ...brief] = await every(file, run, 'show --json; images; verify; ids; images --tree');
        for (const { stdout } of brief) assert.ok(stdout.length < 2 * MiB, String(stdout.length));
        const { status, stderr } = await run('show', file, 'nothing');
        assert.is(status, 2);
        assert.ok(stderr.length < 2 * MiB, String(stderr.length));
      },
    ),
    held('A gzip layer of 4 GiB of zeros', () => withLayer(zeros.gzip(4096 * MiB), 'gzip')),
    held('A zstd layer of 4 GiB, with a window of 128 MiB', () => withLayer(wideZstd(4096 * MiB), 'zstd')),
    held('An xz layer of 4 GiB', () => withLayer(zeros.xz(4096 * MiB), 'xz')),
    held('A bzip2 layer of 4 GiB', () => withLayer(zeros.bzip2(4096 * MiB), 'bzip2')),
    held('A zstd bomb of 4 GiB around the archive', () => outerBomb(4096 * MiB, zstdStored, 'zstd')),
    held('JSON of ten million brackets', async () =>
      layouts.replaceBytes(
        layout(item.config, [named('app:1')]),
        'oci-layout',
        () => `{"x":${'['.repeat(10_000_000)}${']'.repeat(10_000_000)}}`,
      ),
    ),
    held('JSON of seven million empty lists', async () =>
      layouts.replaceBytes(
        layout(item.config, [named('app:1')]),
        'oci-layout',
        () => `{"imageLayoutVersion":"1.0.0","x":[${'[],'.repeat(6_900_000)}[]]}`,
      ),
    ),
    held('A million empty files in one layer', () => withLayer(tinyEntries(1_000_000), 'gzip'), {
      command: 'files',
      exit: 0,
    }),
  ],
};
