import type { FindingData } from '../link/observation.js';
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
      'A document refers to this blob by a digest, and the bytes of the blob have another one. The blob or the document was changed after the other was written: by damage, by hand, or by an attacker. Do not use the image. Fetch the archive again, and compare its digest with the approved one.',
  },
  'size-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `expected ${d.expected} bytes, found ${d.actual} (claimed by ${d.claimedBy.path}${d.claimedBy.pointer ?? ''})`,
    explain:
      'The descriptor of this blob gives a size that differs from the number of its bytes. Clients must not trust such content (descriptor.md, size). The blob was damaged, or the descriptor is wrong. Fetch the archive again.',
  },
  'blob-name-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `expected ${d.expected}, as the file name says, but its bytes are ${d.actual}`,
    explain:
      'A file below blobs/ has the digest of its content as its name (image-layout.md, Blobs). The content of this one has another digest: it was damaged or changed. Fetch the archive again.',
  },
  'blob-name-odd': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'a file below blobs/ must be named blobs/<algorithm>/<digest>; this one is not',
    explain:
      'A file that is not a blob lies in the blobs directory, such as a .DS_Store or the backup copy of an editor. No document refers to it, and readers ignore it. Remove it.',
  },
  'blob-link-broken': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the link leads to ${JSON.stringify(d.target)}, where there is no file`,
    explain:
      'The blob is stored as a link to another member, and the archive does not hold that member. The layout was copied without the files that its links point to. Copy it again and follow links (`cp -L`, `tar --dereference`).',
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
      'Writers of such archives name a layer by a digest: crane, ko, kaniko, jib and containerify by that of the stored bytes (`<hex>.tar.gz`), podman and skopeo by the diff_id (`<hex>.tar`). This layer was packed again or exchanged after it got its name. Engines do not look at the name: they compare the tar with the diff_id of the config, and so does waybill. A comparison of the name with a registry compares another layer. Where the name is a diff_id this is a note. Save the image again.',
  },
  'digest-unchecked': {
    severity: 'warning',
    verdict: null,
    message: d => `not checked: waybill did not hash this blob with the algorithm of ${d.digest}`,
    explain:
      'waybill computes sha256 for everything, and sha512 for blobs that are named by it. The specification allows other algorithms (descriptor.md, Digests); waybill cannot check them, so the verdict "intact" stays open.',
  },
  'digest-weak': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `${d.digest} proves nothing: its algorithm is broken, so two contents can have this digest`,
    explain:
      'The digest uses an algorithm for which collisions can be computed (md5, sha1 and similar). The author of an image can make a second one with the same digest, and exchange the two after one was approved. Engines refuse such a digest. Make the image again with sha256.',
  },
  'inline-data-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `expected inline data with the digest ${d.expected}, found ${d.actual}`,
    explain:
      'A descriptor may embed its content as base64 in `data`. That content must have the digest of the descriptor (descriptor.md, data). A reader that uses `data` sees other content than a reader of the blob.',
  },
  'unreferenced-blobs': {
    severity: 'info',
    verdict: null,
    message: d =>
      `${d.count} ${d.count === 1 ? 'blob is' : 'blobs are'} referenced by nothing (${bytes(d.bytes)})`,
    explain:
      'The specification allows blobs that no document refers to (image-layout.md). Most are left over from a deleted image; they cost space, and engines do not load them. The v1 JSON that Docker 25 and later leaves for each layer is expected and not counted; nor are manifests about an image that is here, found by their `subject`.',
  },
  'manifest-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the manifest ${d.digest} is not in the archive`,
    explain:
      'An index lists this manifest, and the archive does not hold it. Engines cannot load the image from this archive. Save it again, with all platforms that you need (`docker save --platform`, `skopeo copy --all`).',
  },
  'platform-absent': {
    severity: 'info',
    verdict: 'complete',
    message: absentText,
    explain:
      'The archive holds an index of several platforms, but not every image that the index lists: docker save and ctr export keep the whole index and save only the images and attestations that the machine had. The platforms that are here are not affected. --require-complete makes this an error, for all platforms or for one. `manifest-missing` reports the absent manifests that no writer leaves out on purpose: those of an index without any image in the archive, those without a platform, and those of the same platform as an image that comes later in the index.',
  },
  'config-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the config ${d.ref} ${absent(d.target)}`,
    explain:
      'The config holds the platform, the command and the diff_ids of an image, and its digest is the image ID. Engines cannot load an image without it. Save the image again.',
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
      `layer ${d.layer + 1} (${d.ref}) is not distributed with the image: engines fetch it from ${d.urls.join(', ') || 'an address that the manifest does not give'}`,
    explain:
      'Foreign or non-distributable layers (Windows base layers, mostly) are left out of archives by design and fetched from their `urls` (descriptor.md). Behind an air gap, transfer them separately.',
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
  const isAllListed = required.length > 0 && total === here.length;
  const known = here.length === 0 ? [] : [isAllListed ? `it has: ${list(here)}` : share];
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
