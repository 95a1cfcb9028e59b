/**
 * The digest of the modules that this program was built of, which a bundle has in place of this module
 * (`bin/modules.ts`): two builds of one version, as developers have them, may compute other facts.
 */
export const build: string = 'unbundled';
