import type { BillOfMaterials, BillPackage, Result } from '../report/doc.js';
import { jsonPieces } from './json.js';

/** A bill of materials of CycloneDX 1.6. https://cyclonedx.org/docs/1.6/json */
export function cyclonedxPieces({ bill }: Result): Iterable<string> {
  // Only `packages` takes this format, and then makes a bill.
  return bill === undefined ? [] : jsonPieces(cyclonedx(bill));
}

function cyclonedx(bill: BillOfMaterials): object {
  const { id, created, tool, distribution, packages, isWhole } = bill;
  const root = rootComponent(bill);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${id}`,
    version: 1,
    metadata: {
      ...(created !== null && { timestamp: created }),
      tools: { components: [{ type: 'application', name: 'waybill', version: tool }] },
      component: root,
    },
    components: [
      ...(distribution === null ? [] : [systemComponent(distribution)]),
      ...packages.map((entry, i) => packageComponent(entry, i)),
    ],
    compositions: [{ aggregate: isWhole ? 'unknown' : 'incomplete', assemblies: [root['bom-ref']] }],
  };
}

function rootComponent({ name, manifestDigest, imageId, purl, platform }: BillOfMaterials) {
  const version = manifestDigest ?? imageId;
  const properties = [
    ...property('waybill:imageId', imageId),
    ...property('waybill:manifestDigest', manifestDigest),
    ...property('waybill:platform', platform),
  ];
  return {
    'bom-ref': version ?? 'image',
    type: 'container',
    name,
    ...(version !== null && { version }),
    ...(purl !== null && { purl }),
    ...(properties.length > 0 && { properties }),
  };
}

function systemComponent({ id, versionId, prettyName }: NonNullable<BillOfMaterials['distribution']>) {
  return {
    'bom-ref': 'distribution',
    type: 'operating-system',
    name: id,
    ...(versionId !== null && { version: versionId }),
    ...(prettyName !== null && { description: prettyName }),
  };
}

function packageComponent(entry: BillPackage, i: number) {
  const { type, group, name, version, purl, license, paths } = entry;
  const scope = type === 'npm' ? /^(@[^/]+)\/(.+)$/.exec(name) : null;
  const [namespace, base] = scope === null ? [group, name] : [scope[1]!, scope[2]!];
  return {
    'bom-ref': `package-${i + 1}`,
    type: 'library',
    ...(namespace !== null && { group: namespace }),
    name: base,
    ...(version !== null && { version }),
    ...(license !== null && {
      licenses: ['name' in license ? { license: { name: license.name } } : license],
    }),
    ...(purl !== null && { purl }),
    properties: [
      { name: 'waybill:type', value: type },
      { name: 'waybill:layer', value: String(entry.layer) },
      ...property('waybill:layer:diffId', entry.diffId),
      ...property('waybill:layer:instruction', entry.instruction || null),
      ...property('waybill:ours', entry.ours === null ? null : String(entry.ours)),
    ],
    evidence: { occurrences: paths.map(path => ({ location: `/${path}` })) },
  };
}

const property = (name: string, value: string | null) => (value === null ? [] : [{ name, value }]);
