import { crc32 } from 'node:zlib';
import { privateKeysIn } from './private-keys.js';
import { ANY_EFFORT, CANDIDATE, type Effort, type Found, type SecretKind } from './secret.js';
import { isTokenBody } from './shapes.js';

/** Letters, digits, `-` and `_`: what tokens consist of. */
const IN_TOKEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\w-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** An AWS access key ID has 20 characters, and no token that is known here has fewer. */
const SHORTEST = 20;
/** The longest token that is known here has some 200. */
const LONGEST = 1024;

/**
 * Tokens that tell by their own shape what they are. A run of token characters is looked for by its last one, as Boyer
 * and Moore look for a word: text is passed over in steps of up to 20 bytes, and each byte is looked at twice at most.
 */
export function* tokensIn(bytes: Buffer, effort: Effort = ANY_EFFORT): Generator<Found> {
  const end = bytes.length;
  for (let start = 0; start + SHORTEST <= end; ) {
    let last = start + SHORTEST - 1;
    while (last >= start && IN_TOKEN[bytes[last]!] === 1) last--;
    if (last >= start) {
      start = last + 1;
      continue;
    }
    let stop = start + SHORTEST;
    while (stop < end && IN_TOKEN[bytes[stop]!] === 1) stop++;
    if (stop - start <= LONGEST || bytes.toString('latin1', start, start + PACKED.length) === PACKED) {
      const token = tokenAt(bytes, start, stop, effort);
      if (token === 'spent') return;
      if (token !== null) yield token;
    }
    start = stop + 1;
  }
}

function tokenAt(bytes: Buffer, start: number, stop: number, effort: Effort): Found | 'spent' | null {
  // `\n` of a string, after which the token begins.
  const from = start > 0 && bytes[start - 1] === BACKSLASH && ESCAPED.has(bytes[start]!) ? start + 1 : start;
  const shapes = BY_FIRST[bytes[from]!];
  const after = start > 0 ? AFTER[bytes[start - 1]!] : undefined;
  if (shapes === undefined && after === undefined) return null;
  const run = bytes.toString('latin1', from, stop);
  const shape = shapes?.find(({ prefix }) => run.startsWith(prefix));
  if (shape === undefined) return after?.(bytes, from, stop, run) ?? null;
  if (!effort.spend(CANDIDATE)) return 'spent';
  if (!shape.isToken(run.slice(shape.prefix.length), run)) return null;
  return shape.found === undefined
    ? { kind: shape.kind, at: from, value: run }
    : shape.found(bytes, from, run, effort);
}

const BACKSLASH = 0x5c;
const ESCAPED = new Set([...'nrt'].map(letter => letter.charCodeAt(0)));

interface TokenShape {
  readonly kind: SecretKind;
  readonly prefix: string;
  /** @param body  what follows the prefix */
  isToken(body: string, run: string): boolean;
  /** The matched value, if it is longer than the run; null for none, `spent` where the search ends. */
  found?(bytes: Buffer, at: number, run: string, effort: Effort): Found | 'spent' | null;
}

const of = (kind: SecretKind, prefixes: readonly string[], pattern: RegExp): TokenShape[] =>
  prefixes.map(prefix => ({ kind, prefix, isToken: body => pattern.test(body) && isTokenBody(body) }));

/**
 * 30 random characters and 6 of the CRC-32 of those, in base 62. https://github.blog (token formats of GitHub and npm,
 * 2021)
 */
const hasCheckSum = (body: string): boolean =>
  /^[0-9A-Za-z]{36}$/.test(body) &&
  base62(crc32(Buffer.from(body.slice(0, 30), 'latin1'))) === body.slice(30);

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(value: number): string {
  let text = '';
  for (let left = value; left > 0; left = Math.floor(left / 62)) text = DIGITS[left % 62]! + text;
  return text.padStart(6, '0');
}

/** RFC 4648 base 32; the account is in them. */
const isAwsId = (body: string) => /^[A-Z2-7]{16}$/.test(body) && isTokenBody(body);

