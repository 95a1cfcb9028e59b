import type { Finding } from '../../checks/findings.js';
import { causeText, keyName } from '../../checks/rules-signatures.js';
import { type Block, type Doc, gap, type Span, span, type Text, text } from '../../report/doc.js';
import { archiveHead, count, findingLines } from '../../report/words.js';
import type { VerifiedBy } from '../../signatures/verify/verification.js';
import type { SignaturesListing } from './index.js';
import type { ImageNames, SignatureReport, SignedImageReport, StepReport } from './report.js';

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
  const { found, unread, met } = signatures;
  const isOne = signatures.images.length + data.artifacts.length === 1;
  return [
    ...archiveHead(data, imagesInAll),
    ...(signatures.images.length === 0 ? [] : [gap]),
    ...signatures.images.flatMap(image => imageBlocks(image, met)),
    ...found.flatMap(signature => [gap, ...signatureBlocks(signature, isOne)]),
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

function imageBlocks(image: SignedImageReport, met: boolean | null): Block[] {
  const { signed, attestations, digest } = image;
  const beside = attestations === 0 ? '' : `, ${count(attestations, 'attestation')}`;
  const isVerified = met !== null;
  const status: Span =
    signed.length === 0
      ? span('unsigned', isVerified ? 'bad' : 'warn')
      : isVerified
        ? span('signed', 'good')
        : span(count(signed.length, 'signature'), 'strong');
  const [first] = signed;
  const who = first?.by == null ? '' : ` by ${signerText(first.by)}`;
  const how = signed.length > 0 && !isVerified ? ', not verified' : '';
  return [
    text([span(nameOf(image), 'strong')]),
    text([status, `${who}${how}${beside}`, span(`  ${digest ?? 'no manifest'}`, 'dim')], 2),
  ];
}

function signatureBlocks(signature: SignatureReport, isOne: boolean): Block[] {
  const { format, role, at, foundBy, predicateType, dockerReference, copyOf, problem } = signature;
  const rows: [string, Text][] = [
    ['found by', `${MARKS[foundBy]}${attachment(signature)}`],
    ...signsRows(signature, isOne),
    ...(predicateType === null ? [] : [['states', predicateType] satisfies [string, Text]]),
    ...(dockerReference === null ? [] : [['as', dockerReference] satisfies [string, Text]]),
    ['signer', signerRow(signature)],
    ...verdictRows(signature),
    ...(copyOf === null
      ? []
      : [['copy of', `${copyOf.path}${copyOf.pointer ?? ''}`] satisfies [string, Text]]),
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

/** What the place says, where it is another digest than the payload's. */
function attachment({ attachedTo, signs }: SignatureReport): string {
  if (attachedTo === null) return '';
  return signs.includes(attachedTo) ? ', and says so of the same digest' : `, which says ${attachedTo}`;
}

function signsRows(signature: SignatureReport, isOne: boolean): [string, Text][] {
  const { signs, signsCount, images, artifacts, absent, swapped } = signature;
  if (signsCount === 0) return [['signs', [span('nothing with a digest', 'warn')]]];
  const digests: [string, Text][] = signs
    .slice(0, SHOWN)
    .map((digest, i): [string, Text] => [
      i === 0 ? 'signs' : '',
      absent.includes(digest) ? [digest, '  ', span('not in this archive', 'warn')] : digest,
    ]);
  const rest = signsCount - digests.length;
  return [
    ...digests,
    ...(rest > 0 ? [['', [span(`and ${rest} more`, 'dim')]] satisfies [string, Text]] : []),
    ...swapped
      .slice(0, SHOWN)
      .map(({ claimed, actual, path }): [string, Text] => [
        '',
        [span(`the archive calls ${path} ${claimed}, and its bytes have ${actual}`, 'bad')],
      ]),
    ...images.slice(0, SHOWN).map((image): [string, Text] => ['of', ofImage(image, isOne)]),
    ...(images.length > SHOWN
      ? [['', [span(`and ${images.length - SHOWN} more images`, 'dim')]] satisfies [string, Text]]
      : []),
    ...artifacts
      .slice(0, SHOWN)
      .map(({ path }): [string, Text] => ['of', `an artifact of this archive  (${path})`]),
  ];
}

const STEPS: Readonly<Record<StepReport['as'], string>> = {
  manifest: 'manifest',
  index: 'index',
  attestation: 'attestation',
  statement: 'statement',
  artifact: 'artifact',
};

/** The image, and the documents between, each of which names the digest of the next. */
function ofImage(image: SignatureReport['images'][number], isOne: boolean): Text {
  const way = image.steps.map(({ as, path }) => `${STEPS[as]} ${path}`).join(' → ');
  return [isOne ? 'the image of this archive' : nameOf(image), span(`  (${way})`, 'dim')];
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

function verdictRows({ verification, problem }: SignatureReport): [string, Text][] {
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
