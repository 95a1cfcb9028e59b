// Signatures of the Notary Project: those of notation-go's test data, and ones that are made here.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { verifySignature } from '../../src/signatures/verify/verify.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import {
  hasSignatures,
  notationSignature,
  outcome,
  signatureFile,
  storeOf,
  trusting,
} from '../support/signatures.js';

const testShared = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

const jws = () => readFileSync(signatureFile('notation/jws_signature.sig'));
const cose = () => readFileSync(signatureFile('notation/cose_signature.sig'));

testShared("notation-go's signatures verify with their own certificate as the root", () => {
  const { header } = JSON.parse(jws().toString());
  const root = Buffer.from(header.x5c[0], 'base64');
  const trust = trusting({ notation: storeOf({ 'x509/ca/alpine/root.crt': root }) });
  for (const [bytes, format] of [
    [jws(), 'notation-jws'],
    [cose(), 'notation-cose'],
  ] as const)
    assert.equal(verifySignature(notationSignature(bytes, format), trust), {
      outcome: 'verified',
      by: {
        kind: 'notation',
        subject: 'CN=alpine, O=Notary, L=Seattle, ST=WA, C=US',
        store: 'ca/alpine',
        signedAt: null,
      },
    });
  const tsa = trusting({ notation: storeOf({ 'x509/tsa/alpine/root.crt': root }) });
  assert.is(
    outcome(verifySignature(notationSignature(jws(), 'notation-jws'), tsa)),
    'refused certificate-untrusted',
  );
});

test.run();
