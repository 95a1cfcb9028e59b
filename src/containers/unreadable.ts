import { InputError, isSystemError, reasonOf } from '../errors.js';
import { exists } from '../permission.js';
import { parseReference, type Reference } from '../spec/reference.js';

const FAILS = 'The disk or the network share has an error: copy the file to another disk and read the copy.';
const NOT_ALLOWED = 'Run as a user who can read it, or change its permissions.';
const TOO_MANY = 'Close other programs, or raise the limit of open files (`ulimit -n`).';

/** The remedy where a file changes while it is read. */
export const CHANGED = 'Wait until no program writes to it, or make a copy, then try again.';

/** The remedy for an error of the system, by its code. errno(3) */
const REMEDIES: Readonly<Record<string, string>> = {
  EIO: FAILS,
  ESTALE: FAILS,
  ETIMEDOUT: FAILS,
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  ENOENT: 'It was removed or replaced while waybill read it. Wait until it is complete, then try again.',
};

/**
 * Runs `step`, which reads.
 * @param where  the file as the user named it
 * @throws InputError in place of the system's error
 */
export async function reading<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw unreadable(error, where);
  }
}

/** An InputError in place of the system's error; any other error as it is. */
export function unreadable(error: unknown, where: string): unknown {
  if (!isSystemError(error)) return error;
  const what = `cannot be read: ${reasonOf(error)}`;
  const remedy = error.code === 'ENOENT' && isReplaced(where) ? NOT_UTF8 : (REMEDIES[error.code] ?? null);
  return new InputError(what, where, remedy, { cause: error, damaged: true });
}

/** Node passes no name that is not UTF-8: it has replaced the invalid bytes by U+FFFD. */
const isReplaced = (file: string): boolean => file.includes('\ufffd');
const NOT_UTF8 = 'If its name is not UTF-8, rename it, or pipe it: `waybill verify - < FILE`.';

/** The remedy for a file that does not exist: what the name may have meant. */
export const missing = (file: string): InputError =>
  new InputError('no such file or directory', file, remedyFor(file));

function remedyFor(file: string): string | null {
  if (isReplaced(file)) return NOT_UTF8;
  const beginning = fileBefore(file);
  if (beginning !== null) return `An image of ${beginning} is named ${beginning}#REF.`;
  const name = imageName(file);
  if (name === null) return null;
  const tar = `${name.path.split('/').at(-1)}.tar`;
  return `If it is an image, save it to a file first: docker save ${file} -o ${tar}, or skopeo copy docker://${file} oci-archive:${tar}`;
}

/** `app.tar:1.2`: the file that stands before a colon, as skopeo writes it. */
function fileBefore(file: string): string | null {
  const ends = [...file.matchAll(/:/g)].map(({ index }) => file.slice(0, index));
  return ends.find(end => end !== '' && exists(end)) ?? null;
}

/** Common names of files and layouts. */
const LIKE_A_FILE = /^[./~]|\.(?:tar|t[gx]z|tbz2?|tzst|gz|zst|xz|bz2|zip|json|oci)$|\/$/i;

/** null for a name that looks like a file's: by its beginning or end, or as a path without a registry and a tag. */
function imageName(file: string): Reference | null {
  const reference = LIKE_A_FILE.test(file) ? 'invalid' : parseReference(file);
  if (typeof reference === 'string') return null;
  const isPlainPath = file.includes('/') && reference.domain === 'docker.io';
  return isPlainPath && reference.tag === null && reference.digest === null ? null : reference;
}
