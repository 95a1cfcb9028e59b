// Documents as GitHub's markdown: the same content, and no text of an archive becomes markup.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toMarkdown } from '../../src/format/markdown.js';
import { type Doc, gap, heading, span, text } from '../../src/report/doc.js';
import { legible } from '../../src/visible.js';

const table = (cells: readonly string[]): Doc => [
  { kind: 'table', columns: [{ title: 'size', align: 'right' }, { title: 'path' }], rows: [cells] },
];

const cell = (value: string): string => {
  const line = toMarkdown(table(['1', value]))
    .trimEnd()
    .split('\n')[2]!;
  const found = /^\| 1 \| (.*) \|$/.exec(line);
  assert.ok(found, line);
  return found[1]!;
};

test('a document has its headings, lists and tables', () => {
  const doc: Doc = [
    { kind: 'pairs', rows: [['archive', [span('image.tar', 'strong')]]] },
    gap,
    heading('Layers', 2),
    text(['intact ', span('yes', 'good'), '  ', span('broken', 'bad')]),
    text('first', 2),
    text('second', 4),
    ...table(['5 MB', 'bin/sh']),
  ];
  assert.is(
    toMarkdown(doc),
    [
      '|  |  |',
      '| --- | --- |',
      '| archive | **image.tar** |',
      '',
      '## Layers',
      '',
      'intact yes  **broken**',
      '- first',
      '  - second',
      '',
      '| size | path |',
      '| ---: | --- |',
      '| 5 MB | bin/sh |',
      '',
    ].join('\n'),
  );
});

test('plain words stay text; markup, links and mentions become code', () => {
  assert.is(cell('RUN make all (fast), 50 %'), 'RUN make all (fast), 50 %');
  assert.is(cell('a *b* c'), 'a `*b*` c');
  assert.is(cell('two_words x86_64 -> 14:36:44'), 'two_words x86_64 -> 14:36:44');
  assert.is(cell('_init_ and _'), '`_init_ and _`');
  assert.is(cell('expected @a, but it really is @b'), 'expected `@a`, but it really is `@b`');
  assert.is(cell('ping @team and #12 now'), 'ping `@team and #12` now');
  assert.is(cell('see https://x.example'), 'see `https://x.example`');
  assert.is(cell('www.x.example'), '`www.x.example`');
  assert.is(cell(':tada:'), '`:tada:`');
  assert.is(cell('GH-12'), '`GH-12`');
  assert.is(cell('[a](b) ![c](d)'), '`[a](b) ![c](d)`');
  assert.is(cell('transfers (~ is an estimate)'), 'transfers (\\~ is an estimate)');
  assert.is(cell('needs <v1 and <2, ~6 MB'), 'needs &lt;v1 and &lt;2, \\~6 MB');
  assert.is(cell('<a href=x> ~~struck~~'), '&lt;a href=x> \\~\\~struck\\~\\~');
  assert.is(cell('a|b ~6'), '<code>a&#124;b</code> \\~6');
  assert.is(cell('</td><script>alert(1)</script>'), '`</td><script>alert(1)</script>`');
  assert.is(cell('-'), '-');
});

test('pipes and backticks, which end code and cells, become character references', () => {
  assert.is(cell('a|b'), '<code>a&#124;b</code>');
  assert.is(cell('`<b>`'), '<code>&#96;&#60;b&#62;&#96;</code>');
  assert.is(cell('x\\|y'), '<code>x&#92;&#124;y</code>');
  assert.is(cell('two\nlines'), '<code>two&#92;nlines</code>');
});

test('what a message quotes with backticks is code as a whole, and a digest alone', () => {
  const line = (value: string) => toMarkdown([text(value)]).trimEnd();
  assert.is(line('say `USER 10001` in the last stage'), 'say `USER 10001` in the last stage');
  assert.is(line('run `a | b && c`, then'), 'run `a | b && c`, then');
  assert.is(
    line('it is sha256:0123456789abcdef (claimed by index.json, 0123456789abcdef)'),
    'it is `sha256:0123456789abcdef` (claimed by index.json, `0123456789abcdef`)',
  );
  assert.is(line('one (0123456789abcdef) in ENV a@b'), 'one (`0123456789abcdef`) in ENV `a@b`');
  assert.is(line('it is called "a|b`c"'), 'it is called <code>&#34;a&#124;b&#96;c&#34;</code>');
  assert.is(line('say `x y` of `'), 'say <code>&#96;x y&#96; of &#96;</code>');
  assert.is(
    line('a name ` and `</b>` here'),
    'a name <code>&#96; and &#96;&#60;&#47;b&#62;&#96;</code> here',
  );
});

test('adjacent code spans are not merged', () => {
  assert.is(toMarkdown([text(['a*b', 'c*d'])]), '`a*b`<!-- -->`c*d`\n');
});

test('names of a megabyte are cut, in time linear in their length', () => {
  for (const piece of [',', '_', '|', ':', ':a', '*,', '1', ' ']) {
    const name = `*${piece.repeat(1e6 / piece.length)}x`;
    const read = legible(name);
    assert.ok(read.length < 10_000);
    assert.ok(toMarkdown([text(name)]).length >= read.replaceAll(' ', '').length);
  }
});

test('no line begins with an unintended marker', () => {
  const line = (value: string) => toMarkdown([text(value)]).trimEnd();
  assert.is(line('- a'), '\\- a');
  assert.is(line('> a'), '\\> a');
  assert.is(line('12. a'), '12\\. a');
  assert.is(line('# a'), '\\# a');
  assert.is(line('==='), '\\===');
  assert.is(line('     code'), 'code');
});

test('a long table is collapsed, and a very long one cut, which is noted', () => {
  const long = (rows: number): Doc => [
    { kind: 'table', columns: [{ title: 'n' }], rows: Array.from({ length: rows }, (_, i) => [String(i)]) },
  ];
  assert.not.match(toMarkdown(long(25)), '<details>');
  assert.match(toMarkdown(long(26)), /^<details>\n<summary>26 rows<\/summary>\n\n\| n \|\n/);
  const cut = toMarkdown(long(1500));
  assert.match(cut, '500 more rows');
  assert.match(cut, '| 999 |');
  assert.not.match(cut, '| 1000 |');
});

test.run();
