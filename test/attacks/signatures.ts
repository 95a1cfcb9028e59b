// Archives that should pass for signed: each lacks one link from a trusted key to the image that is loaded.
import * as assert from 'uvu/assert';
import { judgementOf, readSignatures, requirementOf } from '../../src/commands/signatures/requirement.js';
import { type FindingCode, type ReadOptions, readArchive, verify } from '../../src/commands.js';
import { verifySignature } from '../../src/signatures/verify/verify.js';
import { checkResult } from '../property/formats.js';
import { digestOf, encodedOf } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { codes, saved, streamOf } from '../support/reading.js';
import { keyOf, trusting } from '../support/signatures.js';
import {
  BUNDLE,
  bundleOf,
  cosign2,
  cosign3,
  newSigner,
  type Signer,
  signatureManifest,
  signedDir,
  signedSave,
  simpleLayer,
  simplePayload,
  statementOf,
  tagFor,
  withKind,
  withTag,
} from '../support/signed.js';
import { type Attack, type Chapter, proved } from './attack.js';
import { evil, item } from './material.js';

const signer = newSigner();
const stranger = newSigner();
const good = layouts.platformManifest(item);
const bad = layouts.platformManifest(evil);
const { digest } = good.descriptor;
const goodPath = layouts.blobPath(digest);

interface Unsigned {
  /** Codes that must be found. Further findings are allowed. */
  readonly findings: readonly FindingCode[];
  readonly options?: ReadOptions;
}

/** An archive that must not pass `verify --key`, as a file and as a pipe. */
function unsigned(
  attack: string,
  answer: string,
  make: () => readonly layouts.Member[],
  { findings, options = {} }: Unsigned,
): Attack {
  const trust = trusting({ keys: [keyOf(signer.pem)] });
  const run = async () => {
    const tar = await toTar(make());
    for (const input of [saved(tar, 'unsigned.tar'), streamOf(tar)]) {
      const reading = await readArchive(input, options);
      const judge = requirementOf(
        (all, chosen) =>
          judgementOf(
            all,
            readSignatures(all, chosen, one => verifySignature(one, trust)),
          ),
        '',
      );
      const result = verify(reading, { failOn: 'error', requirements: [judge] });
      const report = result.data as ReturnType<typeof verify>['data'] & {
        readonly findings: Parameters<typeof codes>[0];
        readonly signatures: { readonly met: boolean | null };
      };
      assert.equal([report.signatures.met, result.exitCode], [false, 1]);
      for (const code of findings)
        assert.ok(codes(report.findings).includes(code), codes(report.findings).join());
      checkResult(result, 'unsigned', { pages: false });
    }
  };
  return proved(attack, answer, run, { exit: 1, findings });
}

const layoutOf = (...manifests: readonly layouts.Content[]) => layouts.ociLayout({ manifests });
const other = (content: layouts.Content, by: Signer) =>
  withTag(cosign2(content, by), tagFor(content, '.sig'));
const large = simplePayload(digest, 'x'.repeat(100_000));

