// Readers of short texts: names, patterns, times, numbers. Each text is tried as it is and with a part of it repeated
// many times.
import { createHash } from 'node:crypto';
import { dockerfileLine } from '../../src/analysis/instruction.js';
import { CACHE_RULES } from '../../src/analysis/waste.js';
import { unifiedDiff } from '../../src/commands/diff/words.js';
import { familiarName, fullName, parsePlatform, parseReference, UsageError } from '../../src/commands.js';
import { pathFilter } from '../../src/containers/path-filter.js';
import { dockerReference, podmanName } from '../../src/engines/names.js';
import { goPattern } from '../../src/go/pattern.js';
import { tabwriter } from '../../src/go/tabwriter.js';
import { goDuration, rfc3339Nano, timestamp, unixSeconds } from '../../src/go/time.js';
import { humanDuration, humanSize } from '../../src/go/units.js';
import { nameBytes, nameText, rootedPath } from '../../src/scan/entries/name.js';
import { digestKind, digestOfBlobPath, shortDigest } from '../../src/spec/digest.js';
import { layerType } from '../../src/spec/media-types.js';
import { formatPlatform } from '../../src/spec/platform.js';
import { pathText, visible, visibleJson, visiblePath } from '../../src/visible.js';
import { hiddenIn } from '../property/hidden.js';
import { Random } from './random.js';
import { bytesOf, bytesOfLatin1, latin1, must, soon, type Target, text } from './target.js';

const LENGTH = 50_000;

/** The text, and the text with a part repeated, which reveals quadratic algorithms. Depends only on the text. */
function* pumped(value: string): Generator<string> {
  yield value;
  if (value.length === 0 || value.length > 1000) return;
  const random = new Random(createHash('sha256').update(value).digest().readInt32LE());
  const from = random.below(value.length);
  const piece = value.slice(from, from + random.size(6));
  yield value.slice(0, from) +
    piece.repeat(LENGTH / piece.length) +
    value.slice(random.once(2) ? from : from + piece.length);
}

interface TextTarget {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly tokens?: readonly string[];
  readonly check: (value: string) => string;
}

const target = ({ name, seeds, tokens = [], check }: TextTarget): Target => ({
  name,
  seeds: () => seeds.map(bytesOf),
  tokens: tokens.map(token => Buffer.from(token).toString('latin1')),
  pace: 500,
  check: input => {
    let outcome = '';
    for (const value of pumped(text(input))) outcome += soon(name, () => check(value));
    return outcome;
  },
});

const NAMES = [
  'app:1',
  'docker.io/library/alpine:3.20',
  `localhost:5000/a/b_c.d-e@sha256:${'a'.repeat(64)}`,
  'EXAMPLE/x',
];

/** A modelled engine refuses by throwing a refusal; any other error is a bug. */
function refused(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    const { name, message } = error as Error;
    must(!(error instanceof RangeError || error instanceof TypeError), `${name}: ${message}`);
    return 'refused';
  }
}

/** null if its braces expand to too many patterns. */
function filterOf(pattern: string): ReturnType<typeof pathFilter> | null {
  try {
    return pathFilter([pattern]);
  } catch (error) {
    must(error instanceof UsageError, String(error));
    return null;
  }
}

