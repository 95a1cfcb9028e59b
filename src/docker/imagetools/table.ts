import { tabwriter } from '../../go/tabwriter.js';
import { decode, type Guard } from '../../go/template/index.js';
import { withDigest } from '../manifest/name.js';
import { isIndex, type StoredDocument } from '../manifest/store.js';
import { type DescriptorRaw, INDEX, type IndexRaw } from '../manifest/types.js';
import { printedPlatform } from './input.js';

/** What `docker buildx imagetools inspect` prints without a format, and with one that begins with `{{.Manifest`. */
export function imagetoolsTable(ref: string, document: StoredDocument, guard: Guard = text => text): string {
  const { mediaType, digest } = document;
  const head = rows([`Name:\t${guard(ref)}`, `MediaType:\t${guard(mediaType)}`, `Digest:\t${guard(digest)}`]);
  if (!isIndex(document)) return head;
  const { Manifests } = decode(INDEX, document.value, document) as IndexRaw;
  return `${head}${rows(['\t', 'Manifests:\t'])}${manifestRows(ref, Manifests ?? [], guard)}`;
}

/** Columns are aligned anew behind every block of annotations, which is aligned by itself. */
function manifestRows(ref: string, manifests: readonly DescriptorRaw[], guard: Guard): string {
  const out: string[] = [];
  let section: string[] = [];
  for (const [i, manifest] of manifests.entries()) {
    if (i > 0) section.push('\t');
    section.push(...describe(ref, manifest).map(([title, text]) => `  ${title}:\t${guard(text)}`));
    const annotations = manifest.Platform == null ? [] : [...(manifest.Annotations ?? [])];
    if (annotations.length === 0) continue;
    section.push('  Annotations:\t');
    // buildx takes them as Go's map gives them, in another order every time.
    const sorted = annotations.sort(([a], [b]) => (a < b ? -1 : 1));
    out.push(rows(section), rows(sorted.map(([key, value]) => `    ${guard(key)}:\t${guard(value)}`)));
    section = [];
  }
  return out.join('') + rows(section);
}

function describe(ref: string, manifest: DescriptorRaw): (readonly [title: string, text: string])[] {
  const { Digest = '', MediaType = '', Platform, URLs } = manifest;
  const lines: (readonly [string, string])[] = [
    ['Name', withDigest(ref, Digest)],
    ['MediaType', MediaType],
  ];
  // Without a platform, buildx leaves out what else it knows.
  if (Platform == null) return lines;
  lines.push(['Platform', printedPlatform(Platform)]);
  if (Platform.OSVersion) lines.push(['OSVersion', Platform.OSVersion]);
  if (Platform.OSFeatures?.length) lines.push(['OSFeatures', Platform.OSFeatures.join(', ')]);
  if (URLs?.length) lines.push(['URLs', URLs.join(', ')]);
  return lines;
}

function rows(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return tabwriter(lines.map(line => `${line}\n`).join(''), { minWidth: 0, tabWidth: 0, padding: 1 });
}
