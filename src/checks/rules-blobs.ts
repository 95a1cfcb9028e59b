import type { FindingData } from '../image/observation.js';
import { shortDigest } from '../spec/digest.js';
import { bytes, type Rules } from './rule.js';

/** @param target  of the link that stands where the file should be; null where nothing does */
const absent = (target: string | null) =>
  target === null
    ? 'is not in the archive'
    : `is a link to ${JSON.stringify(target)}, where there is no file`;

export const blobRules: Rules<
  | 'digest-mismatch'
  | 'size-mismatch'
  | 'blob-name-mismatch'
  | 'blob-name-odd'
  | 'blob-link-broken'
  | 'config-name-mismatch'
  | 'layer-name-mismatch'
  | 'digest-unchecked'
  | 'digest-weak'
  | 'inline-data-mismatch'
  | 'unreferenced-blobs'
  | 'manifest-missing'
  | 'platform-absent'
  | 'config-missing'
  | 'layer-missing'
  | 'foreign-layer-absent'
> = {
  'digest-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `expected ${d.expected}, but its bytes are ${d.actual} (claimed by ${d.claimedBy.path}${d.claimedBy.pointer ?? ''})`,
    explain:
      'A document refers to this blob by a digest that its bytes do not have. Either was changed after the other was made: by damage, by hand, or by an attacker. Do not use the image; fetch the archive again, and compare with what was signed off.',
  },
  'size-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `expected ${d.expected} bytes, found ${d.actual} (claimed by ${d.claimedBy.path}${d.claimedBy.pointer ?? ''})`,
    explain:
      'The descriptor of this blob gives another size than it has. Clients must not trust content whose size differs (descriptor.md).',
  },
  'blob-name-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `the name promises ${d.expected}, but its bytes are ${d.actual}`,
    explain:
      'A file below blobs/ is named by the digest of its content (image-layout.md). This one has other content: it was damaged or changed.',
  },
  'blob-name-odd': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'a file below blobs/ must be named blobs/<algorithm>/<digest>; this one is not',
    explain:
      'Something that is no blob lies among the blobs: a .DS_Store, an editor backup. Nothing refers to it; readers ignore it.',
  },
  'blob-link-broken': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the link leads to ${JSON.stringify(d.target)}, where there is no file`,
    explain:
      'A blob is stored as a link to another member, and that member is not here: the layout was copied without what it links to.',
  },
  'config-name-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `the file name says ${shortDigest(d.expected)}, but the image ID is ${shortDigest(d.actual)}`,
    explain:
      'docker save names the config after the image ID, which is the digest of its bytes. Here they differ: the config was edited after it was saved. Engines take the ID from the bytes.',
  },
  'layer-name-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1} is named ${d.expected}, but its bytes are ${d.stored}${d.diffId === d.stored ? '' : `, and its tar is ${d.diffId}`}`,
    explain:
      'Writers of such archives name a layer by a digest: crane, ko, kaniko, jib and containerify by that of the stored bytes (`<hex>.tar.gz`), podman and skopeo by the diff_id (`<hex>.tar`). This layer was packed again or exchanged after it got its name. Engines do not look at the name: they compare the tar with the diff_id of the config, and so does waybill. Whoever compares the name with a registry compares another layer. Where the name is a diff_id this is a note. Save the image again.',
  },
  'digest-unchecked': {
    severity: 'warning',
    verdict: null,
    message: d => `not checked: ${d.digest} is of an algorithm that this blob was not hashed with`,
    explain:
      'waybill computes sha256 for everything, and sha512 for blobs that are named by it. Other algorithms are allowed by the specification (descriptor.md) and cannot be checked here, so the verdict "intact" stays open.',
  },
  'digest-weak': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `${d.digest} vouches for nothing: two contents with the same digest can be made`,
    explain:
      'The digest is of an algorithm that is broken (md5, sha1 and their like). Whoever makes an image can make a second one with the same digest, and exchange them after one was signed off. No engine takes such a digest. Make the image again with sha256.',
  },
  'inline-data-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `the inline data should be ${d.expected}, but is ${d.actual}`,
    explain:
      'A descriptor may carry its content as base64 in `data`; it must be the very bytes that its digest names (descriptor.md). A reader that uses it would see other content than one that fetches the blob.',
  },
  'unreferenced-blobs': {
    severity: 'info',
    verdict: null,
    message: d =>
      `${d.count} ${d.count === 1 ? 'blob is' : 'blobs are'} referenced by nothing (${bytes(d.bytes)})`,
    explain:
      'The specification allows blobs that nothing refers to (image-layout.md). They are left over from a deleted image, for the most part, and cost space. The v1 JSON that Docker 25 and later leaves for each layer is expected and not counted; nor are manifests about an image that is here, found by their `subject`.',
  },
  'manifest-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the manifest ${d.digest} is not in the archive`,
    explain:
      'An index lists this manifest, and it is not here. The image cannot be loaded from this archive alone. Save it again, with all its platforms if that is what is needed (`docker save --platform`, `skopeo copy --all`).',
  },
  'platform-absent': {
    severity: 'info',
    verdict: 'complete',
    message: absentText,
    explain:
      'The archive holds an index of several platforms, but not all that it lists: docker save and ctr export keep the index whole and save what the machine had, attestations included. The platforms that are here are not affected. --require-complete makes this an error, for all platforms or for one. An absent manifest that no writer leaves out on purpose is `manifest-missing`: of an index of which no image is here, of no platform, or of the same platform as an image behind it.',
  },
  'config-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the config ${d.ref} ${absent(d.target)}`,
    explain:
      'Without its config an image has no ID, no platform, no command and no list of layers. Nothing can load it. Save it again.',
  },
  'layer-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d =>
      `layer ${d.layer + 1} (${d.ref}) ${absent(d.target)}${d.urls.length === 0 ? '' : `; its urls (${list(d.urls)}) are a hint, and engines load a layer of this media type from the archive alone`}`,
    explain:
      'The specification lets an archive omit blobs, for example when the receiver has the base layers already; but this image cannot be loaded from this archive alone. Save it again, complete. `urls` of a descriptor are a hint (descriptor.md): only layers of the foreign and non-distributable media types may be absent.',
  },
  'foreign-layer-absent': {
    severity: 'info',
    verdict: null,
    message: d =>
      `layer ${d.layer + 1} (${d.ref}) is not distributed with the image; it comes from ${d.urls.join(', ') || 'elsewhere'}`,
    explain:
      'Foreign or non-distributable layers (Windows base layers, mostly) are left out of archives by design and fetched from their URLs. Behind an air gap they must be brought in separately.',
  },
};

