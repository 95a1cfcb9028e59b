// Nearly valid documents, decoded here and by Go if it is installed: both refuse the same documents, with the same
// words, and read the same from the others.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopText } from '../../src/commands/ids/engines.js';
import { decode, type Mode } from '../../src/decoding/go-json.js';
import { attempt } from '../../src/decoding/refused.js';
import {
  AMBIGUOUS,
  CRANE_ITEMS,
  MOBY_IMAGE,
  MOBY_ITEMS,
  OCI_IMAGE,
  OCI_INDEX_TYPE,
  OCI1,
} from '../../src/decoding/structs.js';
import type { GoVersion } from '../../src/go/json/faults.js';

import type { GoType } from '../../src/go/json/types.js';
import { readDocument } from '../../src/scan/blob/document.js';
import { foldKey, isObject, type Json } from '../../src/spec/json.js';
import { jsonOddities } from '../../src/spec/json-text.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';

const minor = Number(/go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1]);
const goTest = testWhen(test, !Number.isNaN(minor), 'Go is not installed');
const version: GoVersion = minor >= 27 ? 'go1.27' : minor >= 24 ? 'go1.24' : 'go1.19';

interface Question {
  readonly type: string;
  readonly mode: Mode;
  readonly text: Buffer;
  /** True if two keys of it fold to one. */
  readonly folds: boolean;
}

