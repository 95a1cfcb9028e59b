// Expected texts are the output of Go's text/tabwriter for the same input.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tabwriter } from '../../src/go/tabwriter.js';

const DOCKER = { minWidth: 10, tabWidth: 1, padding: 3 };
const BUILDX = { minWidth: 0, tabWidth: 0, padding: 1 };

test('cells of a column share its width, and the last text of a line has no column', () => {
  assert.is(tabwriter('a\tbbb\tc\naaaa\tb\tcc\n', BUILDX), 'a    bbb c\naaaa b   cc\n');
});

test('a column has the requested minimum width, and padding after its widest cell', () => {
  assert.is(
    tabwriter('TAG\tID\nlatest-and-longer\t1\n', DOCKER),
    'TAG                 ID\nlatest-and-longer   1\n',
  );
  assert.is(tabwriter('a\tb\n', DOCKER), 'a         b\n');
});

test('a line without a cell ends the column', () => {
  assert.is(tabwriter('a\tx\n\naaaa\tx\n', BUILDX), 'a x\n\naaaa x\n');
  assert.is(tabwriter('aaaa\tb\tc\na\tbb\naaaaaa\tb\tc\n', BUILDX), 'aaaa   b c\na      bb\naaaaaa b c\n');
});

test('a form feed ends every column', () => {
  assert.is(tabwriter('a\tx\faaaa\tx\n', BUILDX), 'a x\naaaa x\n');
});

test('a tab at the end of a line leaves an empty cell, and none at the end of the text', () => {
  assert.is(tabwriter('a\t\naaa\t\n', BUILDX), 'a   \naaa \n');
  assert.is(tabwriter('aaa\tb\na\t', BUILDX), 'aaa b\na');
});

test('widths are computed by the given function', () => {
  assert.is(tabwriter('日本\tx\nabc\tx\n', BUILDX), '日本  x\nabc x\n');
  const twice = (text: string) => text.length * 2;
  assert.is(tabwriter('a\tx\nabc\tx\n', { ...BUILDX, width: twice }), 'a     x\nabc x\n');
});

test('lines with very many cells are written quickly', () => {
  assert.is(tabwriter('\t'.repeat(200_000), BUILDX).length, 199_999);
});

test.run();
