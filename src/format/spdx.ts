import type { BillLicense, BillOfMaterials, BillPackage, Result } from '../report/doc.js';
import { jsonPieces } from './json.js';

/** A document of SPDX 2.3 in JSON. https://spdx.github.io/spdx-spec/v2.3 */
export function spdxPieces({ bill }: Result): Iterable<string> {
  // Only `packages` takes this format, and then makes a bill.
  return bill === undefined ? [] : jsonPieces(spdx(bill));
}

const UNKNOWN = 'NOASSERTION';
/** SPDX requires a time; an image without one is as old as SOURCE_DATE_EPOCH=0 says. */
const NO_TIME = '1970-01-01T00:00:00Z';
const ROOT = 'SPDXRef-Image';
const SYSTEM = 'SPDXRef-Distribution';

function spdx(bill: BillOfMaterials): object {
  const { id, name, created, tool, distribution, packages, isWhole } = bill;
  const licenses = new LicenseTexts();
  const listed = packages.map((entry, i) => ({ id: `SPDXRef-Package-${i + 1}`, entry }));
  const contained = [...(distribution === null ? [] : [SYSTEM]), ...listed.map(one => one.id)];
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/waybill-${id}`,
    ...(!isWhole && { comment: 'Packages of the image are missing: filters, or files that cannot be read.' }),
    creationInfo: { created: created ?? NO_TIME, creators: [`Tool: waybill-${tool}`] },
    packages: [
      imagePackage(bill),
      ...(distribution === null ? [] : [systemPackage(distribution)]),
      ...listed.map(one => packageOf(one.id, one.entry, licenses)),
    ],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', ROOT),
      ...contained.map(part => relationship(ROOT, 'CONTAINS', part)),
    ],
  };
  const hasExtractedLicensingInfos = licenses.all();
  return hasExtractedLicensingInfos.length === 0 ? document : { ...document, hasExtractedLicensingInfos };
}

const relationship = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
  spdxElementId,
  relationshipType,
  relatedSpdxElement,
});

const NOT_KNOWN = {
  downloadLocation: UNKNOWN,
  filesAnalyzed: false,
  licenseConcluded: UNKNOWN,
  copyrightText: UNKNOWN,
} as const;

function imagePackage({ name, manifestDigest, imageId, purl, platform }: BillOfMaterials) {
  const version = manifestDigest ?? imageId;
  return {
    SPDXID: ROOT,
    name,
    ...(version !== null && { versionInfo: version }),
    ...NOT_KNOWN,
    licenseDeclared: UNKNOWN,
    primaryPackagePurpose: 'CONTAINER',
    ...(platform !== null && { comment: `platform ${platform}` }),
    ...references(purl),
  };
}

const systemPackage = ({ id, versionId, prettyName }: NonNullable<BillOfMaterials['distribution']>) => ({
  SPDXID: SYSTEM,
  name: id,
  ...(versionId !== null && { versionInfo: versionId }),
  ...NOT_KNOWN,
  licenseDeclared: UNKNOWN,
  primaryPackagePurpose: 'OPERATING_SYSTEM',
  ...(prettyName !== null && { description: prettyName }),
});

function packageOf(id: string, entry: BillPackage, licenses: LicenseTexts) {
  const { group, name, version, purl, license, layer, diffId, instruction, ours, paths } = entry;
  const made = instruction === '' ? '' : `: ${instruction}`;
  const whose = ours === null ? '' : ours ? ', above the base' : ', of the base';
  return {
    SPDXID: id,
    name: group === null ? name : `${group}:${name}`,
    ...(version !== null && { versionInfo: version }),
    ...NOT_KNOWN,
    licenseDeclared: license === null ? UNKNOWN : licenses.declared(license),
    sourceInfo: `stated by ${paths.map(path => `/${path}`).join(', ')}`,
    comment: `layer ${layer}${diffId === null ? '' : ` (${diffId})`}${whose}${made}`,
    ...references(purl),
  };
}

const references = (purl: string | null) =>
  purl === null
    ? {}
    : {
        externalRefs: [
          { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl },
        ],
      };

/** Licences that are no SPDX expression, by their references. */
class LicenseTexts {
  private readonly texts = new Map<string, string>();

  declared(license: BillLicense): string {
    if ('expression' in license) return license.expression;
    const known = this.texts.get(license.name) ?? `LicenseRef-${this.texts.size + 1}`;
    this.texts.set(license.name, known);
    return known;
  }

  all() {
    return [...this.texts].map(([text, licenseId]) => ({ licenseId, name: text, extractedText: text }));
  }
}
