import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  execute,
  INT,
  parseTemplate,
  plainValue,
  renderTemplate,
  rootFields,
  STRING,
  struct,
  TemplateError,
  templateSource,
  value,
} from '../../../src/go/template/index.js';

function failure(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    assert.instance(error, TemplateError);
    return error as TemplateError;
  }
  throw new Error('nothing was thrown');
}

test('an invalid template is reported with the line', () => {
  const error = failure(() => renderTemplate('a\n{{ .Id }', {}));
  assert.is(error.phase, 'parse');
  assert.is(error.message, 'template: :2: unexpected "}" in operand');
});

test('a template that fails is reported with line, column in bytes, and the node', () => {
  const error = failure(() => renderTemplate('a\né {{ .Id.X }}', { Id: 'x' }));
  assert.is(error.phase, 'exec');
  const reason = "can't evaluate field X in type interface {}";
  assert.is(error.message, `template: :2:9: executing "" at <.Id.X>: ${reason}`);
});

test('an integer in plain data cannot be ranged over, a Go integer can', () => {
  assert.match(
    failure(() => renderTemplate('{{range .}}x{{end}}', 3)).message,
    /range can't iterate over 3$/,
  );
  assert.is(execute(parseTemplate('{{range .}}x{{end}}'), value(INT, 3)), 'xxx');
});

test('a missing key is no value, or an error on request', () => {
  const template = parseTemplate('{{.a.b}}');
  assert.is(execute(template, plainValue({ a: {} })), '<no value>');
  const error = failure(() => execute(template, plainValue({ a: {} }), { missingKey: 'error' }));
  assert.is(error.message, 'template: :1:4: executing "" at <.a.b>: map has no entry for key "b"');
});

test('docker and buildx have different sets of functions', () => {
  assert.is(renderTemplate('{{json .}}', { a: '<>' }), '{"a":"<>"}');
  const buildx = parseTemplate('{{json .}}', 'buildx');
  assert.is(execute(buildx, plainValue({ a: '<>' })), '{\n  "a": "\\u003c\\u003e"\n}');
  const error = failure(() => parseTemplate('{{upper .}}', 'buildx'));
  assert.is(error.message, 'template: :1: function "upper" not defined');
});

test('a template cannot reach JavaScript objects', () => {
  for (const name of ['env', 'readFile', 'include', 'constructor', '__proto__', 'toString']) {
    assert.is(
      failure(() => parseTemplate(`{{${name} "x"}}`)).message,
      `template: :1: function "${name}" not defined`,
    );
  }
  const data = JSON.parse('{"__proto__": {"a": 1}, "b": {}}');
  assert.is(
    renderTemplate('{{.__proto__.a}} {{.constructor}} {{.b.toString}}', data),
    '1 <no value> <no value>',
  );
  const typed = value(struct('t.T', [{ name: 'A', type: STRING }]), { A: 'x' });
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const error = failure(() => execute(parseTemplate(`{{.${name}}}`), typed));
    assert.match(error.message, `can't evaluate field ${name} in type t.T`);
  }
});

test('cutting a string inside a character loses no bytes', () => {
  assert.is(renderTemplate('{{slice . 0 2}}{{slice . 2}}', 'hé'), 'hé');
  assert.is(renderTemplate('{{slice . 0 2}}|{{truncate . 2 | len}}', 'hé'), 'h\ufffd|2');
  assert.is(renderTemplate('{{printf "%x %q" (slice . 1 2) (slice . 1 2)}}', 'hé'), 'c3 "\\xc3"');
  assert.is(renderTemplate('{{json (slice . 1 2)}}', 'hé'), '"\\ufffd"');
});

test('a template is written back in normal form', () => {
  const template = parseTemplate(
    '{{- /* x */ -}} {{ .a | len }}{{if  1 }}b{{ else if 2}}c{{end}}{{define "d"}}{{end}}',
  );
  assert.is(templateSource(template), '{{.a | len}}{{if 1}}b{{else}}{{if 2}}c{{end}}{{end}}');
});

test('the fields of its root that a template uses', () => {
  const touched = (source: string) => {
    const fields = rootFields(parseTemplate(source));
    return fields === null ? null : [...fields].sort();
  };
  assert.equal(touched('plain'), []);
  assert.equal(touched('{{.Id}} {{.Config.Env}} {{len .Tags}}'), ['Config', 'Id', 'Tags']);
  assert.equal(touched('{{range .A}}{{.B}}{{$.C}}{{else}}{{.D}}{{end}}'), ['A', 'C', 'D']);
  assert.equal(touched('{{with .A}}{{.}}{{end}}{{if .B}}{{.C}}{{end}}'), ['A', 'B', 'C']);
  assert.equal(touched('{{$x := .A}}{{$x.B}}{{(index .C 0).D}}'), ['A', 'C']);
  assert.equal(touched('{{template "T" .}}{{define "T"}}{{.A}}{{$.B}}{{template "T" .}}{{end}}'), ['A', 'B']);
  assert.equal(touched('{{template "T" .X}}{{define "T"}}{{.A}}{{.}}{{end}}'), ['X']);
  assert.equal(touched('{{block "T" $}}{{.A}}{{end}}'), ['A']);
  for (const whole of [
    '{{.}}',
    '{{json .}}',
    '{{$}}',
    '{{with $x := .}}{{$x.A}}{{end}}',
    '{{(print .)}}',
    '{{(.).A}}',
  ]) {
    assert.is(touched(whole), null, whole);
  }
});

test.run();
