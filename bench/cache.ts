// Keeps the generated images outside of the tree, until the code that makes them changes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageName, planOf } from './images/catalogue.js';
import { makeDocker, makeOci } from './images/image.js';
import { canPack, packRange } from './images/packing.js';

/**
 * `outer` is `docker` with gzip around all of it; `layout` is `gzip` as a directory, for tools that do not read
 * archives.
 */
export type Form = 'docker' | 'outer' | 'gzip' | 'zstd' | 'layout';

interface FormMaker {
  readonly file: (name: ImageName) => string;
  /** False if this machine cannot make it. */
  readonly possible?: () => boolean;
  readonly make: (cache: ImageCache, name: ImageName, path: string) => Promise<void>;
}

const FORMS: Readonly<Record<Form, FormMaker>> = {
  docker: {
    file: name => `${name}-docker.tar`,
    make: async (_, name, path) => makeDocker(planOf(name), path),
  },
  outer: {
    file: name => `${name}-docker.tar.gz`,
    make: async (cache, name, path) => {
      const file = await cache.path(name, 'docker');
      const output = openSync(`${path}.part`, 'w');
      await packRange({ file, start: 0, size: statSync(file).size }, 'gzip', piece =>
        writeSync(output, piece),
      );
      closeSync(output);
      renameSync(`${path}.part`, path);
    },
  },
  gzip: {
    file: name => `${name}-oci-gzip.tar`,
    make: async (cache, name, path) => makeOci(await cache.path(name, 'docker'), 'gzip', path),
  },
  zstd: {
    file: name => `${name}-oci-zstd.tar`,
    possible: () => canPack('zstd'),
    make: async (cache, name, path) => makeOci(await cache.path(name, 'docker'), 'zstd', path),
  },
  layout: {
    file: name => `${name}-layout-gzip`,
    make: async (cache, name, path) => {
      const file = await cache.path(name, 'gzip');
      mkdirSync(`${path}.part`, { recursive: true });
      const { status } = spawnSync('tar', ['-xf', file, '-C', `${path}.part`], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      if (status !== 0) throw new Error(`tar cannot unpack ${file}`);
      renameSync(`${path}.part`, path);
    },
  },
};

export class ImageCache {
  readonly folder: string;

  /** @param say  called with the name of an image that is being made, because that takes minutes */
  constructor(
    private readonly base: string,
    private readonly say: (text: string) => void,
  ) {
    this.folder = join(base, PREFIX + makersDigest());
    mkdirSync(this.folder, { recursive: true });
    for (const other of readdirSync(base)) {
      const path = join(base, other);
      if (other.startsWith(PREFIX) && path !== this.folder) rmSync(path, { recursive: true, force: true });
    }
  }

  /** Directory for the output of contestants. Its path is short, because podman refuses long ones. */
  get output(): string {
    return join(this.base, 'output');
  }

  canMake(form: Form): boolean {
    return FORMS[form].possible?.() ?? true;
  }

  /** The path of the image in this form, which is made if it does not exist. */
  async path(name: ImageName, form: Form): Promise<string> {
    const maker = FORMS[form];
    const path = join(this.folder, maker.file(name));
    if (!existsSync(path)) {
      this.say(`making ${name} as ${form}`);
      await maker.make(this, name, path);
    }
    return path;
  }
}

const PREFIX = 'images-';

export const defaultBase = (): string =>
  process.env.WAYBILL_BENCH_DIR ?? join(tmpdir(), 'waybill-bench-cache');

/** Digest of the code that makes images: other code makes other images. */
function makersDigest(): string {
  const hash = createHash('sha256');
  const folder = new URL('images/', import.meta.url);
  for (const file of readdirSync(folder).sort())
    if (file.endsWith('.js')) hash.update(readFileSync(new URL(file, folder)));
  return hash.digest('hex').slice(0, 12);
}
