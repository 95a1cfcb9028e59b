// The images of a fleet: bases that many share, dependencies that the releases of one program share, and a layer of
// each release. They follow from a seed, and are the same on every machine.
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../test/support/digest.js';
import { assemble, type Image, type Layer, layerOf, PATH_ENV } from '../../test/support/image.js';
import { headerBlocks, paddingOf } from '../images/header.js';
import { Random } from '../images/random.js';

const CREATED = 1_715_644_800;
const RELEASES = 8;
const MiB = 1024 * 1024;
export const BASES = 12;
const NAMES = ['alpine:3.20', 'debian:12', 'ubuntu:24.04', 'node:20', 'python:3.12', 'golang:1.22'];

export interface SpareFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How the layers of an image are stored. `stored` is gzip without compression, for content that does not shrink. */
export type Packing = 'none' | 'gzip' | 'stored' | 'zstd';

/** A release of a program: the same parts for every platform and packing. */
export interface Release {
  readonly app: string;
  readonly version: string;
  readonly base: string;
  readonly created: string;
  /** Tars, the base first. */
  readonly shared: readonly Buffer[];
  /** The last one, which is made for each platform; null in a base. */
  readonly own: ((architecture: string) => Buffer) | null;
}

/** A tar of files, without directories. */
export function tarOf(files: readonly SpareFile[]): Buffer {
  const pieces: Uint8Array[] = [];
  for (const { name, bytes } of files) {
    pieces.push(
      headerBlocks({ name, type: 'file', mode: 0o644, size: bytes.length, mtime: CREATED }),
      bytes,
      Buffer.alloc(paddingOf(bytes.length)),
    );
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

/** Bytes that do not shrink, from a seed. */
export function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

const text = (seed: string, length: number) =>
  Buffer.from(noise(seed, Math.ceil(length / 2)).toString('hex')).subarray(0, length);

/** `head` bytes of noise, then zeros, which take no space on a disk. `head` of the whole length: nothing but noise. */
function bulk(seed: string, length: number, head: number): Buffer {
  const bytes = Buffer.alloc(length);
  noise(seed, Math.min(head, length)).copy(bytes);
  return bytes;
}

/** RFC 8878: a frame of raw blocks, which needs no compressor. */
export function zstdFrame(bytes: Uint8Array): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  header.writeUInt32LE(bytes.length, 5);
  const pieces: Uint8Array[] = [header];
  const BLOCK = 128 * 1024;
  for (let at = 0; at === 0 || at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const last = at + BLOCK >= bytes.length ? 1 : 0;
    const size = Buffer.alloc(3);
    size.writeUIntLE(last | (block.length << 3), 0, 3);
    pieces.push(size, block);
  }
  return Buffer.concat(pieces);
}

export function gzip(bytes: Uint8Array, level = 6): Buffer {
  const packed = gzipSync(bytes, { level });
  // RFC 1952 2.3: OS (byte 9) differs between platforms, 255 is "unknown".
  packed[9] = 255;
  return packed;
}

const PACKED: Readonly<Record<Packing, (tar: Uint8Array) => Uint8Array>> = {
  none: tar => tar,
  gzip: tar => gzip(tar),
  stored: tar => gzip(tar, 0),
  zstd: zstdFrame,
};

/** Releases of programs, one after another, and the images of their platforms. */
export class Images {
  private readonly layers = new Map<string, Layer>();
  private readonly bases: readonly { readonly name: string; readonly tars: readonly Buffer[] }[];
  private made = 0;

  /**
   * @param size    bytes of an image's layers together
   * @param packed  content that does not shrink, instead of zeros with some noise before them
   */
  constructor(
    private readonly seed: string,
    private readonly size: number,
    private readonly packed: boolean,
  ) {
    this.bases = Array.from({ length: BASES }, (_, number) => this.base(number));
  }

  private content(seed: string, share: number): Buffer {
    const length = Math.round(this.size * share);
    if (length < 64 * 1024) return text(`${this.seed} ${seed}`, length);
    return bulk(`${this.seed} ${seed}`, length, this.packed ? length : 64 * 1024);
  }

  private base(number: number): { readonly name: string; readonly tars: readonly Buffer[] } {
    const name = NAMES[number % NAMES.length]!;
    const release = `ID=${name.replace(/:.*/, '')}\nVERSION_ID=${number}\nPRETTY_NAME="${name}"\n`;
    const system = tarOf([
      { name: 'etc/os-release', bytes: Buffer.from(release) },
      { name: 'etc/passwd', bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
      { name: 'usr/lib/libc.so.6', bytes: this.content(`base ${number}`, number % 3 === 0 ? 0.5 : 0.4) },
    ]);
    if (number % 3 === 0) return { name, tars: [system] };
    const tools = tarOf([
      { name: 'usr/bin/tool', bytes: this.content(`tools ${number}`, 0.1) },
      { name: 'etc/ssl/certs/ca.pem', bytes: Buffer.from(`certificates ${number}\n`) },
    ]);
    return { name, tars: [system, tools] };
  }

  /** The next release: {@link RELEASES} of one program follow each other. */
  next(): Release {
    const number = this.made++;
    const program = Math.floor(number / RELEASES);
    const random = new Random(program);
    const { name, tars } = this.bases[random.below(BASES)]!;
    const app = `app-${String(program).padStart(4, '0')}`;
    const version = `1.${number % RELEASES}.0`;
    const dependencies = tarOf([
      { name: 'app/lib/dependencies', bytes: this.content(`dependencies ${program}`, 0.2) },
    ]);
    const own = (architecture: string) =>
      tarOf([
        { name: `app/bin/${app}`, bytes: this.content(`${number} ${architecture}`, 0.3) },
        { name: 'app/version', bytes: Buffer.from(`${version} ${architecture}\n`) },
      ]);
    const created = new Date((CREATED + number * 3600) * 1000).toISOString().replace('.000', '');
    return { app, version, base: name, created, shared: [...tars, dependencies], own };
  }

  /** One of the {@link BASES} bases, by itself. */
  baseRelease(number: number): Release {
    const { name, tars } = this.bases[number % BASES]!;
    const [app, version] = name.split(':') as [string, string];
    const created = new Date(CREATED * 1000).toISOString().replace('.000', '');
    return {
      app,
      version: `${version}-${number % BASES}`,
      base: 'scratch',
      created,
      shared: tars,
      own: null,
    };
  }

  image(release: Release, packing: Packing = 'none', architecture = 'amd64'): Image {
    const shared = release.shared.map(tar => this.layer(tar, packing));
    const own = release.own === null ? [] : [packedLayer(release.own(architecture), packing)];
    const layers = [...shared, ...own];
    return assemble(Buffer.from(JSON.stringify(configOf(release, architecture, layers))), layers);
  }

  /** A layer that more than one image has is packed once. */
  private layer(tar: Buffer, packing: Packing): Layer {
    const key = `${packing} ${digestOf(tar)}`;
    const known = this.layers.get(key);
    if (known !== undefined) return known;
    const made = packedLayer(tar, packing);
    this.layers.set(key, made);
    if (this.layers.size > (this.size > MiB ? 12 : 64)) this.layers.delete(this.layers.keys().next().value!);
    return made;
  }
}

const packedLayer = (tar: Buffer, packing: Packing) =>
  layerOf(tar, PACKED[packing](tar), packing === 'stored' ? 'gzip' : packing);

function configOf(release: Release, architecture: string, layers: readonly Layer[]): object {
  const { created, base } = release;
  const steps = layers.map((_, at) =>
    at < layers.length - 2 ? `ADD rootfs-${at} / # ${base}` : `COPY ${at} /app/`,
  );
  return {
    architecture,
    config: {
      Env: [PATH_ENV],
      Cmd: [`/app/bin/${release.app}`],
      Labels: {
        'org.opencontainers.image.base.name': `docker.io/library/${base}`,
        'org.opencontainers.image.version': release.version,
      },
    },
    created,
    history: steps.map(created_by => ({ created, created_by, comment: 'buildkit.dockerfile.v0' })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
}