function askGo(questions: readonly Question[]): { Error: string; Value: Json }[] {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-go-'));
  try {
    copyFileSync(join(repositoryRoot, 'test/decoding/go-oracle.go'), join(folder, 'main.go'));
    writeFileSync(join(folder, 'go.mod'), 'module main\n\ngo 1.18\n');
    const settings = { GOCACHE: join(folder, 'cache'), GOPATH: join(folder, 'path'), GOPROXY: 'off' };
    const env = { ...process.env, ...settings, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
    execFileSync('go', ['build', '-o', 'oracle', '.'], { cwd: folder, env, stdio: 'pipe' });
    const input = JSON.stringify(
      questions.map(({ type, mode, text }) => ({ Type: type, Mode: mode, Text: text.toString('base64') })),
    );
    const output = execFileSync(join(folder, 'oracle'), { input, maxBuffer: 2 ** 28 });
    return JSON.parse(output.toString('utf8')) as { Error: string; Value: Json }[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const digest = `"sha256:${'0123456789abcdef'.repeat(4)}"`;
const platform = '{"architecture":"amd64","os":"linux","os.version":"1","os.features":["a"],"variant":"v1"}';
const descriptor = `{"mediaType":"a/b","digest":${digest},"size":397,"urls":["u"],"annotations":{"a":"b"},"data":"e30=","platform":${platform},"artifactType":"c"}`;
const history =
  '{"created":"2024-01-01T00:00:00Z","created_by":"x","author":"y","comment":"z","empty_layer":true}';
const run =
  '{"User":"u","ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/","Labels":{"l":"m"},"StopSignal":"9","ArgsEscaped":true}';
const mobyRun = `${run.slice(0, -1)},"Hostname":"h","Tty":false,"Healthcheck":{"Test":["t"],"Interval":5,"Retries":1},"OnBuild":null,"StopTimeout":3,"Shell":"sh"}`;

const SAMPLES: readonly (readonly [name: string, type: GoType, sample: string])[] = [
  [
    'index',
    OCI_INDEX_TYPE,
    `{"schemaVersion":2,"mediaType":"m","manifests":[${descriptor},${descriptor}],"subject":${descriptor},"annotations":{"a":"b"}}`,
  ],
  [
    'oci1',
    OCI1,
    `{"schemaVersion":2,"mediaType":"m","artifactType":"t","config":${descriptor},"layers":[${descriptor}],"annotations":{}}`,
  ],
  [
    'image',
    OCI_IMAGE,
    `{"created":"2024-01-01T00:00:00Z","author":"a","architecture":"amd64","os":"linux","config":${run},"rootfs":{"type":"layers","diff_ids":[${digest}]},"history":[${history}]}`,
  ],
  ['ambiguous', AMBIGUOUS, '{"config":{"a":1},"layers":[1,2.5,{"b":"c"}],"manifests":null,"other":1}'],
  [
    'items',
    MOBY_ITEMS,
    `[{"Config":"c","RepoTags":["a:1"],"Layers":["l"],"Parent":"p","LayerSources":{${digest}:${descriptor}}}]`,
  ],
  [
    'moby-image',
    MOBY_IMAGE,
    `{"id":"i","parent":${digest},"created":"2024-01-01T00:00:00Z","container_config":${mobyRun},"config":${mobyRun},"os":"linux","Size":5,"rootfs":{"type":"layers","diff_ids":[${digest}]},"history":[${history}],"os.version":"1"}`,
  ],
  [
    'crane-items',
    CRANE_ITEMS,
    `[{"Config":"c","RepoTags":null,"Layers":["l"],"LayerSources":{${digest}:${descriptor}}}]`,
  ],
];

/** Values to put in the place of the right one, as text. */
const VALUES =
  '397.0 397e0 1E2 -0 0 -5 9223372036854775807 9223372036854775808 -9223372036854775809 1e400 0.5 true null "x" "" [] {} [1] ["a",null] {"a":1} {"a":{}} [[]] [{}] "2024-02-30T00:00:00Z" "sha512:ab" "\\ud800" "e3=0" 123456789012345678 01 1. tru "a\u0001b" nul'.split(
    ' ',
  );

/** A generator with a seed, so that the same documents are made everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STRING = /"(?:[^"\\]|\\.)*"/;
/** Matches a key, a string, a number or a literal. */
const TOKEN = new RegExp(`(${STRING.source}):|${STRING.source}|-?\\d[\\d.eE+-]*|true|false|null`, 'g');

function mutated(sample: string, roll: (below: number) => number): string {
  const tokens = [...sample.matchAll(TOKEN)];
  const token = tokens[roll(tokens.length)]!;
  const [before, after] = [sample.slice(0, token.index), sample.slice(token.index + token[0].length)];
  const value = VALUES[roll(VALUES.length)]!;
  if (token[1] === undefined) return before + value + after;
  switch (roll(5)) {
    case 0:
      return `${before}${token[1].toUpperCase().replace('SHA256:', 'sha256:')}:${after}`;
    case 1:
      return `${before}${token[1].replace(/s/i, '\u017f')}:${after}`;
    case 2:
      return `${before}"unknown":${after}`;
    case 3:
      return `${before}${token[1].toUpperCase()}:${value},${token[0]}${after}`;
    default:
      return `${before}${token[0]}${value},"rest":${after}`;
  }
}

function damaged(text: string, roll: (below: number) => number): string {
  const at = roll(text.length);
  switch (roll(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return `${text.slice(0, at)}${',:]}{["x'[roll(8)]}${text.slice(at)}`;
    case 2:
      return text.slice(0, at) + text.slice(at + 1);
    case 3:
      return `${text} ${VALUES[roll(VALUES.length)]}`;
    case 4:
      return `\ufeff${text}`;
    default:
      return ' '.repeat(roll(3));
  }
}

/** JSON.parse keeps one of two equal keys, which is a finding of its own, so such documents are left out. */
const repeats = ({ text }: Question): boolean => jsonOddities(text.toString(), 1000)?.duplicateCount !== 0;

function questionsOf(seed: number, count: number): Question[] {
  const roll = random(seed);
  const made = Array.from({ length: count }, (_, i): Question => {
    const [type, , sample] = SAMPLES[i % SAMPLES.length]!;
    let text = sample;
    for (let times = roll(3); times >= 0; times--) text = mutated(text, roll);
    if (roll(5) === 0) text = damaged(text, roll);
    return { type, mode: roll(2) === 0 ? 'whole' : 'first', text: Buffer.from(text), folds: folds(text) };
  });
  return made.filter(question => !repeats(question));
}

function folds(text: string): boolean {
  try {
    const values: Json[] = [JSON.parse(text) as Json];
    for (let value = values.pop(); value !== undefined; value = values.pop()) {
      if (Array.isArray(value)) values.push(...value);
      else if (isObject(value)) {
        const keys = Object.keys(value);
        if (new Set(keys.map(foldKey)).size < keys.length) return true;
        values.push(...Object.values(value));
      }
    }
    return false;
  } catch {
    return true;
  }
}

/** Go's releases differ in errors about times; the package of a type is that of the program here. */
const comparable = (words: string): string => {
  if (/^(parsing time|Time\.)/.test(words)) return 'a time';
  const [start, type = ''] = words.split(' of type ');
  return `${start} ${type.replace(/\b(?!time\b)\w+\./g, '')}`;
};

/** Without empty values, and without times and bytes, which Go writes in its own form. */
function full(value: Json): Json {
  if (Array.isArray(value)) return value.map(full);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([key, item]) => [key, full(item)] as const)
    .filter(([key, item]) => !/^(created|data)$/.test(key) && !isEmpty(item));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isEmpty = (value: Json): boolean =>
  value === null ||
  value === '' ||
  value === ':' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

goTest('go: documents that are almost right', () => {
  const first = Number(process.env.WAYBILL_SEED ?? 1);
  const questions = [first, first + 1, first + 2].flatMap(seed => questionsOf(seed, 2000));
  const answers = askGo(questions);
  const seen = { taken: 0, refused: 0 };
  for (const [i, { type, mode, text, folds }] of questions.entries()) {
    const { Error: error, Value: value } = answers[i]!;
    const goType = SAMPLES.find(([name]) => name === type)![1];
    let ours: Json = null;
    const stop = attempt(() => {
      ours = decode(readDocument('x', text), mode, goType, version);
    });
    const refusal = stop === null ? null : stopText(stop);
    const where = `${type}, ${mode}: ${text.toString()}`;
    assert.is(comparable(refusal ?? ''), comparable(error), where);
    seen[refusal === null ? 'taken' : 'refused']++;
    // Engines only check whether a value of interface type is present.
    if (refusal === null && !folds && type !== 'ambiguous') assert.equal(full(ours), full(value), where);
  }
  assert.ok(seen.taken > 500 && seen.refused > 500, JSON.stringify(seen));
});

test.run();
