// The published schema of CycloneDX 1.6.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Ajv from 'ajv';

const ajv = new Ajv.default({ strict: false, validateFormats: false });
const require = createRequire(import.meta.url);
const SCHEMAS = join(require.resolve('@cyclonedx/cyclonedx-library/package.json'), '../res/schema');
const schema = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'));
for (const name of [
  'spdx.SNAPSHOT.schema.json',
  'jsf-0.82.SNAPSHOT.schema.json',
  'cryptography-defs.SNAPSHOT.schema.json',
])
  ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`);
/** Whether a document is valid; its `errors` say why not. */
export const cyclonedx = ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'));
