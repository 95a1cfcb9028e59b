import stringWidth from 'string-width';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { widthOf } from '../../src/format/columns.js';

test('the width of every character is the one that string-width gives it', () => {
  // Each alone, and after a letter: a combining character joins it.
  for (let code = 0x20; code < 0x3000; code++) {
    const character = String.fromCharCode(code);
    assert.is(widthOf(character), stringWidth(character), `U+${code.toString(16)}`);
    assert.is(widthOf(`a${character}`), stringWidth(`a${character}`), `a and U+${code.toString(16)}`);
  }
});

test.run();
