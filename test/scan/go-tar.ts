// Go's reading of tars, by oracle.go.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

export const hasGo = spawnSync('go', ['version']).status === 0;

/** Strings are bytes in base64. */
export interface GoEntry {
  readonly name: string;
  readonly flag: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: readonly (readonly [string, string])[];
  readonly contents: string;
}

export interface GoAnswer {
  readonly entries: readonly GoEntry[];
  readonly error: string;
}

export function readByGo(tars: readonly Uint8Array[]): readonly GoAnswer[] {
  const folder = temporary('go-tar');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(repositoryRoot, 'test', 'scan', 'oracle.go'), join(folder, 'main.go'));
  writeFileSync(join(folder, 'go.mod'), 'module main\n\ngo 1.18\n');
  const places = { GOCACHE: join(folder, 'cache'), GOPATH: join(folder, 'path'), GOPROXY: 'off' };
  const env = { ...process.env, ...places, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  execFileSync('go', ['build', '-o', 'oracle', '.'], { cwd: folder, env, stdio: 'pipe' });
  const paths = tars.map((tar, i) => {
    const path = join(folder, `${i}.tar`);
    writeFileSync(path, tar);
    return path;
  });
  const output = execFileSync(join(folder, 'oracle'), { input: JSON.stringify(paths), maxBuffer: 2 ** 29 });
  return JSON.parse(output.toString()) as GoAnswer[];
}
