import { argumentsIn, assignmentsIn, namedSecret, urlPasswordsIn } from './assignments.js';
import { authsIn, azureKeysIn, isServiceAccount, readersOf } from './credential-files.js';
import { privateKeysIn, puttyKeysIn } from './private-keys.js';
import { isText, isUtf16, type Manner } from './searched-files.js';
import { ANY_EFFORT, type Effort, type Found, fingerprintOf, nameWithout, type Secret } from './secret.js';
import { tokensIn } from './tokens.js';

/** Secrets told of one file or text; one with more is a list of them, and its first ones say so. */
const MOST = 100;

/** How the characters of a text are written. A text without a byte order mark has bytes that are taken as they are. */
export type Encoding = 'bytes' | 'utf-16le' | 'utf-16be';

/** A piece of a text that is searched piece by piece. */
export interface TextPart {
  /** Told by the first bytes of the text; null where these are not text. */
  readonly encoding: Encoding | null;
  /** The line of its first character, from 1. */
  readonly line: number;
  /** Secrets that begin from this byte on are left to the next piece, which has those bytes too. */
  readonly end: number;
}

export const encodingOf = (head: Buffer): Encoding | null =>
  !isText(head) ? null : !isUtf16(head) ? 'bytes' : head[0] === 0xff ? 'utf-16le' : 'utf-16be';

/**
 * The secrets in a file, each once, by the line on which it stands first. Never throws, whatever the bytes are, and
 * takes time in proportion to their number.
 *
 * @param path  in the image, without a leading slash
 * @param effort  what it may still cost
 */
export function secretsIn(
  content: Uint8Array,
  path: string,
  manner: Manner,
  effort: Effort = ANY_EFFORT,
  part?: TextPart,
): Secret[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const { encoding, line, end } = part ?? { encoding: encodingOf(bytes), line: 1, end: bytes.length };
  if (encoding === null) return [];
  if (encoding === 'bytes')
    return told(
      bytes,
      distinct(foundIn(bytes, path, manner, effort)).filter(({ at }) => at < end),
      line,
    );
  const text = narrowed(isUtf16(bytes) ? bytes.subarray(2) : bytes, encoding);
  return told(
    text,
    distinct(foundIn(text, path, manner, effort)).filter(({ at }) => 2 * at < end),
    line,
  );
}

/** The secrets in an environment variable, label or build argument. */
export function secretsInVariable(name: string, value: string): Secret[] {
  return told(NOTHING, distinct(foundInVariable(name, value)));
}

/** The secrets in a command of an image's history. */
export function secretsInCommand(command: string): Secret[] {
  return told(NOTHING, distinct(foundInCommand(command)));
}

/** A command of an image's history, with three asterisks for each secret in it: what may be shown of it. */
export function withoutSecrets(command: string): string {
  const found = distinct(foundInCommand(command));
  if (found.length === 0) return command;
  const shown = concealed(command, found);
  // Of a key in lines, or inside of base64, the value does not stand there as it is.
  const isLeft = shown === command || distinct(foundInCommand(shown)).length > 0 || found.some(isPacked);
  return isLeft ? `${/^\s*[A-Za-z]{1,20}\b/.exec(command)?.[0] ?? ''} ${CONCEALED}`.trimStart() : shown;
}

/** The words of a command in the same way; an option and its value are two of them. */
export function wordsWithoutSecrets(words: readonly string[]): readonly string[] {
  const found = distinct(foundInCommand(words.join(' ')));
  if (found.length === 0) return words;
  return words.map(word => {
    const shown = concealed(word, found);
    return found.some(isPacked) || withoutSecrets(shown) !== shown ? CONCEALED : shown;
  });
}

/** The value of a variable or label, or three asterisks where a secret is in it. */
export const valueWithoutSecrets = (name: string, value: string): string =>
  foundInVariable(name, value).next().done === true ? value : CONCEALED;

const CONCEALED = '***';

function concealed(text: string, found: readonly Found[]): string {
  return found
    .map(({ value }) => Buffer.from(value, 'latin1').toString())
    .sort((a, b) => b.length - a.length)
    .reduce(
      (shown, value) => shown.replaceAll(value, CONCEALED).replaceAll(encodeURIComponent(value), CONCEALED),
      text,
    );
}

