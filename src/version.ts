import { createRequire } from 'node:module';

const { version: packageVersion } = createRequire(import.meta.url)('../../package.json') as {
  version: string;
};

/** The version of this package. The bundle has the value in place of this module (`bin/bundle.ts`). */
export const version: string = packageVersion;
