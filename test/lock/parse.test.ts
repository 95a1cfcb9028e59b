// Locks as files: what is wrong with one, and where it stands.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockSchemaText } from '../../docs/make.js';
import { type LockedImage, lockText } from '../../src/lock/lock.js';
import { type LockFault, parseLock } from '../../src/lock/parse.js';
import { alwaysSync } from '../property/runs.js';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { lockOfMembers } from '../support/locks.js';

const app = await image({
  layers: [{ files: { 'a/b': 'x' } }, { files: { c: 'y' } }],
  config: { config: { Env: ['A=1'], Healthcheck: { Test: ['CMD', 'x'] } } },
});
const members = layouts.buildxOci({ platforms: [app], tags: ['app:1'], attestations: true });
const LOCK = await lockOfMembers(members, true);

function fault(text: string): LockFault {
  const parsed = parseLock(text);
  assert.ok('what' in parsed, text);
  return parsed as LockFault;
}

const said = (text: string): string => {
  const { what, at } = fault(text);
  return `${at === null ? '' : `${at.line}:${at.column}: `}${what}`;
};

// biome-ignore lint/suspicious/noExplicitAny: locks are taken apart here, whatever they are
type Any = any;

/** The lock with a change, as it is written. */
function edited(change: (lock: Any) => void): string {
  const lock = JSON.parse(LOCK);
  change(lock);
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** The line of a text at which a part of it begins, from 1. */
const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split('\n').length;

test('a lock that is written is read again', () => {
  const parsed = parseLock(LOCK);
  if (!('format' in parsed) || parsed.format !== 'lock') throw new Error(JSON.stringify(parsed));
  assert.is(lockText(parsed.images), LOCK);
  const [only] = parsed.images as [LockedImage];
  assert.is(only.files!.length, 2);
  assert.is(only.attached.length, 1);
  assert.equal(Object.keys(only.dockerOnly!), ['Healthcheck']);
});

test('the published schema is the one that locks are read by, and allows what is written', () => {
  const published = readFileSync(join(repositoryRoot, 'docs/lock.schema.json'), 'utf8');
  assert.is(published, lockSchemaText(), 'run `npm run docs`');
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(published));
  assert.ok(validate(JSON.parse(LOCK)), JSON.stringify(validate.errors));
});

test('an empty file, and a lock without images, lock nothing', () => {
  assert.match(said(''), /^expected a lock, found nothing/);
  assert.match(said(' \n'), /found nothing/);
  assert.match(said('# only a comment\n\n'), /found only comments/);
  const none = edited(lock => {
    lock.images = [];
  });
  assert.match(said(none), /^4:13: images: expected at least 1 of them, found an empty array/);
});

test('a newer version is refused, with what to do', () => {
  const version = (value: unknown) =>
    edited(lock => {
      lock.schemaVersion = value;
    });
  const { what, at, remedy } = fault(version(2));
  assert.match(what, /a lock of schema version 2; this waybill reads version 1/);
  assert.equal(at && [at.line, at.column], [3, 20]);
  assert.match(remedy!, /waybill that made the lock, or a newer one/);
  assert.match(said(version('1')), /expected 1, found "1"/);
});

test('a lock that is cut short says so, with the place', () => {
  for (const length of [1, 30, 200, LOCK.length - 3]) {
    const { what, at } = fault(LOCK.slice(0, length));
    assert.match(what, /it is cut short: it ends at line \d+, column \d+/);
    assert.is(at!.line, LOCK.slice(0, length).split('\n').length);
  }
});

test('another file is no lock', () => {
  assert.match(said('{"type":"waybill-baseline"}'), /^1:9: type: not a lock: .* found "waybill-baseline"/);
  assert.match(said('{"schemaVersion":1,"images":[]}'), /^1:1: not a lock: .* found none/);
  assert.match(said('[]'), /not a lock: .*found an array/);
  assert.match(said('hello\n'), /^1:1: expected name@sha256: and 64 hexadecimal digits, found "hello"/);
  assert.match(said('{"type":"waybill-lock",}'), /^1:24: .*found "}"/);
});

