// UTF-8 as Go reads it: a U+FFFD for each byte that belongs to no character.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8Text } from '../../src/spec/utf8.js';

/** Bytes in hexadecimal, and the text that Go 1.19 made of them with `[]rune(string(bytes))`. */
const READ: readonly (readonly [hex: string, text: string])[] = [
  ['', ''],
  ['efbbbf7b7d', '\ufeff{}'],
  ['61c3a9e282acf09f9880', 'aé€😀'],
  ['61e282', 'a\ufffd\ufffd'],
  ['61e28262', 'a\ufffd\ufffdb'],
  ['f09f98', '\ufffd\ufffd\ufffd'],
  ['f09f98c3a9', '\ufffd\ufffd\ufffdé'],
  ['eda080', '\ufffd\ufffd\ufffd'],
  ['c080e08080f0808080', '\ufffd'.repeat(9)],
  ['f4908080f5', '\ufffd'.repeat(5)],
  ['80bfff', '\ufffd\ufffd\ufffd'],
];

for (const [hex, text] of READ)
  test(hex === '' ? 'nothing' : hex, () => assert.is(utf8Text(Buffer.from(hex, 'hex')), text));

test('the bytes that are read are not changed', () => {
  const bytes = Buffer.from('61e282', 'hex');
  utf8Text(bytes);
  assert.is(bytes.toString('hex'), '61e282');
});

test.run();
