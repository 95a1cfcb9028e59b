import { PackageURL } from 'packageurl-js';
import parseExpression from 'spdx-expression-parse';
import type { BillLicense, BillOfMaterials } from '../../report/doc.js';
import { parseReference } from '../../spec/reference.js';
import { uuidOf } from '../../spec/uuid.js';
import { version } from '../../version.js';
import type { ImagePackagesReport, PackageReport } from './index.js';

export interface BillOptions {
  readonly epoch?: number | null | undefined;
  /** Whether the list has all packages that the image states. */
  readonly isWhole: boolean;
  readonly types?: readonly string[] | undefined;
  readonly named?: readonly string[] | undefined;
  readonly in?: string | undefined;
  readonly ours?: boolean | undefined;
}

/**
 * The packages of an image as a bill of materials: data for CycloneDX and SPDX. The same image gives the same document:
 * its time is SOURCE_DATE_EPOCH, or the image's; its number is made of the image ID and the list.
 */
export function billOf(image: ImagePackagesReport, options: BillOptions): BillOfMaterials {
  const { distribution, layers, names, platform, imageId, manifestDigest } = image;
  const isFiltered = [options.types, options.named, options.in].some(filter => filter !== undefined);
  const packages = image.packages.map(entry => ({
    type: entry.type,
    group: entry.group,
    name: entry.name,
    version: entry.version,
    purl: entry.purl,
    license: licenseOf(entry),
    layer: entry.layer + 1,
    diffId: layers[entry.layer]?.diffId ?? null,
    instruction: layers[entry.layer]?.instruction ?? '',
    ours: entry.ours ?? null,
    paths: entry.paths,
  }));
  const about = { imageId, manifestDigest, distribution, packages };
  return {
    tool: version,
    id: uuidOf(JSON.stringify([version, about])),
    created: createdOf(image.created, options.epoch ?? null),
    name: names[0] ?? imageId ?? manifestDigest ?? 'image',
    platform,
    imageId,
    manifestDigest,
    purl: imagePurl(image),
    distribution,
    isWhole: options.isWhole && !isFiltered && options.ours !== true,
    packages,
  };
}

/**
 * RFC 3339 in whole seconds, as SPDX wants it. null where neither time is known: the image's is a claim, and may be any
 * text.
 */
function createdOf(created: string | null, epoch: number | null): string | null {
  const time = epoch === null ? Date.parse(created ?? '') : epoch * 1000;
  const date = new Date(time);
  const year = Number.isNaN(time) ? -1 : date.getUTCFullYear();
  return year < 0 || year > 9999 ? null : `${date.toISOString().slice(0, 19)}Z`;
}

/** `pkg:oci/NAME@DIGEST`, for an image with a name and a manifest. */
function imagePurl({ names, manifestDigest, platform }: ImagePackagesReport): string | null {
  const reference = parseReference(names[0] ?? '');
  if (manifestDigest === null || typeof reference === 'string') return null;
  const { domain, path, tag } = reference;
  const qualifiers: Record<string, string> = {
    repository_url: `${domain}/${path}`,
    ...(tag !== null && { tag }),
    ...(platform?.includes('/') && { arch: platform.split('/')[1]! }),
  };
  try {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return new PackageURL('oci', undefined, name, manifestDigest, qualifiers, undefined).toString();
  } catch {
    return null;
  }
}

/** Characters of a licence that is read as an expression: its parser is recursive. */
const LONGEST_EXPRESSION = 200;

function licenseOf({ license }: PackageReport): BillLicense | null {
  if (license === null) return null;
  const isShort = license.length <= LONGEST_EXPRESSION;
  try {
    if (isShort) parseExpression(license);
    return isShort ? { expression: license } : { name: license };
  } catch {
    return { name: license };
  }
}
