// The published JSON Schema against every report that the corpus and the samples give.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError, idsReport, readArchive, reportOf } from '../src/index.js';
import { corpus, repositoryRoot } from './support/corpus.js';

const schema = JSON.parse(readFileSync(join(repositoryRoot, 'docs/schema.json'), 'utf8')) as object;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

function valid(report: unknown, what: string): void {
  assert.ok(
    validate(JSON.parse(JSON.stringify(report))),
    `${what}: ${JSON.stringify(validate.errors, null, 1)}`,
  );
}

const samples = readdirSync(join(repositoryRoot, 'samples'))
  .filter(name => /\.(tar|gz|zip)$/.test(name))
  .map(name => ({ id: name, file: join(repositoryRoot, 'samples', name) }));

for (const { id, file } of [...samples, ...corpus()]) {
  test(`schema: ${id}`, async () => {
    try {
      const reading = await readArchive(file);
      valid(reportOf(reading), `${id} verify`);
      valid(idsReport(reading, { find: 'sha256:44136fa3' }), `${id} ids`);
      valid(reportOf(await readArchive(file, { depth: 'metadata' })), `${id} show`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  });
}

test('the schema refuses what is no report', () => {
  assert.not.ok(validate({ schemaVersion: 2 }));
});

test.run();
