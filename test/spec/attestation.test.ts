// Parsers of signed documents: DSSE, in-toto, simple signing, Notary Project.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  COSIGN_PAYLOAD,
  fromBase64,
  GPG_PAYLOAD,
  parseEnvelope,
  parseNotaryPayload,
  parseSimpleSigning,
  parseStatement,
  parseStatementBytes,
} from '../../src/spec/attestation.js';
import type { Json } from '../../src/spec/json.js';

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const base64 = (value: unknown) => bytes(value).toString('base64');
const digest = `sha256:${'ab'.repeat(32)}`;
const hex = digest.slice('sha256:'.length);

test('an envelope has its payload, its type and every signature', () => {
  const envelope = parseEnvelope({
    payloadType: 'application/vnd.in-toto+json',
    payload: base64({ a: 1 }),
    signatures: [
      { sig: 'AQID', keyid: '' },
      { sig: 'BA==', keyid: 'k' },
    ],
  })!;
  assert.is(Buffer.from(envelope.payload).toString(), '{"a":1}');
  assert.equal(
    envelope.signatures.map(({ keyid, sig }) => [keyid, ...sig]),
    [
      [null, 1, 2, 3],
      ['k', 4],
    ],
  );
});

test('what is no envelope is null, whatever is wrong with it', () => {
  const good = { payloadType: 't', payload: 'AQID', signatures: [{ sig: 'AQID' }] };
  assert.is.not(parseEnvelope(good), null);
  const bad: (Json | undefined)[] = [
    undefined,
    null,
    [],
    { ...good, payloadType: 1 },
    { ...good, payload: 'no base64!' },
    { ...good, signatures: [] },
    { ...good, signatures: {} },
    { ...good, signatures: [{ sig: 'AQID' }, { sig: 7 }] },
    { ...good, signatures: [{ sig: '' }] },
    { ...good, signatures: Array(101).fill({ sig: 'AQID' }) },
  ];
  for (const value of bad) assert.is(parseEnvelope(value), null, JSON.stringify(value));
});

test('a statement has its subjects with those digests that are digests', () => {
  const statement = parseStatement({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'x', digest: { sha256: hex, gitCommit: 'abc', sha512: 'short' } }, { digest: {} }, 7],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: { a: 1 },
  })!;
  assert.equal(statement.subjects, [
    { name: 'x', digests: [digest] },
    { name: null, digests: [] },
    { name: null, digests: [] },
  ]);
  assert.is(statement.predicateType, 'https://slsa.dev/provenance/v1');
  assert.equal(statement.predicate, { a: 1 });
});

test('a statement of another version, and JSON that nests without end, are null', () => {
  assert.is(parseStatement({ _type: 'https://in-toto.io/Statement/v9', subject: [] }), null);
  assert.is(parseStatementBytes(Buffer.from('['.repeat(5_000_000))), null);
  assert.is(parseStatementBytes(Buffer.from([0xff, 0xfe])), null);
  const deep = `{"_type":"https://in-toto.io/Statement/v1","predicate":${'['.repeat(2000)}${']'.repeat(2000)}}`;
  assert.is(parseStatementBytes(Buffer.from(deep)), null);
});

test('a statement with a hundred thousand subjects is read', () => {
  const subject = Array.from({ length: 100_000 }, (_, i) => ({
    name: String(i),
    digest: { sha256: i.toString(16).padStart(64, '0') },
  }));
  const statement = parseStatement({ _type: 'https://in-toto.io/Statement/v0.1', subject })!;
  assert.is(statement.subjects.length, 100_000);
  assert.equal(statement.subjects.at(-1)!.digests, [`sha256:${(99_999).toString(16).padStart(64, '0')}`]);
});

test('base64 is read in both alphabets, padded or not, and in lines', () => {
  const read = (text: string) => {
    const value = fromBase64(text);
    return value === null ? null : [...value];
  };
  assert.equal(read('+/8='), [0xfb, 0xff]);
  assert.equal(read('-_8'), [0xfb, 0xff]);
  assert.equal(read('AQ\nID\r\n'), [1, 2, 3]);
  assert.equal(read(''), []);
  for (const text of ['A', 'AQ=ID', 'AQID=', '====', 'A Q I D', '+_8=']) assert.is(read(text), null, text);
});

test('simple signing and the Notary Project name one digest', () => {
  const critical = {
    identity: { 'docker-reference': 'docker.io/x:1' },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
  };
  const read = (value: object) => parseSimpleSigning(bytes(value), COSIGN_PAYLOAD);
  assert.equal(read({ critical, optional: null }), { digest, dockerReference: 'docker.io/x:1' });
  assert.is(read({ critical: { ...critical, image: { 'docker-manifest-digest': 'sha256:x' } } }), null);
  for (const type of [GPG_PAYLOAD, '', undefined]) assert.is(read({ critical: { ...critical, type } }), null);
  const gpg = { ...critical, type: GPG_PAYLOAD };
  assert.is(parseSimpleSigning(bytes({ critical: gpg }), GPG_PAYLOAD)?.digest, digest);
  assert.is(parseSimpleSigning(Buffer.from('this is not a signature'), COSIGN_PAYLOAD), null);
  assert.is(parseNotaryPayload(bytes({ targetArtifact: { digest, size: 1 } })), digest);
  assert.is(parseNotaryPayload(bytes({ targetArtifact: { digest: 'x' } })), null);
});

test.run();
