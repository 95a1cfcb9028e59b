// The packages in the deliveries: their bill of materials.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { distributionOf } from '../../src/packages/os-release.js';
import { purlOf } from '../../src/packages/purl.js';
import { uuidOf } from '../../src/spec/uuid.js';
import type { PackedPackage } from '../modules.js';
import type { SystemPackages } from './system-packages.js';

export interface BillParts {
  readonly version: string;
  readonly packages: readonly PackedPackage[];
  /** The version of Node in the executable and the image. */
  readonly node: string;
  /** The packages whose libraries are in the image; null where they are not known. */
  readonly system: SystemPackages | null;
  readonly seconds: number;
}

interface Component {
  readonly type: 'application' | 'library' | 'platform';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
}

const npmPurl = (name: string, version: string): string => `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;

const component = (type: Component['type'], name: string, version: string, licence: string): Component => ({
  type,
  'bom-ref': npmPurl(name, version),
  name,
  version,
  purl: npmPurl(name, version),
  licenses: [/[ ()]/.test(licence) ? { expression: licence } : { license: { id: licence } }],
});

function systemComponents({ release, packages }: SystemPackages) {
  const distribution = distributionOf(Buffer.from(release));
  return packages.map(({ name, version, architecture: arch }) => {
    const purl = purlOf({ type: 'deb', group: null, name, version, arch }, distribution)!;
    // Their licences are many, and stand in the image.
    return { type: 'library', 'bom-ref': purl, name, version, purl } as const;
  });
}

/** A CycloneDX 1.6 document. https://cyclonedx.org/docs/1.6/json/ */
export function billOfMaterials({ version, packages, node, system, seconds }: BillParts): string {
  const own = component('application', 'waybill', version, 'Apache-2.0');
  const components = [
    ...packages.map(({ name, version: of, licence }) => component('library', name, of, licence)),
    {
      ...component('platform', 'node', node, 'MIT'),
      'bom-ref': `pkg:generic/node@${node}`,
      purl: `pkg:generic/node@${node}`,
    },
    ...(system === null ? [] : systemComponents(system)),
  ];
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
  } as const;
  const body = {
    metadata: { timestamp: new Date(seconds * 1000).toISOString(), component: own },
    components,
    dependencies: [{ ref: own['bom-ref'], dependsOn: components.map(part => part['bom-ref']) }],
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(body))}`;
  return `${JSON.stringify({ ...head, serialNumber, ...body }, null, 2)}\n`;
}

/**
 * The licence of Node with those of what it contains, as an archive of Node or a package has it.
 * @throws Error if there is none
 */
export function nodeLicence(binary: string): string {
  for (const place of ['../LICENSE', '../share/doc/node/LICENSE', '../share/doc/nodejs/copyright'])
    try {
      return readFileSync(join(dirname(binary), place), 'utf8');
    } catch {}
  throw new Error(`${binary}: its licence is not beside it, and must be distributed with it`);
}
