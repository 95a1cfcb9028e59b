// Documents that readers interpret differently, or that attack programs that copy, nest or count: through every
// command.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { codes, readMembers, saved } from '../support/reading.js';
import { said } from '../support/terminal.js';

const item = await plainImage('item', 1);
const save = layouts.dockerSave({ image: item, tags: ['app:1'] });
const config = JSON.parse(Buffer.from(item.configBytes).toString());

/** A text in the place of a value: JSON that `JSON.stringify` would never write. */
interface Raw {
  readonly raw: string;
}

function written(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('raw' in value) return (value as Raw).raw;
  if (Array.isArray(value)) return `[${value.map(written).join()}]`;
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${written(item)}`)}}`;
}

const raw = (text: string): Raw => ({ raw: text });

/** Layouts of one image whose documents have additional fields: in the config, and as annotations of the index. */
function layoutsOf(more: object, annotations: object): layouts.Member[][] {
  const configBytes = Buffer.from(written({ ...config, ...more }), 'latin1');
  const blob = layouts.blobOf(layouts.MEDIA.config, configBytes);
  const manifest = layouts.manifestOf(item);
  const document = JSON.parse(Buffer.from(manifest.blobs[0]!.bytes).toString());
  const bytes = Buffer.from(written({ ...document, config: blob.descriptor, annotations }), 'latin1');
  const changed = layouts.blobOf(layouts.MEDIA.manifest, bytes);
  const oci = layouts.ociLayout({
    manifests: [
      layouts.described(
        { ...changed, blobs: [...changed.blobs, ...blob.blobs, ...manifest.blobs.slice(2)] },
        { annotations: { [layouts.REF_ANNOTATION]: 'app:1' } },
      ),
    ],
  });
  const docker = layouts.replaceBytes(save, `${item.imageId.slice(7)}.json`, () => configBytes);
  return [oci, docker];
}

const HOSTILE = '{"polluted":1,"toString":1,"valueOf":null,"length":-1,"then":1,"toJSON":1}';
const keys = raw(
  `{"__proto__":${HOSTILE},"constructor":{"prototype":${HOSTILE}},"prototype":${HOSTILE},"hasOwnProperty":1,"toString":"x","toJSON":"x","then":"x","length":5,"":"empty"}`,
);
const nested = (depth: number) => raw(`${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`);

const CASES: Readonly<Record<string, object>> = {
  'keys of every object': { config: keys, x: keys, rootfs: config.rootfs },
  'keys among labels': {
    config: { Labels: keys, Env: ['__proto__=1', 'constructor=2', 'toString'], Volumes: keys },
  },
  'keys among history': { history: [keys, keys] },
  'keys in place of lists': { history: keys, rootfs: { type: 'layers', diff_ids: keys } },
  'nested as deep as is read': {
    x: nested(990),
    config: { Labels: nested(900), Env: nested(900), Cmd: nested(900) },
  },
  'nested history': { history: [nested(900)] },
  'numbers beyond 2^53': {
    x: raw(
      '[9007199254740993,-9007199254740993,1e400,-1e400,-0,0.1e-400,12.50,123456789012345678901234567890]',
    ),
    config: {
      Healthcheck: { Interval: raw('9223372036854775808'), Retries: raw('1e400'), Timeout: raw('-1') },
    },
  },
  'half characters': {
    author: raw('"\\ud800"'),
    config: { Labels: { x: raw('"\\udc00\\ud800"') }, User: raw('"\\ud83d"') },
  },
  'bytes that are not UTF-8': { author: raw('"\xff\xfe"'), config: { User: raw('"\xc0\xaf"') } },
  'repeated keys': { x: raw('{"a":1,"a":2}'), config: raw('{"User":"a","User":"b","user":"c"}') },
  'every type in place of every other': {
    created: 5,
    os: [],
    architecture: {},
    config: [],
    rootfs: 'x',
    history: 5,
    author: null,
    variant: false,
  },
  nulls: { created: null, os: null, architecture: null, config: null, rootfs: null, history: null },
  'lists of nulls': {
    history: [null, null],
    rootfs: { type: null, diff_ids: [null] },
    config: { Env: [null], Cmd: [null], Labels: { a: null } },
  },
};

