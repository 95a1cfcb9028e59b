// Output for a terminal: text of the data cannot make lines, columns or colours; the template's own text can.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderRows } from '../../../src/docker/list/formatter.js';
import { execute, parseTemplate, plainValue } from '../../../src/go/template/index.js';
import { visible } from '../../../src/visible.js';

const EVIL = 'a\nb\tc\u001b[1md\u202e';
const DATA = plainValue({
  Text: EVIL,
  List: [EVIL, 'x'],
  Map: { [EVIL]: EVIL },
  Deep: { List: [{ Text: EVIL }] },
  Number: 5,
});

const SHOWN = 'a\\nb\\tc\\u{1b}[1md\\u{202e}';

const CASES: readonly (readonly [template: string, expected: string])[] = [
  ['{{.Text}}', SHOWN],
  ['x\n\t{{.Text}}\u001b[0m', `x\n\t${SHOWN}\u001b[0m`],
  ['{{.Text}}{{"\\n"}}', `${SHOWN}\n`],
  ['{{println .Text}}', `${SHOWN}\n`],
  ['{{print .Text "\\t" .Number}}', `${SHOWN}\t5`],
  ['{{printf "%s\\n%d\\n" .Text .Number}}', `${SHOWN}\n5\n`],
  ['{{.Text | printf "%s\\n"}}', `${SHOWN}\n`],
  ['{{printf .Text}}', SHOWN],
  ['{{join .List "\\n"}}', `${SHOWN}\nx`],
  ['{{range .List}}{{.}}{{"\\n"}}{{end}}', `${SHOWN}\nx\n`],
  ['{{println .List}}', `[${SHOWN} x]\n`],
  ['{{.Map}}', `map[${SHOWN}:${SHOWN}]`],
  ['{{.Deep}}', `map[List:[map[Text:${SHOWN}]]]`],
  ['{{$end := "\\n"}}{{.Text}}{{$end}}', `${SHOWN}\n`],
  ['{{range split .Text "\\n"}}[{{.}}]{{end}}', '[a][b\\tc\\u{1b}[1md\\u{202e}]'],
  ['{{if eq .Text "a\\nb\\tc\\x1b[1md\\u202e"}}same{{end}} {{len .Text}}', 'same 13'],
  ['{{upper .Text}}', 'A\\nB\\tC\\u{1b}[1MD\\u{202e}'],
  // JSON escapes line separators, and stays valid.
  ['{{json .Text}}', JSON.stringify(EVIL)],
];

test('text of the data is escaped, text of the template is not', () => {
  for (const [template, expected] of CASES)
    assert.is(execute(parseTemplate(template), DATA, { guard: visible }), expected, template);
});

test("without a terminal the output is exactly Go's", () => {
  assert.is(execute(parseTemplate('{{.Text}}'), DATA), EVIL);
  assert.is(execute(parseTemplate('{{println .List}}'), DATA), `[${EVIL} x]\n`);
});

test('rows of a table cannot make rows or columns', () => {
  const kind = { goType: 'x', headers: { ID: 'ID', Name: 'NAME' } };
  const rows = [{ ID: 'a\nfake\tb', Name: '\u001b[1m' }];
  const rendered = renderRows('table {{.ID}}\t{{.Name}}', kind, rows, visible);
  assert.equal(rendered, { text: 'ID           NAME\na\\nfake\\tb   \\u{1b}[1m\n', error: null });
});

test.run();
