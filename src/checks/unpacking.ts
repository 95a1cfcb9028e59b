import type { Image } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import { severityOf, unloadables } from '../image/unloadable.js';
import type { Scan } from '../scan/scan.js';

/** What engines refuse when they unpack the layers of an image, one upon the other, and what they unpack differently. */
export function* checkUnpacking(scan: Scan, image: Image): Generator<Observation> {
  const { layers } = image;
  for (const [layer, { member }] of layers.entries()) {
    if (member === null) continue;
    const { compression: codec, tarToo: tar, skippable } = scan.head(member);
    // A compressed stream that some readers do not take for one.
    if (tar || skippable)
      yield observe('layer-stream-ambiguous', memberAt(member.path), { layer, codec, tar });
  }
  for (const unloadable of unloadables(scan, image)) {
    const at = memberAt(layers[unloadable.layer]!.member!.path);
    const data = { ...unloadable, engines: [...unloadable.engines] };
    yield observe('layer-unloadable', at, data, severityOf(unloadable));
  }
}
