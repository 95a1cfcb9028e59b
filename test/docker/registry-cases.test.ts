// The recorded cases of `docker manifest inspect` and imagetools.
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { imagetoolsInspect } from '../../src/commands/imagetools.js';
import { manifestInspect } from '../../src/commands/manifest/inspect.js';
import { type ArchiveReading, readArchive } from '../../src/commands.js';
import { docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { textOf } from '../support/digest.js';

interface Case {
  readonly id: string;
  readonly args: readonly string[];
  readonly archive: string;
  readonly exit: number;
  readonly stdout?: string;
}

const file = docker28('cases.json');
const all: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
const cases = all.filter(({ args }) => args[0] === 'manifest' || args[0] === 'imagetools');

const readings = new Map<string, Promise<ArchiveReading>>();

function readOnce(archive: string): Promise<ArchiveReading> {
  const reading = readings.get(archive) ?? readArchive(docker28(archive), { depth: 'metadata' });
  readings.set(archive, reading);
  return reading;
}

async function answerTo({ args }: Case, archive: string): Promise<{ text: string; exitCode: number }> {
  const at = args.indexOf('--format');
  const options = {
    raw: args.includes('--raw'),
    verbose: args.includes('-v'),
    format: at < 0 ? '' : args[at + 1],
    docker: 28,
  };
  const inspect = args[0] === 'manifest' ? manifestInspect : imagetoolsInspect;
  const { stdout, exitCode } = inspect(await readOnce(archive), {}, options);
  return { text: typeof stdout === 'string' ? stdout : textOf(stdout), exitCode };
}

const bare = (text: string) =>
  text
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trimEnd();

for (const one of cases) {
  test(`${one.id} waybill ${one.args.join(' ')}`, async () => {
    const { text, exitCode } = await answerTo(one, one.archive);
    assert.is(exitCode, one.exit);
    if (one.stdout === undefined) return;
    const expected = readFileSync(docker28(one.stdout), 'utf8');
    assert.is(bare(text), bare(expected));
  });
}

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('there are cases', () => {
  assert.is(cases.length, 88);
});

test.run();
