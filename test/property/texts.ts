// Arbitrary texts as in hostile archives.
import fc from 'fast-check';
import { FORGED } from './hidden.js';

/** Each has broken a tool: terminals, HTML, Markdown, CSV, shells, templates, file systems, JavaScript objects. */
const NASTY = [
  '\x1b[31mred\x1b[0m',
  '\x1b]8;;http://x.example\x07link\x1b]8;;\x07',
  '\x9b31m',
  '\u202egnp.exe',
  '\u2066a\u2069',
  'zero\u200bwidth',
  'tag\u{e0041}\u{e007f}',
  '\ufeffbom',
  '\u2028',
  `line\n${FORGED}`,
  'car\rriage',
  'nul\0',
  'tab\t',
  '\ud800',
  '\udc80',
  '\udfff\ud800',
  '</script><img src=x onerror=alert(1)>',
  '<!--',
  ']]>',
  '&amp;',
  '| a | b |',
  '`code`',
  '``',
  '\\|',
  '\\',
  '[a](javascript:alert(1))',
  '![a](http://x.example)',
  '# heading',
  '- item',
  '1. one',
  '***',
  '~~~',
  '<details>',
  '@team',
  '#1',
  'https://x.example/',
  '=cmd()',
  '$(id)',
  '{{.}}',
  '%s%n',
  '../../etc/passwd',
  '/',
  '.',
  '..',
  '__proto__',
  'constructor',
  'toString',
  'İ',
  'ﬁ',
  'e\u0301',
  'é',
  '😀',
  '漢字',
  'а', // Cyrillic
  '',
  ' ',
  'a'.repeat(300),
];

/** A short text, sometimes one of those above. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...NASTY), { maxLength: 4 }).map(parts => parts.join('')),
  },
);

/** Any code units, including lone surrogates. */
export const codeUnits: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 0x7f }) },
      { weight: 1, arbitrary: fc.integer({ min: 0x80, max: 0xffff }) },
      { weight: 2, arbitrary: fc.integer({ min: 0xd800, max: 0xdfff }) },
    ),
    { maxLength: 30 },
  )
  .map(units => String.fromCharCode(...units));

/** Bytes, one per character, of which many are UTF-8 and some are not. */
export const nameBytesText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: hostileText.map(text => Buffer.from(text).toString('latin1')) },
  {
    weight: 2,
    arbitrary: fc.uint8Array({ maxLength: 24 }).map(bytes => Buffer.from(bytes).toString('latin1')),
  },
);

/** A path of a layer's entry: mostly ordinary, so that entries collide. Bytes, one per character. */
export const entryName: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.constantFrom('a', 'b', 'etc', 'bin', 'x.so', 'é', '.wh.a', '.wh..wh..opq', '.wh.b'), {
        minLength: 1,
        maxLength: 4,
      })
      .map(parts => Buffer.from(parts.join('/')).toString('latin1')),
  },
  { weight: 1, arbitrary: nameBytesText },
  {
    weight: 1,
    arbitrary: fc.constantFrom('../x', '/abs', './a', 'a//b', 'a/../b', '.', '/', '', 'a/', '.wh.', '.wh..'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 90, max: 400 }).map(length => `${'d/'.repeat(length / 2)}x`) },
);

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-7,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  1e21,
  1e308,
  -(2 ** 53),
];

/** Any JSON: wrong types, huge and negative numbers, hostile keys. */
export const hostileJson: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, [], {}),
    fc.constantFrom(...NUMBERS),
    hostileText,
    fc.constantFrom(
      `sha256:${'0'.repeat(64)}`,
      `sha256:${'A'.repeat(64)}`,
      `sha512:${'1'.repeat(128)}`,
      'md5:0123456789abcdef0123456789abcdef',
      `sha256:../../${'0'.repeat(58)}`,
      'linux',
      'amd64',
      '2023-11-14T22:13:20Z',
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:60+24:00',
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(hostileText, fc.constantFrom('digest', 'size', 'layers')), tie('value')), {
        maxLength: 3,
      })
      // A key `__proto__` must be kept: a literal would set the prototype.
      .map(entries => Object.fromEntries(entries)),
  ),
})).value;
