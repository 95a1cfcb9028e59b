// Callers without a compiler: a wrong argument is a UsageError that names it, and a stream that fails an InputError.
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError, UsageError } from '../../src/errors.js';
import * as library from '../../src/index.js';
import { type Archive, openArchive, verifyArchive } from '../../src/index.js';
import { repositoryRoot } from '../support/corpus.js';
import { runNode } from '../support/nodes.js';

const test = suite('arguments of the library');
const sample = join(repositoryRoot, 'samples/hello-docker-28.tar');

type Call = (...values: readonly unknown[]) => unknown;

/** The functions as a caller without a compiler sees them. */
const functions = library as unknown as Readonly<Record<string, Call>>;

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    const result = await work();
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result)
      for await (const _ of result as AsyncIterable<unknown>);
  } catch (error) {
    return error;
  }
  return assert.unreachable('expected an error');
}

async function refused(work: () => unknown, name: string, about: string): Promise<string> {
  const error = await errorOf(work);
  assert.instance(error, UsageError, `${about}: ${error}`);
  const { message } = error as UsageError;
  assert.ok(message.startsWith(`${name}: `), `${about}: ${message}`);
  return message;
}

const INPUTS: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  '""': '',
  '5': 5,
  true: true,
  'a function': () => {},
  'a symbol': Symbol('x'),
  'an array': [new Uint8Array(512)],
  'an object': {},
  'an instance of URL; pass fileURLToPath(url) of node:url': pathToFileURL(sample),
  'an instance of Buffer; pass Readable.from([bytes]) of node:stream': readFileSync(sample),
  'an instance of Uint8Array; pass Readable.from([bytes]) of node:stream': new Uint8Array(512),
  'an instance of ArrayBuffer; pass Readable.from([bytes]) of node:stream': new ArrayBuffer(512),
  'an instance of Blob; pass its stream()': new Blob([]),
  'an instance of Promise; await it': Promise.resolve(sample),
};

test('the input of openArchive is a path or a stream', async () => {
  for (const [found, input] of Object.entries(INPUTS))
    assert.is(
      await refused(() => functions.openArchive!(input), 'input', found),
      `input: expected the path of a file or directory, or a stream of bytes, found ${found}`,
    );
});

/** Values that no option of the kind has. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  text: [null, 5, [], {}, Symbol.iterator],
  texts: [null, 'text', [5], {}],
  flag: [null, 'true', 1],
  count: [null, '5', -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5n],
  layer: [null, -1, 0.5, {}, []],
  callback: [null, 'text', {}],
  signal: [null, {}, 5, new AbortController()],
  by: [null, 'colour', 'toString', '', ['layer']],
  store: [null, 'zfs', 'toString', 'constructor'],
  image: [null, 5, {}, []],
  requireComplete: [null, 5, {}],
  limits: [null, 'seconds', [], 5],
  jobs: [null, '2', 0, -1, 0.5],
  memory: [null, '1G', 0, 1000],
};

const SELECTION = { image: 'image', platform: 'text', signal: 'signal' };
const FILE = { ...SELECTION, layer: 'layer' };

/** Each function: arguments before its options, and the kind of each option. */
const OPTIONS: Readonly<
  Record<
    string,
    readonly [before: (archive: Archive) => readonly unknown[], Readonly<Record<string, string>>]
  >
> = {
  openArchive: [
    () => [sample],
    {
      ...{ limits: 'limits', jobs: 'jobs', memory: 'memory', signal: 'signal' },
      ...{ requireComplete: 'requireComplete', requireImage: 'flag', onProgress: 'callback' },
    },
  ],
  verifyArchive: [archive => [archive], SELECTION],
  listFiles: [archive => [archive], { ...FILE, where: 'texts' }],
  listLayer: [archive => [archive, 1], SELECTION],
  readFile: [archive => [archive, 'etc/passwd'], FILE],
  streamFile: [archive => [archive, 'etc/passwd'], FILE],
  measureSizes: [archive => [archive], { ...SELECTION, by: 'by', top: 'count' }],
  findWaste: [archive => [archive], SELECTION],
  compareImages: [archive => [archive, archive], { ignore: 'texts', signal: 'signal' }],
  listIds: [archive => [archive], { ...SELECTION, docker: 'count', find: 'text' }],
  inspectImages: [
    archive => [archive],
    { ...SELECTION, format: 'text', docker: 'count', store: 'store', api: 'text' },
  ],
};

