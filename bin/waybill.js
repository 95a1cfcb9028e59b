#!/usr/bin/env node
// Starts the bundle. Every Node since 12 must parse this file and print the sentence, so nothing is imported
// statically.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 20 || (major === 20 && minor >= 17)) import('../dist/bundle/cli.js');
else {
  process.stderr.write(
    `waybill: Node ${process.versions.node} is too old: waybill needs Node 20.17 or later\n`,
  );
  process.exitCode = 2;
}
