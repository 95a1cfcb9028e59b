import type { Graph, Place } from '../image/graph.js';
import { CONTAINERD_NAME, refName } from '../image/names.js';
import { type Observation, observe } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import { parseReference } from '../spec/reference.js';

/** What images and everything else in the archive are called: can the names be used, and do they mean what they look like? */
export function* checkNames(_scan: Scan, graph: Graph): Generator<Observation> {
  for (const { names, at } of [...graph.images, ...graph.artifacts, ...graph.indexes.map(located)]) {
    for (const name of names) yield* checkConfusable(name, at);
  }
  for (const { manifest } of graph.images) {
    for (const { descriptor, at } of manifest?.descriptors ?? []) {
      const name = descriptor.annotations.get(CONTAINERD_NAME) ?? refName(descriptor);
      // What deceives is told of already.
      if (name === null || name === '' || STRANGE.test(name)) continue;
      const reason = faultOf(name);
      if (reason !== null) yield observe('name-invalid', at, { name, reason });
    }
  }
}

const located = ({ names, path }: Graph['indexes'][number]) => ({ names, at: { path, pointer: null } });

/** Every name of an image is ASCII without spaces, by every grammar there is: anything else can only deceive the eye. */
function* checkConfusable(name: string, at: Place): Generator<Observation> {
  const characters = strangeIn(name);
  if (characters.length > 0) yield observe('name-confusable', at, { name, characters });
}

const STRANGE = /[^\x21-\x7e]/;

/** As code points, each once. A hostile name has millions of them. */
function strangeIn(name: string): string[] {
  const strange = new Set<number>();
  for (let i = 0; i < name.length; i++) {
    const code = name.codePointAt(i)!;
    if (code >= 0x21 && code <= 0x7e) continue;
    strange.add(code);
    if (code > 0xffff) i++;
  }
  return [...strange].map(code => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
}

/**
 * A reference, or the specification's own grammar of names: components with single separators between, `--` the only double one.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md (org.opencontainers.image.ref.name)
 */
function faultOf(name: string): string | null {
  const reference = parseReference(name);
  const isName =
    /^[\w.:@+/-]+$/.test(name) && !/^[^A-Za-z0-9]|[^A-Za-z0-9]$|---|[._:@+/-][._:@+/]|[._:@+/]-/.test(name);
  return typeof reference !== 'string' || isName ? null : reference;
}