/** Where the secret of an AWS key stands beside its ID, in bytes before and after. */
const BESIDE = [300, 500] as const;

/** 40 characters of base64, between others. An ID whose secret is not there is told as what it is. */
function awsKey(bytes: Buffer, at: number, run: string): Found {
  const [before, after] = BESIDE;
  const text = bytes.toString('latin1', Math.max(0, at - before), Math.min(bytes.length, at + after));
  for (const [value] of text.matchAll(/(?<![A-Za-z0-9/+=_-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])/g))
    if (isAwsSecret(value)) return { kind: 'aws-access-key', at, value };
  return { kind: 'aws-access-key-id', at, value: run };
}

/** Not the digest of SHA-1, which has 40 characters too. */
export const isAwsSecret = (value: string): boolean =>
  /^[A-Za-z0-9/+]{40}$/.test(value) && /[A-Z]/.test(value) && /[g-z]/.test(value) && isTokenBody(value);

const PACKED_MAX = 96 * 1024;
/** `-----BEGIN ` in base64: its characters are those of a token, however long the key is. */
const PACKED = 'LS0tLS1CRUdJTi';
/** Further characters of base64, and the ends of lines, which `base64` writes after 76 characters. */
const IN_BASE64 = new Set([...'+/=\r\n'].map(character => character.charCodeAt(0)));

/** A PEM that was packed in base64 once more, as kubeconfigs, CI variables and Kubernetes secrets have it. */
function packedKey(bytes: Buffer, at: number, _run: string, effort: Effort): Found | 'spent' | null {
  // Inside of other base64 each piece would be unpacked again and again.
  if (at > 0 && /[+/]/.test(String.fromCharCode(bytes[at - 1]!))) return null;
  let end = at;
  while (
    end < bytes.length &&
    end - at < PACKED_MAX &&
    (IN_TOKEN[bytes[end]!] === 1 || IN_BASE64.has(bytes[end]!))
  )
    end++;
  // A text of many such beginnings would be unpacked from each of them to its end.
  if (!effort.spend(end - at)) return 'spent';
  const [key] = privateKeysIn(Buffer.from(bytes.toString('latin1', at, end), 'base64'));
  return key === undefined ? null : { ...key, at };
}

