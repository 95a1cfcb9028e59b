// Files on the machine: special files in directories, names that are not UTF-8, files that change during reading.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { extractFiles } from '../../src/commands/extract/files.js';
import { extractLayers } from '../../src/commands/extract/layers.js';
import { InputError, readArchive } from '../../src/commands.js';
import { saveReport } from '../../src/write/output-file.js';
import { repositoryRoot } from '../support/corpus.js';
import * as layouts from '../support/layouts.js';
import { toDirectory, toTar } from '../support/pack.js';
import { readInput, refusal, saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';
import { type Attack, type Chapter, proved, refused, verified } from './attack.js';
import { item, oci } from './material.js';

const layer = layouts.blobPath(item.layers[1]!.digest);

/** A layout as a directory, with a change to it. */
function folder(change: (root: string) => void): string {
  const root = toDirectory(oci, join(temporary('attack'), 'layout'));
  change(root);
  return root;
}

const replaced = (path: string, by: (file: string) => void) => (root: string) => {
  rmSync(join(root, path));
  by(join(root, path));
};

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Runs the command as a process, because arguments as bytes need one. */
function waybill(args: readonly (string | Buffer)[]): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  // A shell passes bytes; Node would convert them to text.
  const quoted = args.map(arg => `$'${[...Buffer.from(arg as string)].map(octal).join('')}'`).join(' ');
  const command = `exec "$0" "$1" ${quoted}`;
  const bin = join(repositoryRoot, 'bin/waybill.js');
  const done = spawnSync('bash', ['-c', command, process.execPath, bin], {
    encoding: 'latin1',
    timeout: 30_000,
  });
  return done;
}

const octal = (byte: number) => `\\${byte.toString(8).padStart(3, '0')}`;

const changing = (attack: string, change: (file: string) => void): Attack =>
  proved(
    attack,
    'An error that says what changed. The verdict *intact* is not true.',
    async () => {
      const file = saved(await toTar(oci), 'changing.tar');
      let isOver = false;
      const onProgress = () => {
        if (!isOver) change(file);
        isOver = true;
      };
      const { report, exitCode } = await readInput(file, { onProgress });
      assert.ok(report.findings.some(({ code }) => code === 'file-changed'));
      assert.is(report.verdicts.intact, false);
      assert.is(exitCode, 1);
    },
    { findings: ['file-changed'], exit: 1 },
  );

export const machine: Chapter = {
  title: 'Directories and files of the machine',
  attacks: [
    verified(
      'A named pipe in a layout that is a directory, in place of a layer',
      'Never opened, because that would block for ever.',
      () => folder(replaced(layer, file => execFileSync('mkfifo', [file]))),
      { findings: ['special-file', 'layer-missing'], exit: 1, verdicts: { complete: false } },
    ),
    verified(
      'The same, in place of index.json',
      'The same.',
      () => folder(replaced('index.json', file => execFileSync('mkfifo', [file]))),
      { findings: ['special-file', 'index-missing'], exit: 1, images: 0 },
    ),
    verified(
      'A blob that is a link to /etc/passwd, or to an endless device',
      'Not followed: a link may only lead to another file of the layout.',
      () => folder(replaced(layer, file => symlinkSync('/dev/zero', file))),
      { findings: ['unsafe-link', 'blob-link-broken', 'layer-missing'], exit: 1 },
    ),
    verified(
      'A folder of blobs that is a link to a folder elsewhere',
      'The same.',
      () =>
        folder(root => {
          renameSync(join(root, 'blobs'), `${root}-blobs`);
          symlinkSync(`${root}-blobs`, join(root, 'blobs'));
        }),
      { findings: ['unsafe-link', 'manifest-missing'], exit: 1, images: 0 },
    ),
    verified(
      'Links that make a circle of directories',
      'Links to directories are not entered, and are errors.',
      () =>
        folder(root => {
          symlinkSync('..', join(root, 'up'));
          symlinkSync('.', join(root, 'here'));
        }),
      { findings: ['unsafe-link', 'link-unexpected'], exit: 1, verdicts: { intact: true } },
    ),
    verified(
      'Files and directories whose names are not UTF-8',
      'An error that says so; everything else is read.',
      () =>
        folder(root => {
          const odd = Buffer.concat([Buffer.from(`${root}/`), bytes('\xff\xfe')]);
          mkdirSync(odd);
          writeFileSync(Buffer.concat([odd, bytes('/\x80')]), 'x');
        }),
      { findings: ['unreadable'], exit: 1 },
    ),
    proved(
      'An archive whose own name is not UTF-8',
      'Refused, with the advice to use standard input.',
      () => {
        const above = temporary('attack');
        const file = Buffer.concat([Buffer.from(`${above}/`), bytes('\xff.tar')]);
        writeFileSync(file, 'x');
        const { status, stderr } = waybill(['verify', file]);
        assert.is(status, 2);
        assert.match(stderr, /no such file or directory/);
        assert.match(stderr, /UTF-8/);
      },
      { exit: 2 },
    ),
    proved(
      'Paths with a NUL, to read from and to write to',
      'Refused. The path before the NUL is not opened instead.',
      async () => {
        const file = saved(await toTar(oci), 'nul.tar');
        const above = temporary('attack');
        const attempts = [
          () => readArchive(`${file}\0.tar`),
          () => extractFiles(file, join(above, 'root\0x')),
          () => extractLayers(file, {}, join(above, 'layers\0x')),
          async () => saveReport(join(above, 'report\0.html'), 'x'),
        ];
        for (const attempt of attempts)
          assert.match((await refusal(attempt())).message, 'has a NUL in its name');
        assert.equal(readdirSync(above), []);
      },
      { exit: 2 },
    ),
    refused('An endless device', 'Read up to the limits.', () => '/dev/zero', /a tar with nothing in it/),
    refused(
      'A file of /proc with a reported size of 0',
      'Refused.',
      () => '/proc/self/mem',
      /empty \(0 bytes\)/,
    ),
    proved(
      'A directory that is not a layout, such as `/`, `/proc` or `/dev`',
      'Refused after reading two levels of it.',
      async () => {
        for (const root of ['/', '/proc', '/dev']) {
          const error = await refusal(readArchive(root));
          assert.instance(error, InputError);
          assert.match(error.message, 'a directory that is no image layout');
        }
      },
      { exit: 2 },
    ),
    changing('A file that grows while it is read', file => appendFileSync(file, Buffer.alloc(512))),
    changing('A file that is replaced while it is read', file => {
      writeFileSync(`${file}.new`, 'another');
      renameSync(`${file}.new`, file);
    }),
  ],
};
