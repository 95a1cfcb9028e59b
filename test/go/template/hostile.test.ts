// Templates and data that would use up time, memory or stack.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ANY,
  decode,
  encodeJson,
  execute,
  INT,
  parseTemplate,
  plainValue,
  renderTemplate,
  TemplateError,
  value,
} from '../../../src/go/template/index.js';

const fails = (run: () => unknown, phase: TemplateError['phase'], message: RegExp) => {
  const told = (error: unknown) =>
    error instanceof TemplateError && error.phase === phase && message.test(error.message);
  assert.throws(run, told);
};
const nested = (depth: number) => {
  let data: unknown = 'x';
  for (let level = 0; level < depth; level++) data = level % 2 === 0 ? [data] : { a: data };
  return data;
};

test('templates that invoke themselves are stopped', () => {
  const tooDeep = /exceeded maximum template depth/;
  fails(() => renderTemplate('{{define "T"}}{{template "T"}}{{end}}{{template "T"}}', {}), 'exec', tooDeep);
  const nest = (open: string) => `${open.repeat(90)}{{template "T" $}}${'{{end}}'.repeat(90)}`;
  for (const open of ['{{if 1}}', '{{with .}}', '{{range $}}']) {
    fails(
      () => renderTemplate(`{{define "T"}}${nest(open)}{{end}}{{template "T" .}}`, ['a']),
      'exec',
      tooDeep,
    );
  }
});

test('templates that nest too deep are refused', () => {
  const tooDeep = /nested deeper than/;
  const many = 100_000;
  fails(() => parseTemplate(`{{${'('.repeat(many)}1${')'.repeat(many)}}}`), 'parse', tooDeep);
  fails(() => parseTemplate('{{if 1}}'.repeat(many)), 'parse', tooDeep);
  fails(() => parseTemplate(`{{if 1}}${'{{else if 1}}'.repeat(many)}{{end}}`), 'parse', tooDeep);
});

test('templates that loop too long are stopped', () => {
  const rows = Array.from({ length: 300 }, () => 1);
  const loops = `${'{{range $}}'.repeat(4)}${'{{end}}'.repeat(4)}`;
  fails(() => renderTemplate(loops, rows), 'exec', /more than \d+ steps/);
  const endless = parseTemplate('{{range .}}{{end}}');
  fails(() => execute(endless, value(INT, 2n ** 62n)), 'exec', /more than \d+ steps/);
});

test('templates that write too much are stopped', () => {
  const doubling = '{{$a := "0123456789"}}{{range .}}{{$a = print $a $a}}{{end}}';
  fails(() => renderTemplate(doubling, Array(99).fill(1)), 'exec', /longer than|more than/);
  fails(() => renderTemplate('{{pad "a" 1000000000 1}}', {}), 'exec', /error calling pad: text longer than/);
  const wide = '{{range .}}{{printf "%1000000d" 1}}{{end}}';
  fails(() => renderTemplate(wide, Array(1000).fill(1)), 'exec', /longer than|more than/);
  fails(() => renderTemplate('{{printf "%1000000d" .}}', Array(1000).fill(1)), 'exec', /text longer than/);
  const pieces = '{{$a := printf "%1000000d" 1}}{{$a = print $a $a $a $a $a}}{{split $a ""}}';
  fails(() => renderTemplate(pieces, {}), 'exec', /error calling split: more than \d+ pieces/);
});

test('data that nests too deep, and data that contains itself', () => {
  const deep = nested(200);
  for (const template of ['{{.}}', '{{json .}}', '{{printf "%#v %d" . .}}']) {
    assert.ok(renderTemplate(template, deep).length > 400, template);
  }
  fails(() => plainValue(nested(100_000)), 'exec', /data nested deeper than/);
  const self: Record<string, unknown> = {};
  self.self = self;
  fails(() => renderTemplate('{{json .}}', self), 'exec', /data nested deeper than/);
  // Decoding cuts deep values, so that every decoded value can be written.
  assert.match(encodeJson(value(ANY, decode(ANY, nested(5000)))), /^\{"a":\[.*null.*\}$/);
});

test.run();