const COMMANDS: readonly ((file: string) => readonly string[])[] = [
  file => ['show', file, '--json'],
  file => ['show', file],
  file => ['verify', file, '--json'],
  file => ['verify', file],
  file => ['ids', file, '--json'],
  file => ['ids', file, '--find', 'abcd'],
  file => ['report', file, '--json'],
  file => ['sizes', file, '--json'],
  file => ['waste', file, '--json'],
  file => ['packages', file, '--json'],
  file => ['attestations', file, '--compare', '--json'],
  file => ['files', file],
  file => ['diff', file, saved(plain, 'plain.tar'), '--json'],
  file => ['diff', file, saved(plain, 'plain.tar')],
  file => ['inspect', file],
  file => ['inspect', file, '--store', 'containerd'],
  file => ['inspect', file, '--api', '1.24'],
  file => ['inspect', file, '--format', '{{json .}}'],
  file => ['inspect', file, '--format', '{{json .Config}} {{.Config.Labels}} {{.Created}}'],
  file => ['history', file, '--no-trunc'],
  file => ['history', file, '--format', '{{json .}}'],
  file => ['images', file, '--format', '{{json .}}'],
  file => ['images', file, '--tree'],
  file => ['imagetools', 'inspect', file],
  file => ['imagetools', 'inspect', file, '--format', '{{json .}}'],
  file => ['imagetools', 'inspect', file, '--format', '{{json .Image}}'],
  file => ['manifest', 'inspect', file],
  file => ['manifest', 'inspect', '--verbose', file],
  file => ['config', file],
];
const plain = await toTar(save);

for (const [name, more] of Object.entries(CASES)) {
  test(`${name}: every command has an answer`, async () => {
    for (const [i, members] of layoutsOf(more, keys).entries()) {
      const file = saved(await toTar(members), `document-${i}.tar`);
      for (const argsOf of COMMANDS) {
        const args = argsOf(file);
        // Anything but an answer, an InputError or a UsageError is rethrown.
        const { stdout, stderr } = await said(args);
        const what = `${args.join(' ')}: ${stderr}`;
        assert.not.match(stdout, /\[object Object\]|\[native code\]/, what);
        if (args.includes('--json') && stdout !== '') JSON.parse(stdout);
        assert.is(({} as { polluted?: number }).polluted, undefined, what);
        assert.is(typeof {}.toString, 'function', what);
      }
    }
  });
}

test('hostile keys are reported unchanged, and hide no other finding', async () => {
  const [oci] = layoutsOf({ config: { Labels: raw('{"__proto__":"x","constructor":"y"}') } }, {});
  const file = saved(await toTar(oci!), 'labels.tar');
  const { stdout } = await said(['show', file, '--json']);
  assert.match(stdout, /"labels":\s*\{\s*"__proto__":\s*"x",\s*"constructor":\s*"y"\s*\}/);
  const inspected = await said(['inspect', file, '--format', '{{json .Config.Labels}}']);
  assert.is(inspected.stdout.trim(), '{"__proto__":"x","constructor":"y"}');
});

for (const [name, text, code] of [
  ['a byte order mark', '\xef\xbb\xbf{}', 'json-invalid'],
  ['another value behind it', '{} {}', 'json-invalid'],
  ['words that are no JSON', '{"x":NaN}', 'json-invalid'],
  ['a comma too many', '{"x":1,}', 'json-invalid'],
  ['a comment', '{} // x', 'json-invalid'],
  ['single quotes', "{'x':1}", 'json-invalid'],
  ['a line end in a string', '{"x":"\n"}', 'json-invalid'],
  ['UTF-16', '{\0}\0', 'json-invalid'],
  ['nothing', '', 'json-invalid'],
  ['blanks', '  \n', 'json-invalid'],
  ['a hundred thousand brackets', '['.repeat(100_000), 'limit-reached'],
  ['a hundred thousand braces', '{"a":'.repeat(100_000), 'limit-reached'],
  ['nesting of one too many', `${'['.repeat(1001)}${']'.repeat(1001)}`, 'limit-reached'],
  ['nesting of as many as may be', `{"x":${'['.repeat(999)}${']'.repeat(999)}}`, null],
] as const) {
  test(`a document that is ${name}: ${code ?? 'nothing to say of it'}`, async () => {
    const path = `${item.imageId.slice(7)}.json`;
    const members = layouts.replaceBytes(save, path, () => Buffer.from(text, 'latin1'));
    const { report } = await readMembers(members);
    const about = report.findings.filter(finding => finding.at.path === path);
    const wanted = ['json-invalid', 'limit-reached'];
    assert.equal(
      codes(about).filter(found => wanted.includes(found)),
      code === null ? [] : [code],
      JSON.stringify(about),
    );
  });
}

