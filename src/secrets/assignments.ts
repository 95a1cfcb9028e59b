import type { Found, SecretKind } from './secret.js';
import { isPassword, isPasswordOf, isRandom } from './shapes.js';
import { isAwsSecret } from './tokens.js';

/**
 * Names of passwords: `DB_PASSWORD`, `spring.datasource.password`, `mysqlPasswd2`, `DB_PASS`; not `PWD`, the directory.
 */
const PASSWORD_NAME = /(?:password|passwd|passphrase)\d{0,2}$|[_.-](?:pwd|pass|pw)$/i;

/** Names of keys and tokens: `NPM_TOKEN`, `SECRET_KEY_BASE`, `stripe.apiKey`. */
const KEY_NAME =
  /(?:secret|token|credentials?|api[_.-]?key|app[_.-]?key|(?:secret|access|account|auth|private|encryption|encrypt|signing|master|license)[_.-]?key|secret_key_base|_auth)\d{0,2}$/i;

/** Names that look alike and are not secrets: a public key, a fingerprint, the name or the address of a secret. */
const NO_SECRET_NAME =
  /public|publish|(?:^|[_.-])(?:pub|gpg|pgp|hash|sha\d*|md5|csrf|xsrf|next|page|max|min|num|count|dummy|test|fake|example)(?:[_.-]|$)|site[_.-]?key|finger/i;

/** Names that say all of what the value is. */
const KNOWN_NAMES: readonly (readonly [SecretKind, RegExp, (value: string) => boolean])[] = [
  ['aws-secret-key', /aws_?secret_?(?:access_?)?key$|^secretAccessKey$/i, isAwsSecret],
  ['vault-token', /^vault_token$/i, value => /^(?:hv[sbr]\.[\w-]{24,}|s\.[0-9A-Za-z]{24})$/.test(value)],
  ['twilio-key', /twilio_(?:auth_token|api_secret|api_key_secret)$/i, isRandom],
  ['npm-token', /^npm_(?:auth_)?token$|_authtoken$/i, isRandom],
  ['pypi-password', /^(?:twine|uv_publish)_password$/i, isPassword],
  ['azure-client-secret', /^(?:azure|arm)_client_secret$/i, isRandom],
];

/**
 * The secret that a variable, label or build argument has, by its name and the shape of its value; null where the value
 * is a placeholder, a reference to another place, a path, or looks like a word.
 * @param value  without quotes
 */
export function namedSecret(name: string, value: string, at = 0): Found | null {
  if (name.length > 128 || NO_SECRET_NAME.test(name)) return null;
  const known = KNOWN_NAMES.find(([, pattern, isValue]) => pattern.test(name) && isValue(value));
  if (known !== undefined) return { kind: known[0], at, value, name };
  if (PASSWORD_NAME.test(name)) return isPassword(value) ? { kind: 'password', at, value, name } : null;
  return KEY_NAME.test(name) && isRandom(value) ? { kind: 'token', at, value, name } : null;
}

/** A word, `=`, and a value up to a space or the end of its quotes. Each word is looked at from its beginning only. */
const ASSIGNMENT =
  /(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]{2,127})=(?:"([^"\n]{1,4096})"|'([^'\n]{1,4096})'|([^\s"';&|]{1,4096}))/g;

/** `NAME=value` in scripts, histories and dotenv files; `--password=value` is one too. */
export function* assignmentsIn(text: string): Generator<Found> {
  for (const match of text.matchAll(ASSIGNMENT)) {
    const value = match[2] ?? match[3] ?? match[4]!;
    const quote = match[4] === undefined ? 1 : 0;
    const found = namedSecret(match[1]!, value, match.index + match[1]!.length + 1 + quote);
    if (found !== null) yield found;
  }
}

/** `--password VALUE`, `--token VALUE` and the header that `curl -H` takes, in commands of a history. */
export function* argumentsIn(text: string): Generator<Found> {
  const options =
    /(?<=\s)--?([a-z-]{0,24}(?:password|passwd|token|api-key|secret))[ =]["']?([^\s"';&|]{1,512})/gi;
  for (const { 0: all, 1: name, 2: value, index } of text.matchAll(options)) {
    const found = namedSecret(name!, value!, index + all.length - value!.length);
    if (found !== null) yield found;
  }
  const header = /authorization: {0,4}(?:bearer|basic|token) {1,4}([\w.~+/=-]{16,4096})/gi;
  for (const { 0: all, 1: value, index } of text.matchAll(header))
    if (isRandom(value!))
      yield { kind: 'authorization-header', at: index + all.length - value!.length, value: value! };
}

/** A URL with user and password. RFC 3986 section 3.2.1; the host may be left to a variable. */
const URL_WITH_PASSWORD =
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,30}:\/\/([^\s:/?#@"'<>[\]{}|\\^`]{0,128}):([^\s/?#@"'<>[\]|\\^`]{1,512})@([\w.$[{-])([\w.-]{0,253})/gi;

/** Hosts of documentation. RFC 2606 */
const NO_HOST =
  /^(?:.{0,200}\.)?(?:example\.(?:com|org|net)|example|test|invalid)$|^(?:host|hostname|server|domain|proxy|yourhost|myhost|your-host)(?:\.|$)/i;

export function* urlPasswordsIn(text: string): Generator<Found> {
  // Most texts have no `@` after a `://`, and to look for one takes a tenth of the time.
  if (!text.includes('://') || !text.includes('@')) return;
  for (const match of text.matchAll(URL_WITH_PASSWORD)) {
    const [all, user, password, first, host] = match as unknown as [string, string, string, string, string];
    if (!isPasswordOf(user, password) || NO_HOST.test(first + host)) continue;
    const value = decoded(password);
    yield { kind: 'url-password', at: match.index + all.lastIndexOf(`${password}@`), value };
  }
}

/** Percent-encoded as URLs have it; as it stands where it is none. */
function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
