// The program and Node in one executable: Node's "single executable application".
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In Node's binary; the value that says that a program follows is written in its place. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** A program of its own, because it changes how the process that loads it handles errors. */
const POSTJECT = createRequire(import.meta.url).resolve('postject/dist/cli.js');

/**
 * Makes an executable. What is added to the binary depends on the version of Node, and not on the system: it has
 * neither a snapshot nor a code cache. https://nodejs.org/api/single-executable-applications.html
 * @param program  the single file as a script
 * @param node     the binary of Node that it contains. One that needs libnode.so, as some distributions have it, is
 *                 refused
 * @param maker    the same version of Node for this system, if `node` is for another one
 */
export function makeExecutable(output: string, program: string, node: string, maker = node): void {
  if (!readFileSync(node).includes(FUSE))
    throw new Error(`${node}: is not a Node that a program can be added to: use one of nodejs.org`);
  const folder = mkdtempSync(join(tmpdir(), 'waybill-executable-'));
  try {
    // Relative, because the executable contains the name of its main program.
    const [main, blob, config] = ['waybill.cjs', 'blob', 'config.json'] as const;
    writeFileSync(join(folder, main), program);
    const settings = {
      main,
      output: blob,
      disableExperimentalSEAWarning: true,
      // It would start a third faster, but Node prints a warning wherever NODE_OPTIONS has an option of V8's, such as
      // --max-old-space-size: the cache is then rejected.
      useCodeCache: false,
      useSnapshot: false,
      // Threads run the same text.
      assets: { program: main },
    };
    writeFileSync(join(folder, config), JSON.stringify(settings));
    execFileSync(maker, ['--experimental-sea-config', config], { cwd: folder, stdio: 'ignore' });
    copyFileSync(node, output);
    chmodSync(output, 0o755);
    const resource = ['NODE_SEA_BLOB', join(folder, blob)];
    const options = ['--sentinel-fuse', FUSE];
    execFileSync(process.execPath, [POSTJECT, output, ...resource, ...options], { stdio: 'ignore' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