for (const [size, is] of [
  ['-1', '-1'],
  ['9007199254740993', '9007199254740992'],
  ['1e400', 'Infinity'],
  ['0.5', '0.5'],
  ['"5"', 'a string'],
  ['null', 'null'],
] as const) {
  test(`a size of ${size} is an error`, async () => {
    const oci = layouts.skopeoOci({ image: item, tags: ['app:1'] });
    const { report, exitCode } = await readMembers(
      layouts.replaceBytes(oci, 'index.json', bytes =>
        Buffer.from(bytes)
          .toString()
          .replace(/"size":\d+/, `"size":${size}`),
      ),
    );
    const [finding] = report.findings.filter(({ code }) => code === 'field-invalid');
    assert.equal([finding?.severity, finding?.at.pointer], ['error', '/manifests/0/size']);
    assert.is((finding!.data as { actual: string }).actual, is);
    assert.is(exitCode, 1);
    assert.is(report.images.length, 1, 'it is read all the same');
  });
}

for (const digest of [
  'sha256:../../../../etc/passwd',
  'sha256:..',
  '../../etc/passwd',
  '/etc/passwd',
  'sha256/../../x',
  `sha256:${'0'.repeat(63)}`,
  `SHA256:${'0'.repeat(64)}`,
  `sha256:${'A'.repeat(64)}`,
  'sha256:',
  ':',
  '',
  `constructor:${'0'.repeat(64)}`,
  `__proto__:${'0'.repeat(64)}`,
  `md5:${'0'.repeat(32)}`,
  `sha256:${'0'.repeat(64)}\0`,
  `sha256:${'0'.repeat(64)}\n`,
  `blake3:${'0'.repeat(64)}`,
]) {
  test(`the digest ${JSON.stringify(digest.slice(0, 40))} refers to no blob, and is reported`, async () => {
    const document = JSON.parse(Buffer.from(layouts.manifestOf(item).blobs[0]!.bytes).toString());
    const readWith = async (
      change: (document: { config: { digest: string }; layers: { digest: string }[] }) => void,
    ) => {
      const copy = structuredClone(document);
      change(copy);
      const made = layouts.blobOf(layouts.MEDIA.manifest, JSON.stringify(copy));
      const content = { ...made, blobs: [...made.blobs, ...layouts.manifestOf(item).blobs.slice(1)] };
      return readMembers(layouts.ociLayout({ manifests: [content] }));
    };
    for (const read of [
      await readWith(d => {
        d.config.digest = digest;
      }),
      await readWith(d => {
        d.layers[0]!.digest = digest;
      }),
      await readMembers(
        layouts.replaceBytes(layouts.skopeoOci(item), 'index.json', bytes =>
          JSON.stringify({
            ...JSON.parse(Buffer.from(bytes).toString()),
            manifests: [{ mediaType: layouts.MEDIA.manifest, size: 1, digest }],
          }),
        ),
      ),
    ]) {
      const told = [
        'field-invalid',
        'config-missing',
        'layer-missing',
        'manifest-missing',
        'platform-absent',
      ];
      assert.ok(
        codes(read.report.findings).some(code => told.includes(code)),
        codes(read.report.findings).join(),
      );
      assert.is(read.exitCode, 1);
      assert.is.not(read.report.verdicts.complete, true);
    }
  });
}

test('text after the first value of manifest.json hides no image: docker and crane stop before it', async () => {
  const members = layouts.replaceBytes(save, 'manifest.json', bytes =>
    Buffer.concat([bytes, Buffer.from('\n[]')]),
  );
  const { report, exitCode } = await readMembers(members);
  assert.equal(
    report.images.map(({ imageId }) => imageId),
    [item.imageId],
  );
  assert.equal(codes(report.findings), ['json-invalid']);
  assert.match(report.findings[0]!.message, /2 bytes follow its value/);
  assert.is(exitCode, 1);
});

test.run();
