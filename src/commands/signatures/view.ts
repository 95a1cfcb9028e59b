import type { Finding } from '../../checks/findings.js';
import { causeText, keyName } from '../../checks/rules-signatures.js';
import type { Verdicts } from '../../checks/verdicts.js';
import { type Block, type Doc, gap, type Span, span, type Text, text } from '../../report/doc.js';
import { archiveHead, count, findingLines } from '../../report/words.js';
import type { VerifiedBy } from '../../signatures/verify/verification.js';
import type { SignaturesListing } from './index.js';
import type { AttachedReport, ImageNames, SignatureReport, SignedImageReport, StepReport } from './report.js';

/** Who has signed, as it was verified. */
export function signerText(by: VerifiedBy): string {
  if (by.kind === 'key')
    return `key ${keyName(by.fingerprint)}${by.log === null ? '' : `, log entry ${by.log.index}`}`;
  const at = by.signedAt === null ? '' : ` at ${by.signedAt}`;
  if (by.kind === 'notation') return `${by.subject} (trust store ${by.store})${at}`;
  const issuer = by.issuer === null ? '' : ` (issuer ${by.issuer})`;
  return `${by.identity}${issuer}${at}`;
}

const FORMATS: Readonly<Record<SignatureReport['format'], string>> = {
  'cosign-simple': 'cosign, simple signing',
  'sigstore-bundle': 'Sigstore bundle',
  dsse: 'DSSE envelope',
  'notation-jws': 'Notary Project, JWS',
  'notation-cose': 'Notary Project, COSE',
  'gpg-simple': 'GPG, simple signing',
  unknown: 'in no known format',
};

const MARKS: Readonly<Record<SignatureReport['foundBy'], string>> = {
  'cosign-kind': 'annotation kind of cosign in index.json',
  subject: 'its subject',
  tag: 'its tag',
  'fallback-index': 'the index of referrers with the tag of the image',
  'containerd-subject': 'annotation io.containerd.manifest.subject',
  'dir-file': "a file of skopeo's dir:",
  listed: 'its media type',
};

/** Images, steps and digests of one signature that are printed; JSON has more. */
const SHOWN = 3;

/** @param findings  what is missing for every image to be signed; none where nothing is trusted */
export function signaturesDoc(
  data: SignaturesListing,
  imagesInAll: number,
  findings: readonly Finding[],
): Doc {
  const { signatures } = data;
  const { found, attached, unread, met } = signatures;
  const isOne = signatures.images.length + data.artifacts.length === 1;
  return [
    ...archiveHead(data, imagesInAll),
    ...(signatures.images.length === 0 ? [] : [gap]),
    ...signatures.images.flatMap((image, i) => imageBlocks(image, met, data.images[i]!.verdicts)),
    ...found.flatMap(signature => [gap, ...signatureBlocks(signature, isOne)]),
    ...(attached.length === 0 ? [] : [gap, ...attached.slice(0, ATTACHED).map(attachedLine)]),
    ...(attached.length > ATTACHED
      ? [text([span(`and ${attached.length - ATTACHED} more attached`, 'dim')])]
      : []),
    ...(unread === 0
      ? []
      : [gap, text([span(`${count(unread, 'more signature')} not read: --limit signatures=…`, 'warn')])]),
    ...findingLines(findings),
    gap,
    text(summary(data)),
  ];
}

const nameOf = ({ names, platform, inside }: ImageNames): string =>
  [names.join(', ') || '(untagged)', platform, inside === null ? null : `in ${inside}`]
    .filter(part => part !== null)
    .join('  ');

function imageBlocks(image: SignedImageReport, met: boolean | null, verdicts: Verdicts): Block[] {
  const { signed, attestations, digest } = image;
  const isVerified = met !== null;
  const beside = attestations === 0 ? '' : `, ${count(attestations, 'attestation')}`;
  return [
    text([span(nameOf(image), 'strong'), span(`  ${digest ?? 'no manifest'}`, 'dim')]),
    text([...statusOf(signed, isVerified), beside, ...(isVerified ? damageOf(verdicts) : [])], 2),
  ];
}

function statusOf(signed: SignedImageReport['signed'], isVerified: boolean): (string | Span)[] {
  if (signed.length === 0) return [span('unsigned', isVerified ? 'bad' : 'warn')];
  if (!isVerified) return [span(count(signed.length, 'signature'), 'strong'), ', not verified'];
  const signers = [...new Set(signed.map(({ by }) => (by === null ? '' : signerText(by))))];
  return [span('signed', 'good'), ` by ${signers.slice(0, SHOWN).join(' and by ')}`];
}

/** A signature is about a manifest, and the blobs that it names may have other bytes or be absent. */
function damageOf({ intact, complete }: Verdicts): Span[] {
  const damage =
    intact === false
      ? 'not all of its bytes are those that it names'
      : complete === false
        ? 'not all of it is here'
        : null;
  return damage === null ? [] : [span(`, but ${damage}: waybill verify says more`, 'bad')];
}

/** Artifacts without a signature of their own that are printed. */
const ATTACHED = 10;

const attachedLine = ({ type, path, attachedTo, signed }: AttachedReport): Block =>
  text([
    span('attached', 'strong'),
    `  ${type ?? 'of an unknown type'}  `,
    span(path, 'dim'),
    `  to ${attachedTo}, `,
    signed ? span('signed', 'strong') : span('not signed', 'warn'),
  ]);