test('each option of each function has a type, and no other option is there', async () => {
  const archive = await openArchive(sample);
  for (const [name, [before, options]] of Object.entries(OPTIONS)) {
    const call = (given: unknown) => functions[name]!(...before(archive), given);
    for (const [option, kind] of Object.entries(options)) {
      for (const value of WRONG[kind]!)
        await refused(() => call({ [option]: value }), option, `${name}, ${option}`);
      assert.ok(await call({ [option]: undefined }), `${name}, ${option}: undefined is not given`);
    }
    for (const wrong of [null, 5, 'text', []]) await refused(() => call(wrong), 'options', name);
    const unknown = await refused(() => call({ colour: 1 }), 'options', name);
    assert.match(unknown, 'no option "colour"; there are ');
    for (const option of Object.keys(options)) assert.match(unknown, option);
  }
});

test('each function about an archive takes what openArchive returned', async () => {
  const archive = await openArchive(sample);
  const wrong = [
    undefined,
    null,
    5,
    sample,
    {},
    { ...archive },
    structuredClone(archive),
    openArchive(sample),
  ];
  for (const [name, [before]] of Object.entries(OPTIONS)) {
    if (name === 'openArchive') continue;
    for (const value of wrong) {
      const [, ...rest] = before(archive);
      const first = name === 'compareImages' ? 'a' : 'archive';
      const message = await refused(() => functions[name]!(value, ...rest), first, name);
      assert.match(message, 'expected what openArchive returned, found ');
    }
  }
  const chosen = (value: unknown) => () =>
    functions.compareImages!(archive, { archive, ...(value as object) });
  await refused(() => functions.compareImages!(archive, null), 'b', 'compareImages');
  await refused(() => functions.compareImages!(archive, { archive: null }), 'b', 'compareImages');
  await refused(chosen({ platform: 5 }), 'platform', 'compareImages');
  await refused(chosen({ colour: 5 }), 'options', 'compareImages');
});

test('other arguments are text', async () => {
  const archive = await openArchive(sample);
  for (const value of [undefined, ...WRONG.text!]) {
    await refused(() => functions.readFile!(archive, value), 'path', 'readFile');
    await refused(() => functions.streamFile!(archive, value), 'path', 'streamFile');
    await refused(() => functions.renderTemplate!(value, {}), 'template', 'renderTemplate');
    await refused(() => functions.explainFinding!(value), 'code', 'explainFinding');
  }
  for (const value of [undefined, ...WRONG.layer!])
    await refused(() => functions.listLayer!(archive, value), 'layer', 'listLayer');
});

test('an image is the object that was in archive.images, in whatever order the caller has them', async () => {
  const archive = await openArchive(join(repositoryRoot, 'samples/hello-oci.tar'));
  const before = [...archive.images];
  (archive.images as unknown[]).reverse();
  for (const image of before)
    assert.equal(
      (await verifyArchive(archive, { image })).images.map(({ platform }) => platform),
      [image.platform],
    );
});

const bytes = readFileSync(sample);

/** Streams of one archive, of each kind. */
const STREAMS: Readonly<
  Record<string, () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>>
> = {
  'a Readable': () => createReadStream(sample),
  'a Readable of one piece': () => Readable.from([bytes]),
  'a stream of the web': () => new Blob([bytes]).stream() as unknown as AsyncIterable<Uint8Array>,
  'a stream of ArrayBuffers': () =>
    ReadableStream.from([
      new Uint8Array(bytes).buffer,
    ]) as AsyncIterable<unknown> as AsyncIterable<Uint8Array>,
  'the web stream of a file': async function* () {
    const handle = await open(sample);
    yield* handle.readableWebStream() as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
    await handle.close();
  },
  'a generator': async function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  },
};

