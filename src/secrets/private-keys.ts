import { ANY_EFFORT, CANDIDATE, type Effort, type Found, type SecretKind } from './secret.js';
import { isPlaceholder } from './shapes.js';

const MARK = Buffer.from('PRIVATE KEY');
const DASHES = Buffer.from('-----');
const BEGIN = '-----BEGIN ';
/** The longest label before the mark is `ENCRYPTED ` or `OPENSSH `. RFC 7468 */
const LABEL_MAX = 24;
/** RSA of 16,384 bits has 12.7 kB of PEM; PGP keys with photographs and subkeys more. */
const BODY_MAX = 64 * 1024;
/** Base64 of the smallest key, Ed25519 in PKCS #8, has 64 characters; so much is left of a line where a key is cut. */
const BODY_MIN = 40;

/**
 * Private keys in PEM: PKCS #1, PKCS #8, SEC 1, DSA, OpenSSH and PGP, also as one line of JSON or of a variable, with
 * `\n` for line ends, and cut short. A header without a body, as programs have it that read keys, is none. RFC 7468,
 * RFC 4880
 */
export function* privateKeysIn(bytes: Buffer, effort: Effort = ANY_EFFORT): Generator<Found> {
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length)) {
    if (!effort.spend(CANDIDATE)) return;
    const key = keyAt(bytes, at);
    if (key !== null) yield key;
  }
}

function keyAt(bytes: Buffer, mark: number): Found | null {
  const from = Math.max(0, mark - BEGIN.length - LABEL_MAX);
  const before = bytes.toString('latin1', from, mark);
  const begin = before.lastIndexOf(BEGIN);
  if (begin < 0) return null;
  const label = before.slice(begin + BEGIN.length).trim();
  if (!/^[A-Z0-9 ]*$/.test(label)) return null;
  const after = mark + MARK.length;
  const isPgp = bytes.toString('latin1', after, after + 6) === ' BLOCK';
  const head = after + (isPgp ? 6 : 0);
  if (bytes.toString('latin1', head, head + 5) !== '-----') return null;
  // The next dashes end the body, so that many headers without one take no longer than the file is.
  const dashes = bytes.indexOf(DASHES, head + 5);
  const end = Math.min(dashes < 0 ? bytes.length : dashes, head + 5 + BODY_MAX);
  const isEnded = end === dashes && bytes.toString('latin1', end + 5, end + 8) === 'END';
  const { body, isEncrypted, isOnlyBase64 } = bodyOf(bytes.toString('latin1', head + 5, end));
  const isWhole = isEnded && isOnlyBase64;
  if (body.length < BODY_MIN || !isKeyText(body)) return null;
  return { kind: kindOf(label, isPgp, isEncrypted, isWhole, body), at: from + begin, value: body };
}

function kindOf(label: string, isPgp: boolean, marked: boolean, isWhole: boolean, body: string): SecretKind {
  if (isPgp || label === 'PGP') return 'pgp-private-key';
  const isEncrypted = marked || label === 'ENCRYPTED' || (label === 'OPENSSH' && isEncryptedOpenSsh(body));
  if (isEncrypted) return 'encrypted-private-key';
  return isWhole ? 'private-key' : 'truncated-private-key';
}

/** `openssh-key-v1`, a NUL, and the name of the cipher: `none` for a key without passphrase. openssh PROTOCOL.key */
function isEncryptedOpenSsh(body: string): boolean {
  const head = Buffer.from(body.slice(0, 64), 'base64').toString('latin1');
  return head.startsWith('openssh-key-v1\0') && head.slice(19, 23) !== 'none';
}

/** Separators of the lines if the text is embedded: in JSON, YAML, or a string of a program. */
const BETWEEN = /(?:\\[nrt]|[\s"',\\])+/g;

function bodyOf(text: string): { body: string; isEncrypted: boolean; isOnlyBase64: boolean } {
  const isEncrypted = /^[\s\\nr]{0,8}Proc-Type: 4,ENCRYPTED/.test(text);
  const joined = withoutHeaders(text).replace(BETWEEN, '');
  const [body] = /^[A-Za-z0-9+/=]*/.exec(joined)!;
  return { body, isEncrypted, isOnlyBase64: body.length === joined.length };
}

/** The lines `Proc-Type: …` and `Version: …` before the body, up to the empty line. RFC 1421, RFC 4880 section 6.2 */
function withoutHeaders(text: string): string {
  if (!/^[\s\\nr]{0,8}[A-Z][A-Za-z-]{2,20}: /.test(text)) return text;
  const blank = /\r?\n[ \t]*\r?\n|\\n\\n/.exec(text.slice(0, 2000));
  return blank === null ? '' : text.slice(blank.index + blank[0].length);
}

/** Random bytes use most of the alphabet: 40 characters of them have some 30 different ones. */
const isKeyText = (body: string) =>
  new Set(body.slice(0, 200)).size >= 12 && !isPlaceholder(body.slice(0, 200));

/** A key file of PuTTY is one from its first byte on. PuTTY manual, appendix C */
export function* puttyKeysIn(bytes: Buffer): Generator<Found> {
  if (bytes.toString('latin1', 0, 20) !== 'PuTTY-User-Key-File-') return;
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, BODY_MAX));
  const lines = /Private-Lines: \d{1,4}\r?\n([A-Za-z0-9+/=\r\n]{16,60000})/.exec(text);
  if (lines === null) return;
  const isEncrypted = !/^Encryption: none\s*$/m.test(text);
  const value = lines[1]!.replace(/[\r\n]/g, '');
  yield { kind: isEncrypted ? 'encrypted-private-key' : 'putty-private-key', at: lines.index, value };
}
