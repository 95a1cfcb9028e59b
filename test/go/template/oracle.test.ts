// Go's output for the templates of oracle.json, as recorded from Go 1.19 and, if Go is installed, from that; and for
// every verb with every type.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decode,
  execute,
  parseTemplate,
  plainValue,
  pointerTo,
  type Template,
  TemplateError,
  templateSource,
  type Value,
  value,
} from '../../../src/go/template/index.js';
import { repositoryRoot, testWhen } from '../../support/corpus.js';
import { IMAGE, image } from './typed.js';

interface Question {
  readonly template: string;
  readonly data?: 'plain' | 'typed';
  readonly functions?: Template['functions'];
  readonly missingKey?: 'error';
  /** JSON to decode into the image of oracle.go, which is then the data. */
  readonly document?: string;
  /** The first version, go1.x, with this answer. */
  readonly since?: number;
}

interface Answer {
  readonly output?: string;
  readonly phase?: string;
  readonly error?: string;
  /** The template in Go's normal form. */
  readonly source?: string;
}

interface Cases {
  readonly plain: unknown;
  readonly questions: readonly (Question & { readonly answer: Answer })[];
}

const folder = join(repositoryRoot, 'test/go/template');
const { plain, questions: recorded } = JSON.parse(readFileSync(join(folder, 'oracle.json'), 'utf8')) as Cases;
const version = Number(
  /go1\.(\d+)/.exec(spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
);
const goTest = testWhen(test, !Number.isNaN(version), 'Go is not installed');

let oracle: string | null = null;
test.after(() => {
  if (oracle !== null) rmSync(oracle, { recursive: true, force: true });
});

function built(): string {
  if (oracle !== null) return oracle;
  oracle = mkdtempSync(join(tmpdir(), 'waybill-go-'));
  copyFileSync(join(folder, 'oracle.go'), join(oracle, 'main.go'));
  writeFileSync(join(oracle, 'go.mod'), 'module main\n\ngo 1.18\n');
  const settings = { GOCACHE: join(oracle, 'cache'), GOPATH: join(oracle, 'path'), GOPROXY: 'off' };
  const env = { ...process.env, ...settings, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
  execFileSync('go', ['build', '-o', 'oracle', '.'], { cwd: oracle, env, stdio: 'pipe' });
  return oracle;
}

function askGo(questions: readonly Question[]): readonly Answer[] {
  const input = JSON.stringify({ plain, questions });
  const env = { ...process.env, TZ: 'UTC' };
  const output = execFileSync(join(built(), 'oracle'), { input, env, maxBuffer: 2 ** 28 });
  return (JSON.parse(output.toString('utf8')) as Answer[]).map(comparable);
}

function dataOf(question: Question): Value {
  if (question.document !== undefined) {
    return value(pointerTo(IMAGE), decode(IMAGE, JSON.parse(question.document)));
  }
  return question.data === 'typed' ? image : plainValue(plain);
}

function askUs(question: Question): Answer {
  let source = '';
  try {
    const template = parseTemplate(question.template, question.functions);
    source = templateSource(template);
    const missingKey = question.missingKey ?? 'default';
    return comparable({ output: execute(template, dataOf(question), { missingKey }), source });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return comparable({ phase: error.phase, error: error.message, source });
  }
}

const withoutAddresses = (text: string): string =>
  text
    .replace(/\bc0[0-9a-f]{8}\b|(?<=0x)c0[0-9a-f]{8}\b|\b8246\d{8}\b/g, 'ADDRESS')
    .replace(/\*time\.Location=[^)]*/g, 'LOCATION');

/** Addresses differ from run to run; some errors have more detail in newer versions of Go. */
function comparable({ output = '', phase = '', error = '', source = '' }: Answer): Answer {
  return {
    output: withoutAddresses(output),
    phase,
    error: withoutAddresses(error)
      .replace(/(incompatible types for comparison).*/, '$1')
      .replace(/non-function .*of type/, 'non-function of type')
      .replace(
        /runtime error: invalid memory address.*|value method .* called using nil .* pointer/,
        'nil receiver',
      ),
    source: source.replaceAll(' := ', ' = '),
  };
}

function same(questions: readonly Question[], wanted: readonly Answer[], given: readonly Answer[]): void {
  const lines = questions.flatMap((question, at) => {
    const [expected, actual] = [JSON.stringify(comparable(wanted[at]!)), JSON.stringify(given[at])];
    return expected === actual ? [] : [`${JSON.stringify(question)}\n  ${expected}\n  ${actual}`];
  });
  const shown = lines.slice(0, 20).join('\n');
  assert.is(lines.length, 0, `${lines.length} of ${questions.length} differ:\n${shown}`);
}

test("templates give Go's output, including errors and the normal form", () => {
  assert.ok(recorded.length > 1500);
  same(
    recorded,
    recorded.map(question => question.answer),
    recorded.map(askUs),
  );
});

goTest('the Go that is installed answers as recorded', () => {
  const known = recorded.filter(({ since = 0 }) => since <= version);
  same(
    known,
    known.map(question => question.answer),
    askGo(known),
  );
});

const agree = (questions: readonly Question[]) => same(questions, askGo(questions), questions.map(askUs));

const VERBS = [...'vdsqxXobOcUeEfFgGtpTwz%'];
const FLAGS = ' + - # 0 8 -8 08 +8 .2 .0 12.3 -12.3 012.3 #.3 +# #8 +.0'.split(' ').concat(' ', '# ');
const CONSTANTS = [
  ...[
    '0',
    '1',
    '-42',
    '255',
    '1.5',
    '-0.0',
    '0.1',
    '1e21',
    '123456789.0',
    '1e-7',
    '2.5',
    '1e300',
    '2i',
    '1+2i',
  ],
  ...['""', '"abc"', '"é\\n\\x00`"', '"\\u2028"', 'true', "'x'", '0x1F600', '0xD800', 'nil'],
];

goTest('every verb prints every constant as Go does', () => {
  agree(
    CONSTANTS.flatMap(operand =>
      VERBS.flatMap(verb => FLAGS.map(flags => ({ template: `{{printf "%${flags}${verb}|" ${operand}}}` }))),
    ),
  );
});

const FORMATS = ['%v', '%+v', '%#v', '%d', '%s', '%q', '%x', '% x', '%T', '%5v', '%t', '%.1f', '%08.3v'];

goTest('every verb prints every type as Go does', () => {
  const fields = IMAGE.fields.map(field => `.${field.name}`);
  const operands = ['.', '.Config.Test', '(index .List 0)', '(index .Structs 0)', ...fields];
  agree(
    operands.flatMap(operand =>
      FORMATS.map(format => ({ template: `{{printf "${format}" ${operand}}}`, data: 'typed' as const })),
    ),
  );
});

test.run();