export const textTargets: readonly Target[] = [
  target({
    name: 'reference',
    seeds: NAMES,
    tokens: ['/', ':', '@', '.', '_', '__', '-', 'sha256:', 'docker.io/', 'library/', '0'],
    check: value => {
      const parsed = parseReference(value);
      const engines = refused(() => dockerReference(value)) + refused(() => podmanName(value));
      if (typeof parsed === 'string') return parsed.slice(0, 30) + engines;
      const full = parseReference(fullName(parsed));
      must(typeof full !== 'string', `the full name ${fullName(parsed)} is no name`);
      must(fullName(full) === fullName(parsed), `the full name of ${fullName(parsed)} is ${fullName(full)}`);
      const familiar = parseReference(familiarName(parsed));
      // Docker removes its own host, even if the rest then looks like a host.
      const looksLikeHost = /^(?:localhost|[^/]*[.:][^/]*)\//.test(parsed.path);
      must(
        (parsed.domain === 'docker.io' && looksLikeHost) ||
          (typeof familiar !== 'string' && fullName(familiar) === fullName(parsed)),
        `the familiar name ${familiarName(parsed)} is not ${fullName(parsed)}`,
      );
      return `name${engines}`;
    },
  }),
  target({
    name: 'platform',
    seeds: ['linux/amd64', 'linux/arm/v7', 'aarch64', 'windows/amd64:10'],
    tokens: ['/', 'linux', 'arm64', 'v8', '.', '-'],
    check: value => {
      const parsed = parsePlatform(value);
      if (parsed === null) return 'none';
      const again = parsePlatform(formatPlatform(parsed));
      must(
        JSON.stringify(again) === JSON.stringify(parsed),
        `${value} is ${formatPlatform(parsed)}, which is something else`,
      );
      return 'platform';
    },
  }),
  target({
    name: 'digest',
    seeds: [
      `sha256:${'0'.repeat(64)}`,
      `sha512:${'f'.repeat(128)}`,
      'a+b.c:x=_-',
      `blobs/sha256/${'1'.repeat(64)}`,
    ],
    tokens: ['sha256:', ':', '+', '.', '/', 'blobs/'],
    check: value => {
      const of = digestOfBlobPath(value);
      must(of === null || digestKind(of) !== 'malformed', `${of} is malformed`);
      return digestKind(value) + shortDigest(value).length + JSON.stringify(layerType(value));
    },
  }),
  target({
    name: 'path-filter',
    // A pattern, a line feed, a path.
    seeds: [
      'usr/**/*.so*\nusr/lib/a.so.1',
      '{a,b}/[!c-e]?\na/x',
      '/etc/\\*\netc/*',
      '**\na/b',
      '*a*b*c*\naaaabbbb',
    ],
    tokens: ['*', '**', '?', '[', ']', '[!', '{', '}', ',', '\\', '/', '\n', '-'],
    check: value => {
      const [pattern = '', path = ''] = value.split('\n');
      // A pattern is the user's own, so its length is not an attack; that of a path is.
      const filter = filterOf(pattern.slice(0, 300));
      if (filter === null) return 'refused';
      const fits = filter(path);
      const literal = path.replace(/[\\*?[\]{},]/g, '\\$&');
      const isPlain = rootedPath(path) === path && path !== '';
      must(!isPlain || pathFilter([literal])(path), `${literal} does not fit its own path`);
      must(!isPlain || pathFilter([literal])(`${path}/below`), `${literal} does not fit what lies below`);
      return String(fits);
    },
  }),
  target({
    name: 'go-pattern',
    seeds: ['app*\napp:1', '*/[^a-c]?\nteam/xy', '\\*[a\\-z]\n*-', '*a*a*a*a*b\naaaaaaaaaaaaaaaa'],
    tokens: ['*', '?', '[', ']', '^', '-', '\\', '/', '\n'],
    check: value => {
      const [pattern = '', name = ''] = value.split('\n');
      // A pattern is the user's own, so its length is not an attack; that of a name is.
      const compiled = goPattern(pattern.slice(0, 100));
      return compiled === null ? 'malformed' : String(compiled.test(name));
    },
  }),
  target({
    name: 'time',
    seeds: [
      '2023-11-14T22:13:20.123456789+02:00',
      '0001-01-01T00:00:00Z',
      '1h30m',
      '-1.5us',
      '1700000000.5',
      '2023-11-14',
    ],
    tokens: ['T', 'Z', ':', '-', '+', '.', '00', '9', 'h', 'ms', 'µs', '24', '60', '31'],
    check: value => {
      const seconds = unixSeconds(value);
      const written = rfc3339Nano(value);
      must((seconds === null) === (written === null), 'a time or none?');
      must(written === null || rfc3339Nano(written) === written, `${written} is written as another time`);
      const short = value.slice(0, 100);
      must(!Number.isNaN(goDuration(short) ?? 0) && !Number.isNaN(timestamp(short, 0) ?? 0), 'not a number');
      must(
        !/NaN|undefined/.test(humanDuration(seconds ?? 0) + humanSize(Math.abs(seconds ?? 0))),
        'not a word',
      );
      return `${seconds === null} ${goDuration(short) === null}`;
    },
  }),
  target({
    name: 'instruction',
    seeds: [
      'RUN |1 A=b /bin/sh -c apk add curl # buildkit',
      `/bin/sh -c #(nop) COPY file:${'a'.repeat(64)} in /app`,
      'cmd /S /C echo',
      'powershell -Command x',
      '|2 A=1 B=x /bin/bash -o pipefail -c make',
    ],
    tokens: [
      'RUN ',
      '|1 ',
      '/bin/sh -c ',
      '#(nop) ',
      ' -o ',
      'COPY ',
      'file:',
      ' in ',
      '\n',
      ' # buildkit',
      '-',
    ],
    check: value => {
      const line = dockerfileLine(value);
      must(!/[\n\r]/.test(line), 'more than a line');
      return line.slice(0, 3);
    },
  }),
  target({
    name: 'visible',
    seeds: ['plain', 'line\nfeed \x1b[31m', 'é 漢 😀 \u202e\u200b\ufeff', '\u{e0041}tag'],
    tokens: ['\\', 'u{', '}', '\n', '\t', '\u202e', '\x9b', '😀'],
    check: value => {
      const shown = visible(value);
      must(hiddenIn(shown, '') === null, hiddenIn(shown, '') ?? '');
      must(visible(shown) === shown, 'shown twice is another text');
      const json = JSON.stringify({ [value]: value }, null, 2);
      must(hiddenIn(visibleJson(json)) === null, 'hidden in JSON');
      must(Object.hasOwn(JSON.parse(visibleJson(json)), value.toString()), 'JSON has another text');
      return String(shown === value);
    },
  }),
  target({
    name: 'tabwriter',
    seeds: ['A\tB\tC\nlong cell\tx\n\t\t\n', 'a\fb\tc\vd'],
    tokens: ['\t', '\n', '\f', '\v', '漢'],
    check: value => {
      const out = tabwriter(value, { minWidth: 10, tabWidth: 1, padding: 3 });
      must(!/[\t\v\f]/.test(out), 'a tab is left');
      must(out.split('\n').length === value.split(/[\n\f]/).length, 'lines were lost');
      const words = (of: string) => of.replace(/\s+/g, '');
      must(words(out) === words(value), 'text was lost');
      return String(out.split('\n').length);
    },
  }),
  target({
    name: 'cache-rules',
    seeds: [
      'var/lib/apt/lists/x',
      'root/.cache/pip/a',
      'usr/lib/python3/__pycache__/a.pyc',
      'node_modules/.cache/x',
    ],
    tokens: ['/', '.cache', 'var/', 'usr/', '__pycache__', '.pyc', 'lib/'],
    check: value => CACHE_RULES.find(({ path }) => path.test(value))?.name ?? 'none',
  }),
];

