import type { IndexNode } from '../link/graph.js';
import { type Descriptor, ZSTD_MARK } from '../spec/descriptor.js';
import { type Platform, platformKey } from '../spec/platform.js';

/** The platforms of images that are in the archive, by the digests of their manifests. */
export type PlatformsHere = ReadonlyMap<string | null, Platform | null>;

/** An OS that is not stated is to containerd that of the host, whichever it is. */
const ANY = '';
const EVERY = '*';

/** The images of an index in the orders in which engines take them. */
export class IndexOrder {
  private readonly orders: readonly Order[];

  constructor({ manifests }: IndexNode, here: PlatformsHere) {
    const isMarked = manifests.some(isZstd);
    this.orders = (isMarked ? [false, true] : [false]).map(prefersZstd => new Order(manifests, prefersZstd));
    for (const descriptor of manifests.filter(({ digestText }) => here.has(digestText))) {
      const keys = keysOf(descriptor.platform ?? here.get(descriptor.digestText) ?? null);
      if (descriptor.platform === null) keys.push('');
      for (const order of this.orders) for (const key of keys) order.add(key, descriptor);
    }
  }

  /** The image that some engine passes over because it takes this entry, which is none, before it. */
  behind(entry: Descriptor): Descriptor | null {
    const { platform } = entry;
    const keys =
      platform === null
        ? ['']
        : platform.os === ANY
          ? [keyOn(platform, EVERY)]
          : [keyOn(platform, platform.os), keyOn(platform, ANY)];
    for (const order of this.orders) {
      const image = order.passedOver(keys, entry);
      if (image !== null) return image;
    }
    return null;
  }

  /** Pairs of images for one platform of which engines take the first, and those that prefer zstd the second. */
  divided(): (readonly [Descriptor, Descriptor])[] {
    const [plain, zstd] = this.orders;
    if (zstd === undefined) return [];
    const pairs = new Map<Descriptor, readonly [Descriptor, Descriptor]>();
    for (const [key, second] of zstd.first) {
      const first = plain!.first.get(key)!;
      if (first !== second) pairs.set(second, [first, second]);
    }
    return [...pairs.values()];
  }
}

/**
 * One order of the entries. Engines take the first of several for one platform, and entries without a platform after
 * all others (image-index.md). containers/image 5.27 and later take entries that are marked as compressed with zstd
 * before others of their platform (internal/manifest/oci_index.go).
 */
class Order {
  /** The first image for each key of a platform. */
  readonly first = new Map<string, Descriptor>();
  private readonly places: ReadonlyMap<Descriptor, number>;

  constructor(manifests: readonly Descriptor[], prefersZstd: boolean) {
    const rank = (entry: Descriptor) =>
      (entry.platform === null ? 2 : 0) + (prefersZstd && isZstd(entry) ? 0 : 1);
    this.places = new Map(manifests.map((entry, i) => [entry, rank(entry) * manifests.length + i]));
  }

  add(key: string, image: Descriptor): void {
    const known = this.first.get(key);
    if (known === undefined || this.isBefore(image, known)) this.first.set(key, image);
  }

  passedOver(keys: readonly string[], entry: Descriptor): Descriptor | null {
    const images = keys.flatMap(key => this.first.get(key) ?? []);
    return images.find(image => this.isBefore(entry, image)) ?? null;
  }

  private isBefore(one: Descriptor, other: Descriptor): boolean {
    return this.places.get(one)! < this.places.get(other)!;
  }
}

const isZstd = ({ annotations }: Descriptor): boolean => annotations.get(ZSTD_MARK) === 'true';

const keyOn = (platform: Platform, os: string): string => platformKey({ ...platform, os });

const keysOf = (platform: Platform | null): string[] =>
  platform === null ? [] : [platformKey(platform), keyOn(platform, EVERY)];
