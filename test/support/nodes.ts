// Other versions of Node, which `.ci/run` fetches from npm: WAYBILL_NODES names the folder that has one of each.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import type { Run } from './cli.js';
import { testWhen } from './corpus.js';

const majorOf = (version: string) => Number(version.split('.')[0]);

/** The binary of a major version; null where it is not there. */
export function nodeOf(major: number): string | null {
  if (majorOf(process.versions.node) === major) return process.execPath;
  const { WAYBILL_NODES: folder } = process.env;
  if (folder === undefined || folder === '') return null;
  const package_ = `node-${process.platform}-${process.arch}`;
  const file = join(folder, String(major), 'node_modules', package_, 'bin/node');
  return existsSync(file) ? file : null;
}

/** A test with a version of Node; it is skipped, visibly, where that is not there. */
export function testWithNode(
  major: number,
  title: string,
  body: (node: string) => Promise<void> | void,
): void {
  const node = nodeOf(major);
  testWhen(
    test,
    node !== null,
    `there is no Node ${major}: WAYBILL_NODES`,
  )(`Node ${major}: ${title}`, () => body(node!));
}

export function runNode(node: string, args: readonly string[], input: string | Uint8Array = ''): Run {
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_OPTIONS: undefined };
  return spawnSync(node, args, { input, encoding: 'utf8', maxBuffer: 2 ** 28, env });
}
