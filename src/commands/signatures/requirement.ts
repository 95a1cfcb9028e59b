import { judgeSignatures, type SignaturesJudged } from '../../checks/signatures.js';
import type { Image } from '../../link/graph.js';
import { span, type Text } from '../../report/doc.js';
import { type ArchiveReading, pathIn } from '../../report/read.js';
import type { Judgement, Requirement } from '../../report/requirement.js';
import {
  type ImageSignatures,
  type Signed,
  type Survey,
  survey,
  type Verifier,
} from '../../signatures/survey.js';
import { type SignaturesReport, signaturesReport } from './report.js';
import { loadVerifier, type TrustOptions } from './trust.js';
import { signerText } from './view.js';

/** The options of commands that require signatures. */
export interface SignatureRequirementOptions extends TrustOptions {
  readonly requireSignature?: boolean | undefined;
}

/** The signatures of an archive, and what they come to for its images. */
export interface SignaturesRead {
  readonly survey: Survey;
  readonly judged: SignaturesJudged;
  /**
   * No image, and none that an engine would load, lacks a signature that counts; null where all have one and none was
   * verified.
   */
  readonly isMet: boolean | null;
}

/** @param verifier  null where nothing is trusted: then a signature must only be there */
export function readSignatures(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  verifier: Verifier | null,
): SignaturesRead {
  const surveyed = survey(reading.parts, verifier);
  const judged = judgeSignatures(reading.parts, surveyed, chosen, verifier !== null);
  const isSigned =
    judged.images.length > 0 &&
    judged.images.every(({ signed }) => signed.length > 0) &&
    !judged.observations.some(({ observation: { code } }) => code === 'image-unsigned');
  return { survey: surveyed, judged, isMet: isSigned && verifier === null ? null : isSigned };
}

/**
 * The requirement that every image is signed, as the options say.
 * @returns null where they require nothing
 * @throws UsageError or InputError for options and files that cannot be used
 */
export async function signatureRequirement(
  options: SignatureRequirementOptions,
  now: Date,
): Promise<Requirement | null> {
  const verifier = await loadVerifier(options, now);
  if (verifier === null && options.requireSignature !== true) return null;
  return requirementOf(
    (reading, chosen) => judgementOf(reading, readSignatures(reading, chosen, verifier)),
    namedIn(options),
  );
}

/** @param file  that says what is required */
export const requirementOf = (judge: Requirement['judge'], file: string): Requirement => ({
  name: 'signatures',
  title: 'signed',
  file,
  needs: { depth: 'digests' },
  judge,
  closing: () => [],
});

/** The file that says what is required. */
const namedIn = ({ key = [], trustedRoot, notationTrustStore }: TrustOptions): string =>
  key[0] ?? trustedRoot ?? notationTrustStore ?? '--require-signature';

/** The judgement of the requirement about an archive. */
export function judgementOf(reading: ArchiveReading, read: SignaturesRead): Judgement {
  const data: SignaturesReport = signaturesReport(reading, read, read.isMet);
  return {
    observations: placedObservations(reading, read),
    remarks: new Map(read.judged.images.map(one => [one.image, [remarkOn(one)]])),
    data,
  };
}

/** Observations about an archive as a whole have their paths behind that of the tarball in a zip. */
export const placedObservations = (
  reading: ArchiveReading,
  { judged }: SignaturesRead,
): Judgement['observations'] =>
  judged.observations.map(({ image, part, observation }) => {
    const known = reading.parts.find(one => one === part);
    const { at } = observation;
    if (image !== null || known === undefined || at.path === '') return { image, observation };
    return { image, observation: { ...observation, at: { ...at, path: pathIn(known.part, at.path) } } };
  });

/** The line below the verdicts of an image. */
export function remarkOn({ signed, others }: ImageSignatures): Text {
  const [first, ...further] = signed;
  if (first === undefined) {
    const none = others.length === 1 ? 'its signature does not count' : 'none of its signatures counts';
    return [span('unsigned', 'bad'), others.length === 0 ? '' : `: ${none}`];
  }
  const more = further.length === 0 ? '' : ` and ${further.length} more`;
  return [...signedText(first), span(`  (${first.by.signature.at.path}${more})`, 'dim')];
}

function signedText({ by: { verification } }: Signed): Exclude<Text, string> {
  if (verification?.outcome !== 'verified') return [span('signed', 'warn'), ', not verified'];
  return [span('signed', 'good'), ` by ${signerText(verification.by)}`];
}
