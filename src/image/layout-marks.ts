import { isObject, type JsonObject, own } from '../spec/json.js';
import type { Archive } from './archive.js';

/** What the writer of an image layout leaves in its two files at the top. All else is content, and travels from writer to writer. */
export interface LayoutMarks {
  readonly indexText: string;
  readonly layoutText: string;
  readonly entries: readonly JsonObject[];
}

/** Marks stand at the beginning; an index is as long as its author likes. */
const LOOKED_AT = 64 * 1024;

/** How many entries of an index are looked at for marks. */
const ENTRIES = 1000;

export function layoutMarks(archive: Archive): LayoutMarks | null {
  const [index, layout] = ['index.json', 'oci-layout'].map(name => {
    const member = archive.scan.file(archive.path(name));
    return member === null ? null : archive.scan.document(member);
  });
  if (index?.bytes == null || layout?.bytes == null) return null;
  const listed = isObject(index.value) ? own(index.value, 'manifests') : null;
  return {
    indexText: textOf(index.bytes),
    layoutText: textOf(layout.bytes),
    entries: Array.isArray(listed) ? listed.slice(0, ENTRIES).filter(isObject) : [],
  };
}

/** The beginning and the last byte. */
const textOf = (bytes: Uint8Array): string =>
  bytes.length <= LOOKED_AT
    ? Buffer.from(bytes).toString()
    : Buffer.concat([bytes.subarray(0, LOOKED_AT), bytes.subarray(-1)]).toString();

/** go-containerregistry writes this text and no other. */
export const isGgcr = ({ layoutText }: LayoutMarks): boolean =>
  layoutText === '{\n    "imageLayoutVersion": "1.0.0"\n}';

/** Go's Encoder ends what it writes with a newline, where Marshal does not. */
export const isEncoded = (marks: LayoutMarks): boolean =>
  marks.layoutText === '{"imageLayoutVersion":"1.0.0"}\n' &&
  isCompact(marks) &&
  marks.indexText.endsWith('}\n');

/** Before it used the specification's types, containers/image had the file as a text of its own. */
export const isContainersText = (marks: LayoutMarks): boolean =>
  marks.layoutText === '{"imageLayoutVersion": "1.0.0"}' && isCompact(marks) && marks.indexText.endsWith('}');

/** As Go writes the types of the specification, with no annotation but names. */
export function isPlain(marks: LayoutMarks): boolean {
  const { layoutText, indexText, entries } = marks;
  if (layoutText !== '{"imageLayoutVersion":"1.0.0"}') return false;
  if (!isCompact(marks) || !indexText.endsWith('}') || entries.length === 0) return false;
  return entries.every(entry => {
    const [first, second, third] = Object.keys(entry);
    const isOrdered = first === 'mediaType' && second === 'digest' && third === 'size';
    return isOrdered && annotationsOf(entry).every(key => key === 'org.opencontainers.image.ref.name');
  });
}

export const isCompact = ({ indexText }: LayoutMarks): boolean =>
  indexText.startsWith('{"schemaVersion":2,"');

export function annotationsOf(entry: JsonObject): string[] {
  const annotations = own(entry, 'annotations');
  return isObject(annotations) ? Object.keys(annotations) : [];
}

export const hasAnnotation = ({ entries }: LayoutMarks, key: string): boolean =>
  entries.some(entry => annotationsOf(entry).includes(key));

export const annotationStarts = ({ entries }: LayoutMarks, key: string, prefix: string): boolean =>
  entries.some(entry => {
    const annotations = own(entry, 'annotations');
    const value = isObject(annotations) ? own(annotations, key) : undefined;
    return typeof value === 'string' && value.startsWith(prefix);
  });
