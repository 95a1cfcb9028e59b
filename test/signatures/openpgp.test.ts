// GPG's signatures: packets in every form of length, and a real signature of skopeo.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive, type SignaturesListing, signatures } from '../../src/commands.js';
import { parseOpenPgp } from '../../src/signatures/openpgp.js';
import { testWhen } from '../support/corpus.js';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { hasCommand, toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { simplePayload } from '../support/signed.js';
import { temporary } from '../support/tmp.js';

const KEY = '0123456789abcdef';
const onePass = Buffer.from(`03000801${KEY}01`, 'hex');
const literal = (content: Uint8Array) => Buffer.concat([Buffer.from('b\x01x\0\0\0\0', 'latin1'), content]);

/** A packet with a length of the old format, of `size` bytes; 0 for all that follows. */
function old(tag: number, body: Uint8Array, size: 0 | 1 | 2 | 4): Buffer {
  const length = Buffer.alloc(size);
  if (size > 0) length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([Buffer.of(0x80 | (tag << 2) | [1, 2, 4, 0].indexOf(size)), length, body]);
}

/** A packet with a length of the new format. */
function recent(tag: number, body: Uint8Array, form: 'short' | 'long' | 'parts'): Buffer {
  const head = Buffer.of(0xc0 | tag);
  const length = Buffer.alloc(5, 0xff);
  length.writeUInt32BE(body.length, 1);
  if (form === 'long') return Buffer.concat([head, length, body]);
  if (form === 'parts')
    return Buffer.concat([
      head,
      Buffer.of(0xe0 | 3),
      body.subarray(0, 8),
      shortLength(body.length - 8),
      body.subarray(8),
    ]);
  return Buffer.concat([head, shortLength(body.length), body]);
}

const shortLength = (length: number): Buffer =>
  length < 192 ? Buffer.of(length) : Buffer.of(((length - 192) >> 8) + 192, (length - 192) & 0xff);

const payload = simplePayload(`sha256:${'ab'.repeat(32)}`);

test('the key ID and the content are read in every form of length', () => {
  const messages = [
    Buffer.concat([old(4, onePass, 1), old(11, literal(payload), 2)]),
    Buffer.concat([old(4, onePass, 4), old(11, literal(payload), 0)]),
    Buffer.concat([recent(4, onePass, 'short'), recent(11, literal(payload), 'short')]),
    Buffer.concat([recent(4, onePass, 'long'), recent(11, literal(payload), 'parts')]),
  ];
  for (const message of messages) {
    for (const whole of [
      message,
      old(8, Buffer.concat([Buffer.of(0), message]), 0),
      old(8, Buffer.concat([Buffer.of(1), deflateRawSync(message)]), 0),
      recent(8, Buffer.concat([Buffer.of(2), deflateSync(message)]), 'long'),
    ]) {
      const { keyId, content } = parseOpenPgp(whole)!;
      assert.equal([keyId, Buffer.from(content!)], [KEY.toUpperCase(), payload]);
    }
  }
});

test('the key ID of a signature alone is in its subpackets', () => {
  const issuer = Buffer.concat([Buffer.of(9, 16), Buffer.from(KEY, 'hex')]);
  const hashed = Buffer.from('0502640fc9ea', 'hex');
  const body = Buffer.concat([
    Buffer.from('04000108', 'hex'),
    Buffer.of(0, hashed.length),
    hashed,
    Buffer.of(0, issuer.length),
    issuer,
    Buffer.of(1, 2, 3),
  ]);
  assert.equal(parseOpenPgp(recent(2, body, 'short')), { keyId: KEY.toUpperCase(), content: null });
});

test('other bytes, cut messages and bombs are no message, or one without content', () => {
  const bomb = deflateSync(Buffer.alloc(50_000_000));
  for (const bytes of [
    Buffer.of(),
    Buffer.from('{}'),
    Buffer.alloc(100, 0xff),
    old(8, Buffer.concat([Buffer.of(2), bomb]), 0),
    old(8, Buffer.of(3, 1, 2), 0),
    old(11, literal(payload), 2),
  ])
    assert.is(parseOpenPgp(bytes), null);
  const message = Buffer.concat([old(4, onePass, 1), old(11, literal(payload), 2)]);
  for (let length = 0; length < message.length; length++) parseOpenPgp(message.subarray(0, length));
  assert.is(parseOpenPgp(message.subarray(0, 40))!.content, null);
});

test('a file of GPG that signs another payload is listed with the reason', async () => {
  const other = Buffer.concat([old(4, onePass, 1), old(11, literal(Buffer.from('hello')), 2)]);
  const members = [...layouts.skopeoDir(await plainImage('app')), layouts.file('signature-1', other)];
  const reading = await readArchive(saved(await toTar(members)), { depth: 'metadata' });
  const { found } = (signatures(reading, { verifier: null }).data as SignaturesListing).signatures;
  assert.equal(
    found.map(({ format, problem }) => [format, problem]),
    [['gpg-simple', { code: 'malformed', part: 'payload' }]],
  );
});

const hasTools = hasCommand('skopeo') && hasCommand('gpg');

testWhen(
  test,
  hasTools,
  'skopeo and gpg are not here',
)('a signature of GPG that skopeo makes is listed', async () => {
  const folder = temporary('gpg');
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  const env = { ...process.env, GNUPGHOME: home };
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  run(
    'gpg',
    '--batch',
    '--passphrase',
    '',
    '--quick-gen-key',
    'a <a@example.test>',
    'rsa2048',
    'sign',
    'never',
  );
  const [, keyId] = /^pub:[^:]*:[^:]*:[^:]*:([0-9A-F]{16}):/m.exec(
    run('gpg', '--list-keys', '--with-colons'),
  )!;
  const source = join(folder, 'image.tar');
  writeFileSync(source, await toTar(layouts.skopeoOci({ image: await plainImage('app'), tags: ['app:1'] })));
  const target = join(folder, 'signed');
  const identity = ['--sign-by', 'a@example.test', '--sign-identity', 'example.test/app:1'];
  run('skopeo', 'copy', '--insecure-policy', ...identity, `oci-archive:${source}`, `dir:${target}`);
  run('gpgconf', '--kill', 'all');
  const reading = await readArchive(target, { depth: 'metadata' });
  const { found, images } = (signatures(reading, { verifier: null }).data as SignaturesListing).signatures;
  assert.equal(
    found.map(({ format, signs, claimed, dockerReference }) => [
      format,
      signs,
      claimed.keyHint,
      dockerReference,
    ]),
    [['gpg-simple', [images[0]!.digest], keyId, 'example.test/app:1']],
  );
});

test.run();
