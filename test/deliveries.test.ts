// The central promise: however an archive is delivered, waybill sees the same.
import { createReadStream } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Depth, InputError, type Report, readArchive, reportOf } from '../src/index.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from './support/corpus.js';

/** Everything but how it came: file, container and size differ by nature. */
async function contents(input: string | AsyncIterable<Uint8Array>, depth: Depth): Promise<unknown> {
  try {
    const { archive, ...rest }: Report = reportOf(await readArchive(input, { depth }));
    return { ...rest, layout: archive.layout, producer: archive.producer, marks: archive.marks };
  } catch (error) {
    if (error instanceof InputError) return error.what;
    throw error;
  }
}

const tars = corpus().filter(({ truth }) => truth.input.form === 'tar');
const run = testWhen(test, tars.length > 0, NO_SHARED_FOLDER);
if (tars.length === 0) run('corpus', () => {});

for (const { id, file } of tars) {
  for (const depth of ['metadata', 'digests'] as const) {
    run(`seekable and streamed: ${id} (${depth})`, async () => {
      const seekable = await contents(file, depth);
      assert.equal(await contents(createReadStream(file, { highWaterMark: 10_007 }), depth), seekable);
    });
  }
}

test.run();
