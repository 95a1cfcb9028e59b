// `show` reads only headers and documents: reading all of this archive would take minutes.
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive, reportOf } from '../../src/commands.js';
import { dockerSave } from '../support/docker-layouts.js';
import { plainImage } from '../support/image.js';
import { isFile } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const HUGE = 200 * 1024 ** 3;

/** A member of 200 GB whose content is a hole in the file. */
function hugeHeader(name: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block[124] = 0x80;
  block.writeBigUInt64BE(BigInt(HUGE), 128);
  block.write('00000000000\0', 136);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return block;
}

test('a tar of 200 GB is shown from its headers', async () => {
  const image = await plainImage('huge');
  const tar = await toTar(dockerSave({ image, tags: ['huge:1'] }).filter(isFile));
  const file = join(temporary('seek'), 'huge.tar');
  const fd = openSync(file, 'w');
  writeSync(fd, hugeHeader('padding.bin'), 0, 512, 0);
  writeSync(fd, tar, 0, tar.length, 512 + HUGE);
  closeSync(fd);
  truncateSync(file, 512 + HUGE + tar.length);
  const report = reportOf(await readArchive(file, { depth: 'metadata' }));
  assert.equal(
    report.images.map(i => i.names),
    [['huge:1']],
  );
  assert.is(report.images[0]!.imageId, image.imageId);
  assert.equal(report.findings, []);
});

test.run();
