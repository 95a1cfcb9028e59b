import type { Graph } from '../link/graph.js';
import type { FindingCode, FindingData } from '../link/observation.js';
import { V1_JSON } from '../spec/markers.js';
import { type Finding, ruleOf } from './findings.js';
import type { Verdict } from './rule.js';

/** null: not known, because the archive was not read deep enough or to its end. */
export type Verdicts = { readonly [V in Verdict]: boolean | null };

/**
 * Doubts that findings raise about the three verdicts, as bits: the bits of two lists of findings are combined by `|`.
 */
export type Doubts = number;

export const NO_DOUBTS: Doubts = 0;

/** One of the verdicts is no. */
const NOT_INTACT = 1;
const NOT_COMPLETE = 2;
const NOT_CONFORMANT = 4;
/** Not every byte was compared with every claim. */
const UNREAD = 8;
/** Which other images the archive has, or would have had, is not known. */
const UNSEEN = 16;
/** Reading ended before the end of the container: blobs that were not found may follow. */
const ENDED = 32;
/** A document that lists images is not here. */
const UNLISTED = 64;
/** The container was cut off. */
const CUT = 128;

const AGAINST: Readonly<Record<Verdict, Doubts>> = {
  intact: NOT_INTACT,
  complete: NOT_COMPLETE,
  conformant: NOT_CONFORMANT,
};

/** Codes that raise a doubt, with any severity. */
const DOUBTS: Partial<Record<FindingCode, Doubts>> = {
  'layer-unsupported': UNREAD,
  'digest-unchecked': UNREAD,
  // The claims of a document that cannot be read were not checked.
  'json-invalid': UNREAD,
  'tar-truncated': CUT | UNSEEN,
  'tar-header-invalid': CUT | UNSEEN,
  'outer-compression-invalid': CUT | UNSEEN,
  'index-missing': UNLISTED,
  'documents-missing': UNLISTED,
  'no-image': UNSEEN,
  'index-without-manifests': UNSEEN,
  'manifest-json-null': UNSEEN,
  'manifest-json-not-array': UNSEEN,
  'manifest-json-item-invalid': UNSEEN,
};

/** The doubts that findings of an archive's part raise. */
export function doubtsOf(findings: readonly Finding[], graph: Graph): Doubts {
  const unread = new Set(graph.artifacts.filter(({ kind }) => kind === 'unknown').map(({ path }) => path));
  return findings.reduce((doubts, finding) => doubts | doubtsBy(finding, graph, unread), NO_DOUBTS);
}

function doubtsBy(finding: Finding, { root }: Graph, unread: ReadonlySet<string>): Doubts {
  const { code, severity, at } = finding;
  const doubts = doubtsBeside(finding);
  // The images and layers that an unreadable document would have listed are not known.
  const isUnreadable = code === 'json-invalid' || code === 'unreadable' || code === 'not-a-manifest';
  if (!isUnreadable || severity !== 'error') return doubts;
  const name = at.path.slice(root.length);
  const isListing = LISTINGS.has(name) || V1_JSON.test(name) || unread.has(at.path);
  return isListing ? doubts | UNSEEN : doubts;
}

const LISTINGS: ReadonlySet<string> = new Set(['index.json', 'manifest.json', 'repositories']);

/** The doubts that a finding raises which is about no part in particular. */
export const doubtsBeside = (finding: Finding): Doubts => {
  const { code, severity, at } = finding;
  const { verdict } = ruleOf(code);
  // Only an error makes intact and complete false: an archive that omits a platform by design is complete for the
  // others.
  const isAgainst = severity === 'error' || (verdict === 'conformant' && severity === 'warning');
  const against = verdict === null || !isAgainst ? NO_DOUBTS : AGAINST[verdict];
  const limit = code === 'limit-reached' ? limitDoubts(severity, at.path) : NO_DOUBTS;
  return against | (DOUBTS[code] ?? NO_DOUBTS) | limit | (isEncrypted(finding) ? UNREAD : NO_DOUBTS);
};

/** A layer that is encrypted, and not only labelled so. */
const isEncrypted = ({ code, data }: Finding) =>
  code === 'layer-encrypted' && !(data as FindingData['layer-encrypted']).plain;

/**
 * A limit on what is listed is a warning, and all bytes were checked. A limit without a member ended the whole reading.
 */
function limitDoubts(severity: Finding['severity'], path: string): Doubts {
  if (severity !== 'error') return NO_DOUBTS;
  return UNREAD | UNSEEN | (path === '' ? ENDED : NO_DOUBTS);
}

/**
 * Makes the verdicts. Any departure from a specification makes conformant false. Blobs that are missing after a limit
 * may exist; after a cut they are not in this file. Where the list of images is lost too, the images are not known.
 */
export function verdictsBy(doubts: Doubts, verified: boolean): Verdicts {
  const has = (bits: Doubts) => (doubts & bits) === bits;
  const isOpen = has(ENDED) || has(CUT | UNLISTED);
  return {
    intact: has(NOT_INTACT) ? false : verified && !has(UNREAD) ? true : null,
    complete: isOpen ? null : has(NOT_COMPLETE) ? false : has(UNSEEN) ? null : true,
    conformant: has(NOT_CONFORMANT) ? false : verified ? true : null,
  };
}