test('an edited lock: what is wrong, and the line of it', () => {
  const cases: readonly (readonly [(image: Any) => unknown, RegExp, string])[] = [
    [
      one => Object.assign(one, { config: 'sha256:abc' }),
      /images\[0\]\.config: expected a digest.*found "sha256:abc"/,
      '"sha256:abc"',
    ],
    [
      one => Object.assign(one, { runs: one.runs.toUpperCase() }),
      /images\[0\]\.runs: expected a digest/,
      'SHA256:',
    ],
    [
      one => one.diffIds.splice(1, 1, 7),
      /images\[0\]\.diffIds\[1\]: expected a string, found a number/,
      '        7',
    ],
    [
      one => Object.assign(one, { dockeronly: {} }),
      /expected one of .*found the key "dockeronly"; did you mean `dockerOnly`/,
      '"dockeronly"',
    ],
    [one => delete one.names, /images\[0\]: expected the key "names", found none/, '    {'],
    [one => Object.assign(one.fields, { User: one.runs }), /found the key "User"/, '"User"'],
    [
      one => Object.assign(one.dockerOnly, { Shell: 'sh' }),
      /dockerOnly\.Shell: expected an array, found a string/,
      '"sh"',
    ],
    [one => Object.assign(one.dockerOnly, { Tty: true }), /found the key "Tty"/, 'true'],
    [
      one => Object.assign(one.attached[0], { digest: '' }),
      /attached\[0\]\.digest: expected a digest.*found ""/,
      '"digest": ""',
    ],
    [
      one => Object.assign(one, { platform: 5 }),
      /platform: expected a string or null, found a number/,
      '"platform": 5',
    ],
    [
      one => one.diffIds.reverse(),
      /diffIds: not the layers of fields\.rootfs: one of them was changed/,
      '"diffIds"',
    ],
    [one => one.files.pop(), /files: expected 2 of them, one for each diff_id, found 1/, '"files"'],
    [
      one => Object.assign(one.dockerOnly, { OnBuild: ['\ud800'] }),
      /dockerOnly: expected text in Unicode/,
      '"dockerOnly"',
    ],
  ];
  for (const [change, expected, part] of cases) {
    const text = edited(lock => change(lock.images[0]));
    assert.match(said(text), expected);
    assert.is(fault(text).at!.line, lineOf(text, part), `${expected}: ${said(text)}`);
  }
});

test('a key or an image that stands twice is refused', () => {
  const twice = LOCK.replace('"names":', '"names": [], "names":');
  assert.match(said(twice), /^\d+:\d+: images\[0\]\.names: the key stands twice/);
  const escaped = LOCK.replace('"names":', '"n\\u0061mes": [], "names":');
  assert.match(said(escaped), /the key stands twice/);
  const images = edited(lock => lock.images.push(structuredClone(lock.images[0])));
  assert.match(said(images), /images\[1\]: the same image as images\[0\]/);
});

test('a list of name@sha256 is a lock, and its lines have numbers', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const text = `# comment\r\n\r\ndocker.io/library/alpine:3@${digest}\r\n  localhost:5000/a/b@${digest}\n${digest}\n`;
  assert.equal(parseLock(text), {
    format: 'references',
    references: [
      { name: 'docker.io/library/alpine:3', digest },
      { name: 'localhost:5000/a/b', digest },
      { name: '', digest },
    ],
  });
  assert.match(
    said(`a@${digest}\nb@sha256:abc\n`),
    /^2:1: expected name@sha256: and 64 .* found "b@sha256:abc"/,
  );
  assert.match(said(`a@${digest}\nb:1\n`), /^2:1: /);
  assert.match(said(`a@${digest.toUpperCase()}\n`), /^1:1: /);
  assert.match(said(`a b@${digest}\n`), /^1:1: /);
});

test('the output of sha256sum is a lock, in all its forms', () => {
  const hex = 'b'.repeat(64);
  const text = `${hex}  image.tar\n${hex.toUpperCase()} *dir/other.tar.gz\n\\${hex}  od\\\\d\\n.tar\n`;
  const digest = `sha256:${hex}`;
  assert.equal(parseLock(text), {
    format: 'sums',
    sums: ['image.tar', 'dir/other.tar.gz', 'od\\d\n.tar'].map(file => ({ file, digest })),
  });
  assert.equal(parseLock(`SHA256 (a b.tar) = ${hex}\n`), {
    format: 'sums',
    sums: [{ file: 'a b.tar', digest }],
  });
  assert.match(
    said(`${hex}  a.tar\n${hex}${hex}  b.tar\n`),
    /^2:1: expected a SHA-256 of 64 digits, found 128, as SHA-512 has/,
  );
  assert.match(said(`${'a'.repeat(32)}  b.tar\n`), /found 32, as MD5 has/);
  assert.match(said(`${hex}  a.tar\nnonsense\n`), /^2:1: expected a line of sha256sum/);
});

test('any text is a lock or has a fault, whatever was done to it', () => {
  const damage = fc.record({
    at: fc.nat({ max: LOCK.length - 1 }),
    text: fc.string({ maxLength: 3 }),
    cut: fc.nat({ max: 5 }),
  });
  alwaysSync(damage, 400, ({ at, text, cut }) => {
    const parsed = parseLock(LOCK.slice(0, at) + text + LOCK.slice(at + cut));
    if ('format' in parsed) return;
    assert.ok(parsed.what.length > 0 && !/undefined|\[object/.test(parsed.what), parsed.what);
    if (parsed.at !== null) assert.ok(parsed.at.line >= 1 && parsed.at.column >= 1);
  });
  alwaysSync(fc.string(), 300, text => void parseLock(text));
});

test.run();
