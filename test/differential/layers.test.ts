// Random layers, unpacked by umoci and judged by waybill. Layers that umoci refuses must be reported, reported refusals
// by umoci must be real, and otherwise both must have the same files. For more runs: WAYBILL_LAYERS=5000 and
// WAYBILL_SEED=1.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive } from '../../src/commands.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { type Unloadable, unloadables } from '../../src/filesystem/unloadable.js';
import { hasCommand } from '../support/compression.js';
import { testWhen } from '../support/corpus.js';
import { walked } from '../support/file-system.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { manifestOf } from '../support/oci.js';
import { toDirectory } from '../support/pack.js';
import { temporary } from '../support/tmp.js';
import { randomLayers } from './random-layers.js';

const COUNT = Number(process.env.WAYBILL_LAYERS ?? 60);
const SEED = Number(process.env.WAYBILL_SEED ?? 20_260);

const isRoot = process.getuid?.() === 0;
const run = testWhen(
  test,
  hasCommand('umoci') && isRoot,
  'umoci is not installed, or this is not root, who alone may make devices',
);

const NAMED = { annotations: { 'org.opencontainers.image.ref.name': 'latest' } };

async function layoutOf(tars: readonly Uint8Array[]): Promise<string> {
  const made = await image({ layers: tars.map(tar => ({ tar })) });
  const manifests = [layouts.described(manifestOf(made, NAMED), NAMED)];
  return toDirectory(layouts.ociLayout({ manifests }), temporary('layers'));
}

/**
 * The result of umoci for a layout: its words, or the files. The directory is some levels deep, so that a whiteout of
 * `..` cannot remove anything of ours.
 */
function unpacked(directory: string): string | Map<string, string> {
  const root = join(temporary('layers-root'), 'a/b/c/root');
  spawnSync('mkdir', ['-p', join(root, '..')]);
  const args = ['raw', 'unpack', '--image', `${directory}:latest`, root];
  const { status, stdout, stderr } = spawnSync('umoci', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status !== 0) return `${stdout}${stderr}`.trim();
  return new Map([...walked(root)].map(([path, { type }]) => [path, type]));
}

interface Judged {
  readonly told: readonly Unloadable[];
  readonly files: Map<string, string>;
  readonly duplicate: boolean;
}

async function judged(directory: string): Promise<Judged> {
  const { parts } = await readArchive(directory, { depth: 'files' });
  const { scan, graph } = parts[0]!;
  const [of] = graph.images;
  const { nodes } = squash(tablesOf(scan, of!));
  return {
    told: [...unloadables(scan, of!)],
    files: new Map(nodes.map(({ path, inode }) => [path, inode.type])),
    duplicate: of!.layers.some(({ member }) => scan.facts(member!)?.tar?.duplicate != null),
  };
}

/** Only umoci before 0.6 refuses a file that is used as a directory, and a whiteout without a name. */
const saysRefused = (told: readonly Unloadable[]) => told.some(({ engines }) => engines.includes('umoci'));

for (let i = 0; i < COUNT; i++) {
  const seed = SEED + i;
  run(`layers of seed ${seed}`, async () => {
    const directory = await layoutOf(randomLayers(seed));
    const { told, files, duplicate } = await judged(directory);
    const umoci = unpacked(directory);
    const words = `${typeof umoci === 'string' ? umoci : 'umoci unpacks them'}; told: ${JSON.stringify(told)}`;
    if (typeof umoci === 'string') assert.ok(told.length > 0, `nothing is told, but ${words}`);
    else {
      assert.not(saysRefused(told), words);
      if (told.length === 0 && !duplicate)
        assert.equal([...files].sort(), [...umoci].sort(), 'nothing is told, and the files differ');
    }
  });
}
if (COUNT === 0) test('no layers', () => {});

test.run();
