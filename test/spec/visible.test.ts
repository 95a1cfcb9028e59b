// Names from archives on a terminal: safe, and for paths reversible.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameBytes, nameText } from '../../src/scan/entries/name.js';
import { pathText, visible, visiblePath } from '../../src/visible.js';

const TEXTS = [
  'plain',
  'é ü 漢 😀',
  'back\\slash',
  'a\\xff',
  'line\nfeed\ttab',
  '\x1b[31m',
  '\u202e',
  '\\n',
  '\\\\',
  'u\\u{1b}',
];
/** As bytes, one per character; the last two are not UTF-8. */
const NAMES = [...TEXTS.map(text => Buffer.from(text).toString('latin1')), 'a\xff', '\xff\xfe/\x80'];

for (const name of NAMES) {
  const shown = visiblePath(nameText(name));
  test(`a path is shown so that it can be read back: ${shown}`, () => {
    assert.is(visible(shown), shown, 'nothing to hide is left');
    assert.is(nameBytes(pathText(shown)), name);
  });
}

test('different paths are shown differently', () => {
  assert.is(new Set(NAMES.map(name => visiblePath(nameText(name)))).size, NAMES.length);
  assert.is(visiblePath(nameText('a\xff')), 'a\\xff');
  assert.is(visiblePath('a\\xff'), 'a\\\\xff');
});

test('an unknown escape is left unchanged', () => {
  for (const text of ['\\q', '\\x4', '\\xzz', '\\u{ffffff}', '\\']) assert.is(pathText(text), text);
});

test.run();