function signatureBlocks(signature: SignatureReport, isOne: boolean): Block[] {
  const { format, role, at, foundBy, predicateType, dockerReference, copyOf, problem } = signature;
  const rows: Row[] = [
    ['found by', [MARKS[foundBy], ...attachment(signature)]],
    ...signsRows(signature, isOne),
    ...(predicateType === null ? [] : [['states', predicateType] satisfies Row]),
    ...(dockerReference === null ? [] : [['name', dockerReference] satisfies Row]),
    ['signer', signerRow(signature)],
    ...verdictRows(signature),
    ...(copyOf === null ? [] : [['copy of', `${copyOf.path}${copyOf.pointer ?? ''}`] satisfies Row]),
  ];
  return [
    text([
      span(role, 'strong'),
      `  ${FORMATS[format]}  `,
      span(`${at.path}${at.pointer ?? ''}`, 'dim'),
      ...(problem === null ? [] : ['  ', span('unreadable', 'bad')]),
    ]),
    { kind: 'pairs', rows },
  ];
}

/** The image to which it is attached, where that is another digest than the payload's. */
function attachment({ attachedTo, signs }: SignatureReport): Text {
  if (attachedTo === null || signs.includes(attachedTo)) return '';
  return [', attached to ', span(attachedTo, 'warn')];
}

function signsRows(signature: SignatureReport, isOne: boolean): Row[] {
  const { signs, signsCount, images, imagesCount, artifacts, absent, swapped } = signature;
  if (signsCount === 0) return [['signs', [span('nothing that has a digest', 'warn')]]];
  const digests = signs.slice(0, SHOWN).map((digest, i): Row => {
    const where = absent.includes(digest) ? ['  ', span('not in this archive', 'warn')] : [];
    return [i === 0 ? 'signs' : '', [digest, ...where]];
  });
  return [
    ...digests,
    ...rest(signsCount - digests.length, 'digest'),
    ...swapped
      .slice(0, SHOWN)
      .map(
        ({ claimed, actual, path }): Row => [
          '→',
          [span(`${path} is called ${claimed} here, and its bytes have ${actual}`, 'bad')],
        ],
      ),
    ...images.slice(0, SHOWN).flatMap(image => imageRows(image, isOne)),
    ...rest(imagesCount - SHOWN, 'image'),
    ...artifacts.slice(0, SHOWN).map(({ as, path }): Row => ['is', [`${as} `, span(path, 'dim')]]),
    ...rest(artifacts.length - SHOWN, 'artifact'),
  ];
}

type Row = [label: string, value: Text];

const rest = (left: number, what: string): Row[] =>
  left > 0 ? [['', [span(`and ${count(left, `more ${what}`)}`, 'dim')]]] : [];

/** How a document names the digest of the next: the label of that one. */
const NAMES: Readonly<Record<StepReport['as'], string>> = {
  manifest: '',
  index: 'lists',
  attestation: 'holds',
  statement: 'is about',
  artifact: '',
};

/** The documents on the way to an image: each has the digest that the one before names. */
function imageRows({ steps, ...image }: SignatureReport['images'][number], isOne: boolean): Row[] {
  return [
    ...steps.map(
      ({ as, path }, i): Row => [i === 0 ? 'is' : NAMES[steps[i - 1]!.as], [`${as} `, span(path, 'dim')]],
    ),
    ['image', isOne ? 'the image of this archive' : nameOf(image)],
  ];
}

function signerRow({ claimed, verification, format }: SignatureReport): Text {
  if (verification?.outcome === 'verified') return [span(signerText(verification.by), 'good'), ', verified'];
  const { identity, issuer, keyHint } = claimed;
  const says =
    identity !== null
      ? `${identity}${issuer === null ? '' : ` (issuer ${issuer})`}`
      : keyHint === null
        ? null
        : `key ${format === 'gpg-simple' || !/^[0-9a-f]{64}$/.test(keyHint) ? keyHint : keyName(keyHint)}`;
  return says === null ? [span('it does not say', 'dim')] : [says, span(', by its own words', 'dim')];
}

function verdictRows({ verification, problem }: SignatureReport): Row[] {
  if (problem !== null) {
    const { code, ...details } = problem;
    return [['verified', [span('no', 'bad'), `: ${causeText(code, details)}`]]];
  }
  if (verification === null || verification.outcome === 'verified') return [];
  const isRefused = verification.outcome === 'refused';
  const answer = isRefused ? span('no', 'bad') : span('not decided', 'warn');
  return [
    [
      'verified',
      [answer, `: ${causeText(verification.cause, verification.data as Record<string, unknown>)}`],
    ],
  ];
}

function summary({ signatures: { found, images, met } }: SignaturesListing): Text {
  const signed = images.filter(image => image.signed.length > 0).length;
  const attestations = found.filter(({ role }) => role === 'attestation').length;
  const parts = [
    count(found.length - attestations, 'signature'),
    ...(attestations === 0 ? [] : [count(attestations, 'attestation')]),
  ];
  const of = `${signed} of ${count(images.length, 'image')} signed`;
  if (met === null) {
    const hint =
      found.length === 0
        ? ''
        : '; nothing is verified without --key, --certificate-identity or --notation-trust-store';
    return [span(`${parts.join(', ')}`, 'strong'), span(hint, 'dim')];
  }
  return [span(of, met ? 'good' : 'bad'), `; ${parts.join(', ')}`];
}