/** As many platforms as a line has room for. Real indexes list ten. */
const LISTED = 12;

function list(names: readonly string[]): string {
  const rest = names.length - LISTED;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, LISTED).join(', ')} and ${rest} more`;
}

function absentText({ here, absent, attestations, required }: FindingData['platform-absent']): string {
  const platforms = [...new Set(absent.map(({ platform }) => platform))];
  const total = new Set([...here, ...platforms]).size;
  const isAll = required.length > 0 && required.length === platforms.length + attestations.length;
  const some = required.length === 0 ? [] : [`required, but not in the archive: ${list(required)}`];
  const demand = isAll && here.length > 0 ? ['not complete, as required'] : some;
  const share = `${here.length} of ${total} platforms ${here.length === 1 ? 'is' : 'are'} here: ${list(here)}`;
  const known = here.length === 0 ? [] : [share];
  const lacking = platforms.length === 0 ? [] : [`absent: ${list(platforms)}`];
  return [...demand, ...known, ...lacking, ...attestationTexts(here, attestations)].join('; ');
}

type Attestations = FindingData['platform-absent']['attestations'];

function attestationTexts(here: readonly string[], attestations: Attestations): string[] {
  const ofHere = attestations.filter(({ platform }) => platform !== null && here.includes(platform));
  const others = attestations.length - ofHere.length;
  const names = [...new Set(ofHere.map(({ platform }) => platform!))];
  const some = (count: number) => `${count} attestation${count === 1 ? '' : 's'}`;
  return [
    ...(others === 0 ? [] : [`${some(others)} of absent platforms`]),
    ...(ofHere.length === 0 ? [] : [`absent too: ${some(ofHere.length)} of ${list(names)}`]),
  ];
}
