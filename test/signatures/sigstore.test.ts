// Sigstore's conformance suite, and the signatures of containers/image, against what is trusted.
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Signature } from '../../src/signatures/signature.js';
import type { Trust } from '../../src/signatures/verify/trust.js';
import { readPublicKey, verifySignature } from '../../src/signatures/verify/verify.js';
import type { Json } from '../../src/spec/json.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import {
  bundleSignature,
  conformanceCases,
  hasSignatures,
  identity,
  outcome,
  rootOf,
  sharedBundle,
  sharedKey,
  sharedRoot,
  sharedSkopeo,
  signatureFile,
  trusting,
} from '../support/signatures.js';

const testShared = testWhen(test, hasSignatures, NO_SHARED_FOLDER);

const CONFORMANCE = identity(
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  'https://token.actions.githubusercontent.com',
);

/** A case of the suite; `no bundle` where its bundle is no JSON, `no key` where its key is none. */
function conformance(name: string): string {
  const file = (part: string) => signatureFile('sigstore', 'conformance', name, part);
  const artifact = readFileSync(
    existsSync(file('artifact')) ? file('artifact') : signatureFile('sigstore/conformance/a.txt'),
  );
  const root = existsSync(file('trusted_root.json'))
    ? sharedRoot('conformance', name, 'trusted_root.json')
    : sharedRoot('trusted_root-public-good.json');
  const key = existsSync(file('key.pub')) ? readPublicKey(readFileSync(file('key.pub'))) : null;
  if (key?.problem !== undefined) return `no key: ${key.problem}`;
  const trust = trusting(key === null ? { root, identities: [CONFORMANCE] } : { root, keys: [key.value] });
  let bundle: Json;
  try {
    bundle = sharedBundle('conformance', name, 'bundle.sigstore.json');
  } catch {
    return 'no bundle';
  }
  return outcome(verifySignature(bundleSignature(bundle, artifact), trust));
}

/**
 * By cause. No case is left out: the library alone fails the two of Rekor v2 with DSSE, and the log without a begin.
 */
const CONFORMANCE_CAUSES: Readonly<Record<string, string>> = {
  'bundle-from-wrong-instance_fail': 'undecided authority-unknown',
  'bundle-malformed-json_fail': 'no bundle',
  'bundle-unknown-version_fail': 'refused bundle-version-unknown',
  'checkpoint-wrong-roothash_fail': 'refused log-proof-invalid',
  'dsse-mismatch-envelope_fail': 'refused log-entry-mismatch',
  'incorrect-public-key_fail': 'refused log-promise-invalid',
  'intoto-expired-certificate_fail': 'refused certificate-expired',
  'intoto-missing-inclusion-proof_fail': 'refused log-proof-missing',
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'refused certificate-expired',
  'invalid-checkpoint-signature_fail': 'refused log-proof-invalid',
  'invalid-inclusion-proof_fail': 'refused log-proof-missing',
  'managed-key-happy-path': 'verified key',
  'managed-key-wrong-key_fail': 'no key: not-a-key',
  'rekor2-checkpoint-missing-origin_fail': 'refused log-proof-invalid',
  'rekor2-checkpoint-missing-size_fail': 'refused log-proof-invalid',
  'rekor2-checkpoint-no-matching-signature_fail': 'refused log-proof-invalid',
  'rekor2-dsse-mismatch-envelope_fail': 'refused log-entry-mismatch',
  'rekor2-no-timestamp_fail': 'refused timestamp-missing',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'refused timestamp-invalid',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'undecided authority-unknown',
  'rekor2-timestamp-with-incorrect-time_fail': 'refused certificate-expired',
  'set-invalid-signature_fail': 'refused log-promise-invalid',
  'trust-root-tlog-missing-validity-start_fail': 'undecided authority-unknown',
  'wrong-hashedrekord-cert-and-sig_fail': 'refused log-entry-mismatch',
  'wrong-material_fail': 'refused payload-mismatch',
};

testShared('every case of the conformance suite is judged as its name says, and by its cause', () => {
  for (const name of conformanceCases()) {
    const how = conformance(name);
    assert.is(how.startsWith('verified'), !name.endsWith('_fail'), `${name}: ${how}`);
    assert.is(how, CONFORMANCE_CAUSES[name] ?? 'verified certificate', name);
  }
});

const publicGood = () => sharedRoot('trusted_root-public-good.json');
const skopeo = (folder: string, file = 'signature-1') => sharedSkopeo(`dir-img-cosign-${folder}/${file}`);
const RED_HAT = identity('mitr@redhat.com', 'https://github.com/login/oauth');
const privateRoot = () => rootOf(readFileSync(signatureFile('containers-image/pki_root_crts.pem')));

testShared('signatures of containers/image verify with what its fixtures are made for', () => {
  const rows: readonly (readonly [Signature, Trust, string])[] = [
    [skopeo('valid'), trusting({ keys: [sharedKey('cosign.pub')] }), 'verified key'],
    [skopeo('valid'), trusting({ keys: [sharedKey('cosign2.pub')] }), 'refused signature-invalid'],
    [skopeo('valid'), trusting({}), 'undecided no-trust'],
    [skopeo('valid-2'), trusting({ keys: [sharedKey('cosign.pub')] }), 'verified key'],
    [skopeo('valid-2', 'signature-2'), trusting({ keys: [sharedKey('cosign.pub')] }), 'verified key'],
    [skopeo('valid-with-tag'), trusting({ keys: [sharedKey('cosign.pub')] }), 'verified key'],
    [skopeo('modified-manifest'), trusting({ keys: [sharedKey('cosign.pub')] }), 'verified key'],
    [
      skopeo('key-rekor-valid'),
      trusting({ keys: [sharedKey('cosign2.pub')], root: publicGood() }),
      'verified key',
    ],
    [skopeo('key-rekor-valid'), trusting({ keys: [sharedKey('cosign.pub')] }), 'refused key-mismatch'],
    [
      skopeo('fulcio-rekor-valid'),
      trusting({ identities: [RED_HAT], root: publicGood() }),
      'verified certificate',
    ],
    [skopeo('fulcio-rekor-valid'), trusting({ identities: [RED_HAT] }), 'undecided no-trust'],
    [skopeo('fulcio-rekor-valid'), trusting({ root: publicGood() }), 'undecided no-trust'],
    [skopeo('fulcio-rekor-valid'), trusting({ keys: [sharedKey('cosign.pub')] }), 'refused key-mismatch'],
    [
      skopeo('pki-valid'),
      trusting({ identities: [identity('qiwan@redhat.com', null)], root: privateRoot() }),
      'verified certificate',
    ],
  ];
  for (const [signature, trust, expected] of rows)
    assert.is(outcome(verifySignature(signature, trust)), expected, JSON.stringify(signature.at));
});

test.run();
