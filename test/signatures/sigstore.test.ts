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

testShared('every case of the conformance suite is judged as its name says', () => {
  const found = Object.fromEntries(conformanceCases().map(name => [name, conformance(name)]));
  for (const [name, how] of Object.entries(found))
    assert.is(how.startsWith('verified'), !name.endsWith('_fail'), `${name}: ${how}`);
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
