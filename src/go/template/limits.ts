// Templates may come from anywhere: what one may make us hold or do.

/** How deep actions and parentheses may nest in one template, so that reading them stays within the stack. */
export const MAX_NESTING = 100;

/**
 * Control actions, invoked templates and pipelines under execution at a time, so that they stay within the stack. Go
 * allows 100,000 templates within templates on its stack, which grows, and 1,000 on WebAssembly's, which does not.
 */
export const MAX_ACTIVE = 500;

/** Characters of output, and of any text made on the way. The packages of one platform may take 20 MiB of JSON. */
export const MAX_TEXT = 64 * 1024 * 1024;

/** Characters that all functions read and make. */
export const MAX_WORK = 4 * MAX_TEXT;

/** Pieces that a text is split into. */
export const MAX_PIECES = 4_000_000;

/**
 * Actions executed and elements ranged over. The largest listing imaginable, of a million lines, takes some millions.
 */
export const MAX_STEPS = 10_000_000;

/**
 * How deep data may nest, so that printing it stays within the stack. Go's encoding/json allows 10,000; real documents
 * of images nest some twenty times.
 */
export const MAX_DATA_DEPTH = 250;
