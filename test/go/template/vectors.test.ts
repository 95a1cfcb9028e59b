// The recorded vectors of text/template with Docker's functions.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderTemplate, TemplateError } from '../../../src/go/template/index.js';
import { NO_SHARED_FOLDER, sharedFolder, testWhen } from '../../support/corpus.js';

interface Vectors {
  readonly data: unknown;
  readonly vectors: readonly {
    readonly template: string;
    readonly output?: string;
    readonly error?: string;
  }[];
}

const file = join(sharedFolder, 'gotemplate-vectors.json');

function outcome(template: string, data: unknown): { output?: string; error?: string } {
  try {
    return { output: renderTemplate(template, data) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { error: error.phase };
  }
}

testWhen(
  test,
  existsSync(file),
  NO_SHARED_FOLDER,
)('every vector gives its output or fails in its phase', () => {
  const { data, vectors } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
  assert.is(vectors.length, 120);
  for (const { template, ...expected } of vectors) assert.equal(outcome(template, data), expected, template);
});

test.run();