export const signatures: Chapter = {
  title: 'Signatures',
  attacks: [
    unsigned('An image without a signature, where one is required', 'Refused.', () => layoutOf(bad), {
      findings: ['image-unsigned'],
    }),
    unsigned(
      "The signature of another image, under this image's tag",
      'The payload names the image, and not the tag. Refused.',
      () => layoutOf(bad, withTag(cosign2(good, signer), tagFor(bad, '.sig'))),
      { findings: ['signature-other-digest'] },
    ),
    unsigned(
      'A bundle of another image, whose manifest has this image as its `subject`',
      'The statement names the image, and not the subject. Refused.',
      () => layoutOf(bad, cosign3(bad, signer, { digest })),
      { findings: ['signature-other-digest'] },
    ),
    unsigned(
      'The bytes of another manifest under the digest that is signed',
      'The digest of the bytes is compared. Refused.',
      () => [
        ...layoutOf(good, other(good, signer)).map(member =>
          member.path === goodPath ? layouts.file(goodPath, bad.blobs[0]!.bytes) : member,
        ),
        ...bad.blobs.slice(1).map(blob => layouts.file(layouts.blobPath(blob.digest), blob.bytes)),
      ],
      { findings: ['signature-other-digest', 'digest-mismatch'] },
    ),
    unsigned(
      'A payload that was changed after it was signed',
      'The signature is of other bytes. Refused.',
      () =>
        layoutOf(
          bad,
          withKind(
            signatureManifest([
              simpleLayer(simplePayload(bad.descriptor.digest), signer.sign(simplePayload(digest))),
            ]),
            'sigs',
          ),
        ),
      { findings: ['signature-invalid'] },
    ),
    unsigned('A signature of another key', 'Refused.', () => layoutOf(bad, other(bad, stranger)), {
      findings: ['signature-invalid'],
    }),
    unsigned(
      'An attestation that the key signs, and no signature',
      'An attestation states something about the image. Refused.',
      () => layoutOf(good, cosign3(good, signer, { predicateType: 'https://slsa.dev/provenance/v1' })),
      { findings: ['image-unsigned'] },
    ),
    unsigned(
      'A signed index that is not in the archive, and an image that it does not list',
      'Only an index whose bytes are here covers platforms. Refused.',
      () => layoutOf(bad, withKind(cosign2(layouts.indexOf([good, bad]), signer), 'sigs')),
      { findings: ['signature-other-digest', 'image-unsigned'] },
    ),
    unsigned(
      'A signed index with an attestation about an image that it does not list',
      'An index covers the images that it lists, and not those that a statement in it is about. Refused.',
      () => {
        const list = layouts.indexOf([good, layouts.attestation(bad)]);
        return layoutOf(list, bad, withTag(cosign2(list, signer), tagFor(list, '.sig')));
      },
      { findings: ['image-unsigned'] },
    ),
    unsigned(
      'A bundle with an envelope and, beside it, a signature of a message',
      'Libraries differ about which of the two is judged: it is no bundle. Refused.',
      () => {
        const statement = statementOf(bad.descriptor.digest);
        const hash = Buffer.from(encodedOf(digestOf(statement)), 'hex').toString('base64');
        const messageSignature = {
          messageDigest: { algorithm: 'SHA2_256', digest: hash },
          signature: signer.sign(statement).toString('base64'),
        };
        const both = { ...JSON.parse(bundleOf(statement, stranger)), messageSignature };
        const layer = layouts.blobOf(BUNDLE, JSON.stringify(both));
        return layoutOf(bad, layouts.artifact({ type: BUNDLE, layers: [layer], subject: bad }));
      },
      { findings: ['signature-unreadable'] },
    ),
    unsigned(
      'A signed attestation manifest, with another statement under the digest of its own',
      'Each document on the way is compared with the digest that the one before names. Refused.',
      () => {
        const attestation = layouts.attestation(good);
        const statement = attestation.blobs.at(-1)!;
        const forged = statementOf(bad.descriptor.digest);
        return layoutOf(layouts.indexOf([bad, attestation]), cosign3(attestation, signer)).map(member =>
          member.path === layouts.blobPath(statement.digest) ? layouts.file(member.path, forged) : member,
        );
      },
      { findings: ['image-unsigned'] },
    ),
    unsigned(
      'A signed image, and a manifest.json with another one, which docker loads',
      'Every image that is listed must be signed. Refused.',
      () => [
        ...layoutOf(withTag(good, 'app:1'), withKind(cosign2(good, signer), 'sigs')),
        ...layouts
          .dockerSave({ image: evil, tags: ['app:1'] })
          .filter(({ path }) => path !== 'index.json' && path !== 'oci-layout'),
      ],
      { findings: ['image-unsigned'] },
    ),
    unsigned(
      'A signed image, and a member that podman and skopeo extract as manifest.json',
      'Every image that an engine would load must be signed, whatever is shown. Refused.',
      () => {
        const hidden = layouts.dockerSave({ image: evil, tags: ['app:1'] });
        return [
          layouts.file('x/../manifest.json', layouts.memberBytes(hidden, 'manifest.json')),
          ...hidden.filter(({ path }) => path !== 'manifest.json'),
          ...signedSave({ image: item, tags: ['app:1'] }, signer),
        ];
      },
      { findings: ['image-unsigned', 'engines-disagree'] },
    ),
    unsigned(
      "A manifest of skopeo's `dir:` with one more space than the signed one",
      'The digest of the bytes is compared. Refused.',
      () => {
        const members = signedDir(item, signer);
        const text = Buffer.from(layouts.memberBytes(members, 'manifest.json'));
        return members.map(member =>
          member.path === 'manifest.json' ? layouts.file('manifest.json', `${text} `) : member,
        );
      },
      { findings: ['signature-other-digest'] },
    ),
    unsigned(
      'A bundle that nests a thousand deep, and one of more than the limit',
      'They are not read, and do not count. Refused.',
      () => {
        const deep = layouts.blobOf(BUNDLE, `{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`);
        const wide = layouts.blobOf(BUNDLE, bundleOf(Buffer.alloc(300_000, 'x'), signer));
        return layoutOf(
          good,
          ...[deep, wide].map(layer => layouts.artifact({ type: BUNDLE, layers: [layer], subject: good })),
        );
      },
      { findings: ['signature-unreadable'], options: { limits: { documentBytes: 300_000 } } },
    ),
    unsigned(
      'A hundred signatures that share one large payload',
      'The payload is read and verified as often as the limit `linkedBytes` allows. Refused.',
      () => {
        const layers = Array.from({ length: 100 }, (_, i) => simpleLayer(large, Buffer.from(`${i}`)));
        return layoutOf(good, withKind(signatureManifest(layers), 'sigs'));
      },
      {
        findings: ['signature-unreadable', 'signature-invalid'],
        options: { limits: { linkedBytes: 1_000_000 } },
      },
    ),
    unsigned(
      'Two hundred signatures of other keys before the right one',
      'Those beyond the limit `signatures` are not read, and that is said. Refused.',
      () => {
        const payload = simplePayload(digest);
        const layers = Array.from({ length: 200 }, (_, i) => simpleLayer(payload, Buffer.from(`${i}`)));
        layers.push(simpleLayer(payload, signer.sign(payload)));
        return layoutOf(good, withKind(signatureManifest(layers), 'sigs'));
      },
      { findings: ['limit-reached', 'signature-invalid'], options: { limits: { signatures: 100 } } },
    ),
  ],
};