const isPacked = ({ kind }: Found): boolean => /private-key|service-account|registry-credential/.test(kind);

const NOTHING = Buffer.alloc(0);

/** Matches by shape come first: if two matches have one value, the shape says more. */
function* foundIn(bytes: Buffer, path: string, manner: Manner, effort: Effort): Generator<Found> {
  const keys = [...privateKeysIn(bytes, effort), ...puttyKeysIn(bytes)];
  const isGoogle =
    keys.length > 0 && bytes.length < LARGEST_ACCOUNT && isServiceAccount(bytes.toString('latin1'));
  for (const key of keys) yield isGoogle ? { ...key, kind: 'gcp-service-account' } : key;
  yield* tokensIn(bytes, effort);
  if (manner === 'text' || !effort.spend(bytes.length)) return;
  const text = bytes.toString('latin1');
  if (manner === 'credentials') {
    const lower = path.toLowerCase();
    for (const read of readersOf(lower, lower.slice(lower.lastIndexOf('/') + 1))) yield* read(text);
  }
  yield* authsIn(text);
  yield* azureKeysIn(text);
  yield* settled(text);
}

const LARGEST_ACCOUNT = 64 * 1024;

/** Passwords in URLs, but not in a comment: what is written there shows how to write one. */
function* settled(text: string): Generator<Found> {
  for (const found of urlPasswordsIn(text)) {
    const line = text.slice(Math.max(text.lastIndexOf('\n', found.at) + 1, found.at - 1000), found.at);
    if (!/^\s{0,40}(?:#|;|\/\/|\*|--|<!--|rem\s)/i.test(line)) yield found;
  }
}

function* foundInVariable(name: string, value: string): Generator<Found> {
  const bytes = Buffer.from(value);
  const named = namedSecret(name, value);
  const isNamed = (found: Found): Found => ({ ...found, name });
  for (const found of shaped(bytes)) yield isNamed(found);
  if (named !== null) yield named;
  // A variable may hold the options of a program: `-Ddb.password=…`.
  for (const found of assignmentsIn(value)) yield isNamed(found);
}

function* foundInCommand(command: string): Generator<Found> {
  yield* shaped(Buffer.from(command));
  yield* assignmentsIn(command);
  yield* argumentsIn(command);
}

function* shaped(bytes: Buffer): Generator<Found> {
  const text = bytes.toString('latin1');
  yield* privateKeysIn(bytes);
  yield* tokensIn(bytes);
  yield* authsIn(text);
  yield* azureKeysIn(text);
  yield* urlPasswordsIn(text);
}

/** Each value once, within the cap. A token that is also named, or the password of a URL, is one secret. */
function distinct(all: Iterable<Found>): Found[] {
  const byValue = new Map<string, Found>();
  for (const found of all) {
    if (!byValue.has(found.value)) byValue.set(found.value, found);
    if (byValue.size >= MOST) break;
  }
  const each = [...byValue.values()].sort((a, b) => a.at - b.at);
  // The ID of an AWS key says nothing more where the secret was found.
  const isAws = each.some(({ kind }) => kind === 'aws-access-key' || kind === 'aws-secret-key');
  return isAws ? each.filter(({ kind }) => kind !== 'aws-access-key-id') : each;
}

/** Without the values, and with lines: counted once over the whole. */
function told(bytes: Buffer, found: readonly Found[], first = 1): Secret[] {
  let line = first;
  let counted = 0;
  return found.map(one => {
    for (let at = bytes.indexOf(10, counted); at >= 0 && at < one.at; at = bytes.indexOf(10, counted)) {
      line++;
      counted = at + 1;
    }
    return { kind: one.kind, name: nameWithout(one), line, fingerprint: fingerprintOf(one.value) };
  });
}

/** UTF-16 as bytes: characters beyond Latin-1, which no secret has, become a NUL. */
function narrowed(bytes: Buffer, encoding: Encoding): Buffer {
  const isLittle = encoding === 'utf-16le';
  const text = Buffer.alloc(bytes.length >> 1);
  for (let i = 0; i < text.length; i++) {
    const [a, b] = [bytes[2 * i]!, bytes[2 * i + 1]!];
    const [low, high] = isLittle ? [a, b] : [b, a];
    text[i] = high === 0 ? low : 0;
  }
  return text;
}
