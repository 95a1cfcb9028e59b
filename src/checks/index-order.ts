import type { IndexNode } from '../link/graph.js';
import type { Descriptor } from '../spec/descriptor.js';
import { type Platform, platformKey } from '../spec/platform.js';

/** The platforms of images that are in the archive, by the digests of their manifests. */
export type PlatformsHere = ReadonlyMap<string | null, Platform | null>;

/** An OS that is not stated is to containerd that of the host, whichever it is. */
const ANY = '';
const EVERY = '*';

/**
 * The images of an index in the order in which engines take them: of several entries for one platform the first, and
 * entries without a platform after all others (image-index.md; containers/image internal/manifest/oci_index.go).
 */
export class IndexOrder {
  private readonly first = new Map<string, Descriptor>();
  private readonly positions: ReadonlyMap<Descriptor, number>;

  constructor({ manifests }: IndexNode, here: PlatformsHere) {
    this.positions = new Map(manifests.map((descriptor, position) => [descriptor, position]));
    for (const descriptor of manifests.filter(({ digestText }) => here.has(digestText))) {
      const { platform } = descriptor;
      if (platform === null) this.add('', descriptor);
      for (const key of keysOf(platform ?? here.get(descriptor.digestText) ?? null))
        this.add(key, descriptor);
    }
  }

  /** The image that engines pass over because they take this entry, which is none, before it. */
  behind(entry: Descriptor): Descriptor | null {
    const { platform } = entry;
    const keys =
      platform === null
        ? ['']
        : platform.os === ANY
          ? [keyOn(platform, EVERY)]
          : [keyOn(platform, platform.os), keyOn(platform, ANY)];
    const place = this.placeOf(entry);
    const images = keys.flatMap(key => this.first.get(key) ?? []);
    return images.find(image => place < this.placeOf(image)) ?? null;
  }

  private add(key: string, descriptor: Descriptor): void {
    const known = this.first.get(key);
    if (known === undefined || this.placeOf(descriptor) < this.placeOf(known))
      this.first.set(key, descriptor);
  }

  private placeOf(descriptor: Descriptor): number {
    const position = this.positions.get(descriptor)!;
    return descriptor.platform === null ? this.positions.size + position : position;
  }
}

const keyOn = (platform: Platform, os: string): string => platformKey({ ...platform, os });

const keysOf = (platform: Platform | null): string[] =>
  platform === null ? [] : [platformKey(platform), keyOn(platform, EVERY)];
