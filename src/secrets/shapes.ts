/** Judges values: which stand in for a secret, and which look drawn at random. Nothing here backtracks. */

/** Placeholders that documentation and templates use for a secret; as a whole value, in lower case. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(
  `admin administrator apikey api-key api_key bar baz basic bearer changeit change-it change_it changeme change-me change_me
  default demo disabled empty enabled example false foo foobar guest hunter letmein local localhost mysql n/a nil no none null off
  on optional pass passphrase passwd password password1 postgres postgresql private public pw qwerty rabbitmq readonly redis
  required root sample secret secretkey secret-key secret_key string supersecret tbd test test123 testing testpass testpassword
  text token true undefined unknown unset user username value yes 12345678 123456789 1234567890 password123 admin123 pass123
  mypassword mysecret mysecretpassword my-secret-pw mytoken`.split(/\s+/),
);

/** Words that no random value has, and that many placeholders have. */
const STAND_IN =
  /example|placeholder|change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|with|this)|insert[-_ ]|redacted|dummy|not[-_ ]?a?[-_ ]?real|fake|your[-_ ]|^your|^my[-_](?:pass|secret|token|key|api)|goes[-_ ]?here|x{5}|\*{3}|\.{3}|todo|removed|deadbeef|<|>|^\[.*\]$/i;

/** Variables of shells, templates, Maven, Python, CI systems and the registry of secrets: the value is elsewhere. */
const REFERENCE =
  /\$[{(A-Za-z_]|^\$|\{\{|%[({]|^%[^%]*%$|^@[^@]*@$|^__.*__$|^\{.*\}$|^#\{|^!(?:ref|sub|secret|vault)|^(?:arn|vault|ssm|secretsmanager|env|file|projects|op|gcp|aws-sm|keyvault|kms|enc|sops|k8s):|^ENC[[(]|`/i;

/** Whether a value only stands where a secret belongs. */
export function isPlaceholder(value: string): boolean {
  if (value.length === 0 || PLACEHOLDERS.has(value.toLowerCase())) return true;
  const head = value.length > 200 ? value.slice(0, 200) : value;
  return REFERENCE.test(head) || STAND_IN.test(head) || isMonotonous(head);
}

/** One character, two by turns, or a run up the alphabet: `aaaa`, `0000`, `abababab`, `0123456789abcdef`. */
function isMonotonous(value: string): boolean {
  if (value.length < 6) return false;
  let steps = 0;
  for (let i = 1; i < value.length; i++) if (value.charCodeAt(i) - value.charCodeAt(i - 1) === 1) steps++;
  return distinct(value) <= 2 || steps > (value.length - 1) / 2;
}

function distinct(value: string): number {
  return new Set(value).size;
}

/** Bits for each character, by how often each occurs in the value. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

/** Whether the body of a token with a known prefix may be one: examples repeat themselves. */
export function isTokenBody(body: string): boolean {
  return (
    distinct(body.slice(0, 200)) >= 8 &&
    !STAND_IN.test(body.slice(0, 200)) &&
    !isMonotonous(body.slice(0, 200))
  );
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Whether a value looks drawn at random, as keys and tokens are, and not like a name, a path, a sentence or a version:
 * at least 16 characters, letters and digits, 3 bits a character, and a piece without separators that no word is.
 */
export function isRandom(value: string): boolean {
  if (value.length < 16 || value.length > 4096 || !/^[\x21-\x7e]+$/.test(value)) return false;
  if (isPlaceholder(value) || /^(?:\/|\.{1,2}\/|~\/|[a-z][a-z0-9+.-]{1,20}:\/\/)/i.test(value)) return false;
  if (UUID.test(value)) return distinct(value) >= 8;
  if (!/[0-9]/.test(value) || !/[A-Za-z]/.test(value) || entropy(value) < 3) return false;
  return value.split(/[-_.:/,;@]/).some(piece => piece.length >= 12 && isMixed(piece));
}

/** Letters and digits that change places more than once: `a1b2c3`, and not `release2024`. */
function isMixed(piece: string): boolean {
  let turns = 0;
  for (let i = 1; i < piece.length; i++) if (isDigit(piece, i) !== isDigit(piece, i - 1)) turns++;
  return turns >= 3;
}

const isDigit = (text: string, at: number) => text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39;

/**
 * Whether a value that is named a password may be one. Passwords need not look random; names of files and switches are
 * none.
 */
export function isPassword(value: string): boolean {
  if (value.length < 6 || value.length > 512 || isPlaceholder(value)) return false;
  if (/^(?:\/|\.{1,2}\/|~\/|[a-z][a-z0-9+.-]{1,20}:\/\/)/i.test(value)) return false;
  // A hash of a password is none: crypt(3), bcrypt, LDAP.
  if (/^(?:\$[0-9a-z]{1,10}\$|\{[A-Z0-9]+\})/i.test(value)) return false;
  return !/^\d{1,7}$/.test(value);
}

/** A password between `:` and `@` of a URL, or beside a user name: that of examples is the name again, or a word. */
export const isPasswordOf = (user: string, value: string): boolean =>
  value.length >= 4 &&
  value.length <= 512 &&
  value !== user &&
  !isPlaceholder(value) &&
  !/^\d{1,5}$/.test(value);
