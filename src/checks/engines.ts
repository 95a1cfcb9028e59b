import type { Member } from '../containers/source.js';
import { type EngineName, engineLoads, limitOf } from '../engines/predict.js';
import type { LoadedImage } from '../engines/verdict.js';
import { isText } from '../link/classify.js';
import type { Graph, Image } from '../link/graph.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';

/**
 * An image that an engine takes from the file must be one that is shown: the same config, and the same layers in their
 * order.
 */
export function* checkEngines(scan: Scan, graph: Graph): Generator<Observation> {
  // Without their bytes, members cannot be compared.
  if (scan.depth === 'metadata') return;
  // Images that are not reported because of a limit are covered by the limit's finding.
  if (limitOf(graph) !== null) return;
  const contents = new Contents(scan);
  const shown = new Set(graph.images.map(image => contents.keyOfImage(image)));
  const hidden = new Map<string, { readonly image: LoadedImage; readonly engines: Set<EngineName> }>();
  for (const { engine, ...image } of engineLoads(scan)) {
    const key = contents.keyOf(image);
    if (shown.has(key) || !canUnpack(scan, image)) continue;
    const known = hidden.get(key) ?? { image, engines: new Set() };
    hidden.set(key, known);
    known.engines.add(engine);
  }
  for (const { image, engines } of hidden.values()) {
    const { config, layers } = image;
    yield observe('engines-disagree', memberAt(config?.path ?? ''), {
      engines: [...engines],
      config: config === null ? null : contents.digestOf(config),
      layers: layers.map(layer => contents.digestOf(layer)),
      shown: config === null ? null : shownLayers(graph, contents, config),
    });
  }
}

/**
 * Attestations and signatures have the config of an image and layers of text. Engines store them but cannot unpack
 * them; nor can they unpack a layer that is not a file.
 */
export const canUnpack = (scan: Scan, { layers }: LoadedImage): boolean =>
  layers.every(({ type }) => type === 'file') &&
  (layers.length === 0 || !layers.every(layer => isText(scan, layer)));

/** The layers of the reported images with a config. */
function shownLayers({ images }: Graph, contents: Contents, config: Member): string[] | null {
  const digest = contents.digestOf(config);
  const same = images.find(
    image => image.config?.member && contents.digestOf(image.config.member) === digest,
  );
  return same?.layers.map(({ member, ref }) => (member === null ? ref : contents.digestOf(member))) ?? null;
}

/** Members by their content. */
export class Contents {
  private readonly known = new Map<Member, string>();
  /** Each content has one. */
  private readonly numbers = new Map<string, number>();

  constructor(private readonly scan: Scan) {}

  /** Short, because an archive may list a hundred layers in a thousand images. */
  keyOf({ config, layers }: LoadedImage): string {
    return [config, ...layers].map(member => (member === null ? '' : this.numberOf(member))).join();
  }

  /** The key of an image of the archive: that of what an engine loads, where it loads that image. */
  keyOfImage({ kind, config, layers }: Image): string {
    return this.keyOf({
      config: kind === 'v1' ? null : (config?.member ?? null),
      layers: layers.flatMap(({ member }) => member ?? []),
    });
  }

  private numberOf(member: Member): number {
    const digest = this.digestOf(member);
    const number = this.numbers.get(digest) ?? this.numbers.size;
    this.numbers.set(digest, number);
    return number;
  }

  /** The digest of a layer's tar, or else of the stored bytes; the path where these were not read. */
  digestOf(member: Member): string {
    const known = this.known.get(member);
    if (known !== undefined) return known;
    const facts = this.scan.facts(member);
    const digest = facts?.unpacked?.digests.sha256 ?? facts?.digests?.sha256 ?? member.path;
    this.known.set(member, digest);
    return digest;
  }
}
