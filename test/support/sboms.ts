// SBOMs in each format, of the same packages.
export interface ListedPackage {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
}

export const spdx2 = (packages: readonly ListedPackage[]): object => ({
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  packages: [
    { SPDXID: 'SPDXRef-Root', name: 'app' },
    ...packages.map(({ name, version, purl }, i) => ({
      SPDXID: `SPDXRef-${i}`,
      name,
      versionInfo: version,
      ...(purl !== undefined && { externalRefs: [{ referenceType: 'purl', referenceLocator: purl }] }),
    })),
    { SPDXID: 'SPDXRef-OS', name: 'debian', primaryPackagePurpose: 'OPERATING-SYSTEM' },
  ],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-Root' },
  ],
});

export const spdx3 = (packages: readonly ListedPackage[]): object => ({
  '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
  '@graph': [
    { type: 'software_Sbom', rootElement: ['urn:root'] },
    { type: 'software_Package', spdxId: 'urn:root', name: 'app' },
    ...packages.map(({ name, version, purl }, i) => ({
      type: 'software_Package',
      spdxId: `urn:${i}`,
      name,
      software_packageVersion: version,
      software_packageUrl: purl,
    })),
  ],
});

/** The second package lies in the first. */
export const cyclonedx = ([first, ...rest]: readonly ListedPackage[]): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  components: [
    { type: 'operating-system', name: 'debian' },
    ...(first === undefined
      ? []
      : [{ type: 'library', ...first, components: rest.map(one => ({ type: 'library', ...one })) }]),
  ],
});

export const syft = (packages: readonly ListedPackage[]): object => ({
  artifacts: packages,
  descriptor: { name: 'syft', version: '1.0.0' },
  schema: { version: '16.0.0' },
});
