// The recorded cases of `docker manifest inspect` and imagetools, and why some of them no file can answer.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { selectDocument } from '../../src/commands/document.js';
import { imagetoolsInspect } from '../../src/commands/imagetools.js';
import { manifestInspect } from '../../src/commands/manifest-inspect.js';
import { type ArchiveReading, readArchive } from '../../src/index.js';
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
  };
  const inspect = args[0] === 'manifest' ? manifestInspect : imagetoolsInspect;
  const { stdout, exitCode } = inspect(await readOnce(archive), {}, options);
  return { text: typeof stdout === 'string' ? stdout : textOf(stdout), exitCode };
}

/**
 * skopeo turned Docker's manifest into an OCI one on its way into these layouts: some of the recorded answers are about
 * bytes that are gone. Another archive has kept them, and gives those answers, under its own name for the image.
 */
const ORIGINALS: Readonly<Record<string, readonly [archive: string, tag: string]>> = {
  'layout-team-app-docker28': ['skopeo-dir', 'docker28'],
  'layout-team-app-docker28c': ['docker28c-save.tar', 'docker28c'],
};

async function originalAnswer(one: Case): Promise<string> {
  const [archive, tag] = ORIGINALS[one.archive]!;
  const { name } = selectDocument(await readOnce(archive), {});
  const { text } = await answerTo(one, archive);
  return text.replaceAll(name.ref, `localhost:5055/team/app:${tag}`);
}

/** Every digest that an archive's documents and blobs know. */
function known(archive: string): string {
  const blobs = docker28(archive, 'blobs/sha256');
  const names = readdirSync(blobs);
  const small = names.map(name => readFileSync(join(blobs, name))).filter(bytes => bytes.length < 100_000);
  return [...names, ...small.map(bytes => bytes.toString('latin1'))].join('\n');
}

const bare = (text: string) =>
  text
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trimEnd();

let converted = 0;

for (const one of cases) {
  test(`${one.id} waybill ${one.args.join(' ')}`, async () => {
    const { text, exitCode } = await answerTo(one, one.archive);
    assert.is(exitCode, one.exit);
    if (one.stdout === undefined) return;
    const expected = readFileSync(docker28(one.stdout), 'utf8');
    const here = known(one.archive);
    const foreign = (expected.match(/\b[0-9a-f]{64}\b/g) ?? []).filter(digest => !here.includes(digest));
    if (foreign.length === 0) {
      assert.is(bare(text), bare(expected));
      return;
    }
    converted++;
    assert.is(bare(await originalAnswer(one)), bare(expected));
  });
}

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('no more than the answers about converted manifests are out of reach', () => {
  assert.is(cases.length, 88);
  assert.is(converted, 18);
});

test.run();
