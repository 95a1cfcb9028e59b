// Go templates with arbitrary data: only a TemplateError may be thrown.
import {
  ANY,
  decode,
  encodeJson,
  parseTemplate,
  plainValue,
  renderTemplate,
  rootFields,
  TemplateError,
  templateSource,
  value as typed,
} from '../../src/go/template/index.js';
import { bytesOf, must, soon, type Target, text } from './target.js';

const DATA =
  '{"ID":"sha256:1","Size":123,"Config":{"Env":["A=b"],"Labels":{"a":"b","__proto__":"x"}},"Created":"2023-11-14T22:13:20Z","List":[1,-2.5,null,true,{}]}';

const TEMPLATES = [
  '{{.ID}} {{.Size}} {{json .}}',
  '{{range $i, $e := .List}}{{if $i}}, {{end}}{{printf "%v %T %#v %5d" $e $e $e $e}}{{else}}none{{end}}',
  '{{with .Config}}{{index .Labels "a"}}{{len .Env}}{{join .Env ","}}{{end}}',
  '{{define "T"}}{{.}}{{end}}{{template "T" .ID}}{{block "B" .}}x{{end}}',
  '{{/* c */ -}} {{- $x := 0x1p-2 }}{{$x = 1i}}{{eq .Size 123 $x}}{{and .ID (not .Size) | or "a"}}',
  '{{slice .ID 1 3}}{{html .ID}}{{js .}}{{urlquery .}}{{print .List}}{{println}}{{call .ID}}',
  '{{title .ID | upper | lower | split ":"}}{{pad .ID 1 2}}{{truncate .ID 3}}{{break}}{{continue}}',
];

const TOKENS =
  '{{|}}|{{-|-}}|/*|*/|.|$|$x|:=|=|,|(|)|"|`|\'|\\|%v|%d|%#v|%*d|%[1]d|if |else|else if |end|range |with |define "T"|template "T"|block "T" |break|continue|and |or |not |eq |lt |index |slice |len |json |printf |print |html |js |call |0x1p4|1e999|1i|\'a\'|nil|true|.Config|.List|\0|\\u00e9'.split(
    '|',
  );

/** A template, a NUL, and data as JSON; other data if that is not JSON. */
function check(input: Uint8Array): string {
  const [source = '', json = ''] = text(input).split('\0');
  let data: unknown = json;
  try {
    data = JSON.parse(json);
  } catch {
    // Not JSON: the text is the data.
  }
  return soon('template', () => attempt(source, data));
}

function attempt(source: string, data: unknown): string {
  try {
    const template = parseTemplate(source);
    rootFields(template);
    // The normal form is equivalent to the template.
    const normal = templateSource(template);
    must(
      templateSource(parseTemplate(normal)) === normal,
      `normal form ${JSON.stringify(normal)} has another`,
    );
    plainValue(data);
    must(encodeJson(typed(ANY, decode(ANY, data))) !== undefined, 'no JSON');
    return `out ${Math.min(3, renderTemplate(source, data).length)}`;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return error.message.replace(/"[^"]*"|<[^>]*>|\d+/g, '').slice(0, 60);
  }
}

export const templateTargets: readonly Target[] = [
  {
    name: 'template',
    seeds: () => TEMPLATES.map(template => bytesOf(`${template}\0${DATA}`)),
    tokens: TOKENS,
    pace: 300,
    check,
  },
];