/** Names as bytes, and two texts. */
export const byteTextTargets: readonly Target[] = [
  {
    name: 'name-text',
    seeds: () => ['plain', 'é', 'a\xff', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xc0\xaf'].map(bytesOfLatin1),
    tokens: ['\xed\xb2\x80', '\xef\xbf\xbd', '\xf0\x9f\x98\x80', '\\', '\\x', '\\u{'],
    pace: 3000,
    check: input => {
      const name = latin1(input);
      const shown = nameText(name);
      must(nameBytes(shown) === name, 'other bytes come back from the text');
      const path = visiblePath(shown);
      must(hiddenIn(path, '') === null, hiddenIn(path, '') ?? '');
      must(pathText(path) === shown, 'another path comes back from what is shown');
      const rooted = rootedPath(name);
      must(rootedPath(rooted) === rooted, 'cleaned twice is another path');
      must(!/(?:^|\/)\.{0,2}(?:\/|$)/.test(rooted) || rooted === '', `${rooted} is not clean`);
      return String(shown === name);
    },
  },
  {
    name: 'text-diff',
    seeds: () =>
      [
        'a\nb\nc\n\0a\nx\nc',
        '\r\n\0\n',
        'same\0same',
        `${'line\n'.repeat(300)}\0${'line\nother\n'.repeat(200)}`,
      ].map(bytesOf),
    tokens: ['\n', '\r\n', '\0', '@@', '---', '+'],
    pace: 50,
    check: input => {
      const middle = input.indexOf(0);
      const [a, b] = middle < 0 ? [input, input] : [input.subarray(0, middle), input.subarray(middle + 1)];
      const diff = soon('text-diff', () => unifiedDiff(a, b));
      must(diff === null || Buffer.compare(a, b) !== 0 || !/^[-+]/m.test(diff), 'the same text differs');
      return String(diff === null);
    },
  },
];
