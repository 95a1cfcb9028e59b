// The contestants and their commands.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultBase } from './cache.js';
import { FULL, makeFleet } from './fleet.js';

export interface Contestant {
  /** Unique within its race. IDs of waybill begin with `waybill`. */
  readonly id: string;
  readonly command: readonly string[];
  /** Commands that must be installed. */
  readonly needs: readonly string[];
}

export interface NodeVersion {
  readonly path: string;
  /** Suffix of the IDs of its contestants: empty for the Node that runs the suite. */
  readonly suffix: string;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(repository, 'bin/waybill.js');

/** A folder with so many copies of a small archive, made once beside the compiled benchmarks. */
export function fleetOf(count: number): string {
  const folder = join(repository, `dist/bench/fleet-${count}`);
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const file = join(folder, `${i}.tar`);
    if (!existsSync(file)) copyFileSync(join(repository, 'samples/hello-docker-28.tar'), file);
  }
  return folder;
}

/** The whole fleet of `fleet.ts`, made once beside the images: 2.3 GB. */
export function wholeFleet(): string {
  const folder = join(defaultBase(), 'fleet');
  if (!existsSync(join(folder, 'truth.ndjson'))) {
    rmSync(folder, { recursive: true, force: true });
    makeFleet(folder, FULL);
  }
  return join(folder, 'archives');
}

/** `waybill verify` in a process of its own for each archive of a folder, one after the other. */
export const processForEach = (folder: string): Contestant => ({
  id: 'waybill verify, a process each',
  command: ['find', folder, '-name', '*.tar', '-exec', process.execPath, bin, 'verify', '-q', '{}', ';'],
  needs: ['find'],
});

export function nodeVersions(others: readonly string[]): NodeVersion[] {
  return [
    { path: process.execPath, suffix: '' },
    ...others.map(path => {
      const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${path} is no Node`);
      return { path, suffix: `, Node ${stdout.trim().slice(1)}` };
    }),
  ];
}

/** Creates contestants with the parameters that all of them share. */
export class Starters {
  constructor(
    private readonly nodes: readonly NodeVersion[],
    /** A directory for the output of a contestant, emptied before each run. */
    readonly output: string,
  ) {}

  /** `waybill ARGS` on each Node. */
  waybill(id: string, ...args: string[]): Contestant[] {
    return this.nodes.map(({ path, suffix }) => ({
      id: `waybill ${id}${suffix}`,
      command: [path, bin, ...args],
      needs: [],
    }));
  }

  /** `waybill verify -`, from a pipe; and what the pipe alone takes. */
  stdin(file: string): Contestant[] {
    return [
      ...this.nodes.map(({ path, suffix }) => ({
        id: `waybill verify -${suffix}`,
        command: script('cat "$1" | "$2" "$3" verify -', file, path, bin),
        needs: [],
      })),
      { id: 'cat | cat', command: script('cat "$1" | cat > /dev/null', file), needs: [] },
    ];
  }

  /**
   * `waybill scan` of a folder with archives that cannot be read: the first run makes a cache, and the second one has
   * it.
   */
  scans(folder: string): Contestant[] {
    const scan = (prepare: string, path: string) =>
      script(`${prepare} "$1" "$2" scan -q --cache "$3-cache" "$3"; test $? = 2`, path, bin, folder);
    return this.nodes.flatMap(({ path, suffix }) => [
      { id: `waybill scan, first${suffix}`, command: scan('rm -rf "$3-cache";', path), needs: [] },
      { id: `waybill scan, again${suffix}`, command: scan('', path), needs: [] },
    ]);
  }

  /** A Node process that does nothing. */
  node(): Contestant[] {
    return this.nodes.map(({ path, suffix }) => ({
      id: `node -e 0${suffix}`,
      command: [path, '-e', '0'],
      needs: [],
    }));
  }

  skopeoCopy(source: string, ...options: string[]): Contestant {
    return {
      id: ['skopeo copy', ...options].join(' '),
      command: ['skopeo', 'copy', '-q', ...options, source, `dir:${join(this.output, 'copy')}`],
      needs: ['skopeo'],
    };
  }

  skopeoInspect(file: string): Contestant {
    return { id: 'skopeo inspect', command: ['skopeo', 'inspect', `oci-archive:${file}`], needs: ['skopeo'] };
  }

  umociUnpack(layout: string): Contestant {
    const rootless = process.getuid?.() === 0 ? [] : ['--rootless'];
    return {
      id: 'umoci unpack',
      command: ['umoci', 'unpack', ...rootless, '--image', `${layout}:1`, join(this.output, 'bundle')],
      needs: ['umoci'],
    };
  }

  podmanLoad(file: string): Contestant {
    const roots = ['--root', join(this.output, 'root'), '--runroot', join(this.output, 'run')];
    return { id: 'podman load', command: ['podman', ...roots, 'load', '-q', '-i', file], needs: ['podman'] };
  }
}

export const craneValidate = (file: string): Contestant => ({
  id: 'crane validate',
  command: ['crane', 'validate', '--tarball', file],
  needs: ['crane'],
});

export const dive = (file: string): Contestant => ({
  id: 'dive',
  command: ['env', 'CI=true', 'dive', '--source', 'docker-archive', file],
  needs: ['dive'],
});

export const opensslOf = (file: string): Contestant => ({
  id: 'openssl sha256',
  command: ['openssl', 'dgst', '-sha256', file],
  needs: ['openssl'],
});

export const tarList = (file: string): Contestant => ({
  id: 'tar tf',
  command: ['tar', '-tf', file],
  needs: ['tar'],
});

/** Unpacks and hashes files one after the other. */
export const unpackAndHash = (unpacker: 'gzip' | 'pigz' | 'zstd', files: readonly string[]): Contestant => ({
  id: `${unpacker} -dc | openssl sha256`,
  command: script(
    `set -e -o pipefail; for file; do ${unpacker} -dc "$file" | openssl dgst -sha256; done`,
    ...files,
  ),
  needs: [unpacker, 'openssl'],
});

export const nativeLimit = (layers: readonly string[]): Contestant => ({
  id: 'igzip + openssl + tar',
  command: ['bash', join(repository, 'bench/limit.sh'), ...layers],
  needs: ['igzip', 'openssl', 'tar'],
});

/** The files of the layers of a layout's only image. */
export function layersOf(layout: string): string[] {
  const json = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const blob = ({ digest }: { digest: string }) => `blobs/${digest.replace(':', '/')}`;
  const manifest = json(blob(json('index.json').manifests[0]));
  return manifest.layers.map((layer: { digest: string }) => join(layout, blob(layer)));
}

const script = (text: string, ...args: string[]) => ['bash', '-c', text, 'bash', ...args];
