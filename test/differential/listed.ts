// Manifests of EVIL, and changed ones of GOOD.
import { digestOf, goJson, textOf } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { type Content, described } from '../support/oci.js';
import type { Draft } from './draft.js';

export type Json = Record<string, unknown>;

/** The same content with a changed document, under its new digest. */
export function remade(content: Content, change: (document: Json) => void): Content {
  const document = JSON.parse(textOf(content.blobs[0]!.bytes)) as Json;
  change(document);
  const bytes = Buffer.from(goJson(document));
  const digest = digestOf(bytes);
  return {
    descriptor: { ...content.descriptor, digest, size: bytes.length },
    blobs: [{ digest, bytes }, ...content.blobs.slice(1)],
  };
}

export const evilManifest = ({ evil }: Draft): Content => layouts.platformManifest(evil);

const REF = layouts.REF_ANNOTATION;
export const named = (content: Content, name: string): Content =>
  described(content, { annotations: { ...content.descriptor.annotations, [REF]: name } });