for (const [name, stream] of Object.entries(STREAMS))
  test(`${name} is read`, async () => {
    const archive = await openArchive(await stream());
    assert.is((await verifyArchive(archive)).verdicts.intact, true);
  });

test('pieces that are no bytes are refused, and what is wrong with them is said', async () => {
  const encoded = createReadStream(sample).setEncoding('latin1');
  const message = await refused(() => openArchive(encoded), 'input', 'setEncoding');
  assert.match(message, 'found text in it; the stream has an encoding, by setEncoding');
  assert.ok(encoded.destroyed);
  for (const [piece, found] of [
    [{}, 'an object'],
    [5, '5'],
    [[1], 'an array'],
    [new Uint16Array(512), 'an instance of Uint16Array'],
  ] as const)
    assert.match(
      await refused(() => functions.openArchive!(Readable.from([piece])), 'input', found),
      `expected a stream of bytes (Uint8Array), found ${found} in it`,
    );
});

async function* failing(error: unknown, after: number): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, after);
  throw error;
}

test('a stream that fails is an InputError with the cause', async () => {
  for (const [error, reason] of [
    [new Error('the line is dead'), 'the line is dead'],
    ['text', '"text"'],
    [undefined, 'undefined'],
    [{ code: 5 }, 'an object'],
    [new InputError('another', 'elsewhere'), 'elsewhere: another'],
  ] as const)
    for (const after of [0, 100, 20_000])
      for (const input of [failing(error, after), Readable.from(failing(error, after))]) {
        if (error === undefined && input instanceof Readable) continue;
        const found = await errorOf(() => openArchive(input));
        assert.instance(found, InputError, String(found));
        const { where, what, damaged, cause } = found as InputError;
        assert.equal([where, what, damaged], ['the stream', `it failed: ${reason}`, true]);
        assert.is(cause, error);
      }
});

test('messages about a stream do not speak of standard input', async () => {
  for (const input of [[], [Buffer.alloc(600)], [Buffer.from('PK\x03\x04'), Buffer.alloc(600)]]) {
    const error = await errorOf(() => openArchive(Readable.from(input)));
    assert.is((error as InputError).where, 'the stream');
  }
});

test('a file of a stream that cannot be opened ends no process, also in the first call of one', () => {
  const door = new URL('../../src/index.js', import.meta.url).href;
  const program = `
    import { createReadStream } from 'node:fs';
    import { openArchive } from ${JSON.stringify(door)};
    const options = [{}, { signal: AbortSignal.abort(new Error('gone')) }, { colour: 1 }];
    for (const one of options)
      await openArchive(createReadStream('/no/such/file'), one).catch(error => console.log(error.message));
    await new Promise(resolve => setTimeout(resolve, 50));`;
  const { stdout, stderr } = runNode(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(
    stdout.split('\n').map(line => line.replace(/;.*/, '')),
    ['the stream: it failed: no such file or directory', 'gone', 'options: no option "colour"', ''],
    stderr,
  );
});

test('a stream is let go where it is not read', async () => {
  let ends = 0;
  const web = () =>
    new ReadableStream({
      cancel: () => {
        ends += 1;
      },
    }) as AsyncIterable<Uint8Array>;
  const readables: Readable[] = [];
  for (const options of [
    { signal: AbortSignal.abort(new Error('gone')) },
    { colour: 1 },
    { jobs: 0 },
    null,
  ]) {
    const readable = createReadStream(sample);
    readables.push(readable);
    await errorOf(() => functions.openArchive!(readable, options));
    await errorOf(() => functions.openArchive!(web(), options));
  }
  assert.equal(
    readables.map(({ destroyed }) => destroyed),
    [true, true, true, true],
  );
  assert.is(ends, 4);
});

test.run();