const SHAPES: readonly TokenShape[] = [
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map(
    (prefix): TokenShape => ({ kind: 'github-token', prefix, isToken: hasCheckSum }),
  ),
  ...of('github-token', ['github_pat_'], /^[0-9A-Za-z]{22}_[0-9A-Za-z]{59}$/),
  ...of(
    'gitlab-token',
    'glpat- gldt- glrt- glptt- glcbt- glft- glsoat- glimt- glagent- gloas- glrtr-'.split(' '),
    /^[\w-]{20,}$/,
  ),
  ...of(
    'slack-token',
    'xoxa- xoxb- xoxe- xoxp- xoxr- xoxs-'.split(' '),
    /^(?:\d-)?[\dA-Za-z]{8,}-[\w-]{10,}$/,
  ),
  ...of('slack-token', ['xapp-'], /^\d-[A-Z0-9]{8,}-\d{8,}-[0-9a-f]{32,}$/),
  ...of('stripe-key', ['sk_live_', 'rk_live_'], /^[0-9A-Za-z]{16,}$/),
  ...of('twilio-key', ['SK'], /^[0-9a-f]{32}$/).map(shape => ({ ...shape, found: twilioKey })),
  ...of('anthropic-key', ['sk-ant-'], /^[a-z]{2,8}\d\d-[\w-]{40,}$/),
  ...of('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-'], /^[\w-]{40,}$/),
  ...of(
    'openai-key',
    ['sk-'],
    /^(?:[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}|(?=\D{0,47}\d)(?=[^A-Z]{0,47}[A-Z])[0-9A-Za-z]{48})$/,
  ),
  { kind: 'npm-token', prefix: 'npm_', isToken: hasCheckSum },
  ...of('pypi-token', ['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], /^[\w-]{50,}$/),
  ...of('rubygems-key', ['rubygems_'], /^[0-9a-f]{48}$/),
  ...of('cargo-token', ['cio'], /^(?=\D{0,31}\d)(?=[^A-Z]{0,31}[A-Z])[0-9A-Za-z]{32}$/),
  ...of('docker-hub-token', ['dckr_pat_', 'dckr_oat_'], /^[\w-]{27,}$/),
  ...of('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], /^[0-9a-f]{64}$/),
  ...of('huggingface-token', ['hf_'], /^[0-9A-Za-z]{34,}$/),
  ...['AKIA', 'ASIA'].map(
    (prefix): TokenShape => ({ kind: 'aws-access-key', prefix, isToken: isAwsId, found: awsKey }),
  ),
  { kind: 'private-key', prefix: PACKED, isToken: () => true, found: packedKey },
];

/** `SK` and 32 hexadecimal digits may be anything; beside the name of the service it is a key. */
function twilioKey(bytes: Buffer, at: number, run: string): Found | null {
  const text = bytes.toString('latin1', Math.max(0, at - 60), at);
  return /twilio/i.test(text) ? { kind: 'twilio-key', at, value: run } : null;
}

const BY_FIRST: readonly (readonly TokenShape[] | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const shapes = SHAPES.filter(({ prefix }) => prefix.charCodeAt(0) === byte).sort(
    (a, b) => b.prefix.length - a.prefix.length,
  );
  return shapes.length === 0 ? undefined : shapes;
});

type After = (bytes: Buffer, from: number, stop: number, run: string) => Found | null;

/** Tokens with other characters in them, which the run ends, by the one before it. */
const AFTER: Readonly<Record<number, After | undefined>> = {
  ['.'.charCodeAt(0)]: afterDot,
  ['~'.charCodeAt(0)]: (bytes, from, stop, run) => {
    // Three characters, `8Q~` or the like among them, and 31 to 34 more.
    const before = bytes.toString('latin1', Math.max(0, from - 6), from);
    const isSecret =
      /[\w.~-]{3}\dQ~$/.test(before) && run.length >= 31 && run.length <= 34 && isTokenBody(run);
    if (!isSecret) return null;
    return { kind: 'azure-client-secret', at: from - 6, value: bytes.toString('latin1', from - 6, stop) };
  },
  ['/'.charCodeAt(0)]: (bytes, from, stop, run) => {
    if (!/^[0-9A-Za-z]{24}$/.test(run) || !isTokenBody(run)) return null;
    const before = bytes.toString('latin1', Math.max(0, from - 64), from);
    const hook = /hooks\.slack\.com\/(?:services|workflows)\/T[0-9A-Z]{6,12}\/[AB][0-9A-Z]{6,14}\/$/.exec(
      before,
    );
    return hook === null
      ? null
      : { kind: 'slack-webhook', at: from, value: bytes.toString('latin1', from, stop) };
  },
};

function afterDot(bytes: Buffer, from: number, stop: number, run: string): Found | null {
  const before = bytes.toString('latin1', Math.max(0, from - 24), from);
  if (/(?<![\w.-])hv[sbr]\.$/.test(before))
    return run.length >= 24 && isTokenBody(run)
      ? { kind: 'vault-token', at: from - 4, value: before.slice(-4) + run }
      : null;
  if (/(?<![\w.-])[0-9A-Za-z]{14}\.atlasv1\.$/.test(before))
    return run.length >= 60 && isTokenBody(run)
      ? { kind: 'terraform-token', at: from - 23, value: before.slice(-23) + run }
      : null;
  if (run.length !== 22 || !/(?<![\w.-])SG\.$/.test(before)) return null;
  const rest = bytes.toString('latin1', stop, stop + 45);
  const isKey = /^\.[\w-]{43}(?![\w-])/.test(rest) && isTokenBody(run + rest);
  return isKey ? { kind: 'sendgrid-key', at: from - 3, value: `SG.${run}${rest.slice(0, 44)}` } : null;
}
