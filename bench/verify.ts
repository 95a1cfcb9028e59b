// `npm run bench [-- SIZE_IN_MB]`: waybill against skopeo on the same archives, alternating in one run. Prints medians,
// minima and maxima, peak memory, and the ratio. Absolute times say little on shared machines; ratios of one run do.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { makeArchives, megabytes } from './archives.js';

const ROUNDS = 5;
const bin = fileURLToPath(new URL('../../bin/waybill.js', import.meta.url));
const folder = join(tmpdir(), 'waybill-bench');
const copy = join(folder, 'copy');

interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  readonly stdin?: string;
}

interface Measure {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Peak memory as the kernel counts it, looked at until the process is gone. */
function peak(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}

async function measure({ command, stdin }: Contestant): Promise<Measure> {
  rmSync(copy, { recursive: true, force: true });
  const started = process.hrtime.bigint();
  const pipe = stdin === undefined ? null : spawn('cat', [stdin], { stdio: ['ignore', 'pipe', 'ignore'] });
  const child = spawn(command[0]!, command.slice(1), {
    stdio: [pipe?.stdout ?? 'ignore', 'ignore', 'inherit'],
  });
  pipe?.stdout?.destroy();
  let memory = 0;
  const watch = setInterval(() => {
    memory = Math.max(memory, peak(child.pid!));
  }, 10);
  const status = await new Promise<number | null>(resolve => child.on('close', resolve));
  clearInterval(watch);
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
  return { seconds: Number(process.hrtime.bigint() - started) / 1e9, megabytes: memory };
}

const middle = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** The first is the one the others are measured against. */
async function race(title: string, contestants: readonly Contestant[]): Promise<void> {
  const results = contestants.map((): Measure[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, contestant] of contestants.entries()) results[i]!.push(await measure(contestant));
  }
  const table = new Table({
    head: [title, 'median s', 'min', 'max', 'peak MB', 'ratio'],
    style: { head: [] },
  });
  const reference = middle(results[0]!.map(r => r.seconds));
  for (const [i, { name }] of contestants.entries()) {
    const seconds = results[i]!.map(r => r.seconds);
    const median = middle(seconds);
    table.push([
      name,
      median.toFixed(2),
      Math.min(...seconds).toFixed(2),
      Math.max(...seconds).toFixed(2),
      Math.max(...results[i]!.map(r => r.megabytes)).toFixed(0),
      (median / reference).toFixed(2),
    ]);
  }
  console.log(table.toString());
}

const size = Number(process.argv[2] ?? 2000) * 1e6;
const { docker, oci } = await makeArchives(folder, size, 8);
const waybill = (name: string, ...args: string[]): Contestant => ({
  name,
  command: [process.execPath, bin, ...args],
});
const hasSkopeo = spawnSync('skopeo', ['--version']).status === 0;
const skopeo = (source: string, ...options: string[]): Contestant[] =>
  hasSkopeo
    ? [
        {
          name: `skopeo copy ${options.join(' ')}`,
          command: ['skopeo', 'copy', '-q', ...options, source, `dir:${copy}`],
        },
      ]
    : [];

for (const [title, file, peer] of [
  [`docker save, ${megabytes(docker)} MB`, docker, skopeo(`docker-archive:${docker}`)],
  [`OCI gzip, ${megabytes(oci)} MB`, oci, skopeo(`oci-archive:${oci}`, '--dest-decompress')],
] as const) {
  await race(title, [
    waybill('waybill verify', 'verify', file),
    { ...waybill('waybill verify -', 'verify', '-'), stdin: file },
    waybill('waybill (show)', file),
    ...peer,
  ]);
}
rmSync(copy, { recursive: true, force: true });
