// `waybill check` as a user runs it: exit codes, several archives, pipes, what contradicts itself, and the policy that
// --init writes.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SizeName } from '../../src/analysis/weigh.js';
import { Check, type CheckReport, checkReadOptions } from '../../src/commands/check/index.js';
import { initialPolicy, initReadOptions } from '../../src/commands/check/init.js';
import { InputError, readArchive, sizesOf, verify, wasteReport } from '../../src/commands.js';
import { PLANTED } from '../secrets/planted.js';
import { waybill } from '../support/cli.js';
import { corpus, hasCorpus, NO_SHARED_FOLDER, repositoryRoot, testWhen } from '../support/corpus.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { policyOf } from '../support/policy.js';
import { saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const sample = (name: string) => join(repositoryRoot, 'samples', name);
const SOUND = sample('hello-docker-28.tar');
const BROKEN = sample('broken-layer.tar');
const folder = temporary('check');

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const STRICT = file('strict.yaml', 'rules:\n  layer-count: 1\n  no-latest: on\n');
const EASY = file('easy.yaml', 'rules:\n  layer-count: 100\n');

test('exit codes: 0 passed, 1 a finding that fails, 2 no report', async () => {
  assert.is((await waybill(['check', SOUND])).status, 0);
  assert.is((await waybill(['check', SOUND, '--policy', EASY])).status, 0);
  assert.is((await waybill(['check', SOUND, '--policy', STRICT])).status, 1);
  assert.is((await waybill(['check', SOUND, '--policy', STRICT, '--fail-on', 'never'])).status, 0);
  assert.is((await waybill(['check', BROKEN, '--policy', EASY])).status, 1);
  assert.is((await waybill(['check', 'no-such.tar', '--policy', EASY])).status, 2);
  assert.is((await waybill(['check', SOUND, '--policy', 'no-such.yaml'])).status, 2);
});

test('the verdict comes first, then each finding with its place and what to change', async () => {
  const { stdout } = await waybill(['check', BROKEN, '--policy', STRICT]);
  assert.match(stdout, /^FAILED: 3 findings must be mended\n/);
  assert.match(stdout, /^hello:1\.0 {2}linux\/amd64\n {2}error diff-id-mismatch|error digest-mismatch/m);
  assert.match(
    stdout,
    / {2}error layer-count {2}it has 3 layers, at most 1 are allowed\n(?: {4}.*\n)* {4}change: join RUN instructions/,
  );
  assert.match(stdout, / {4}layer 2 of 3: COPY app\/ \/app\/\n/);
});

test('a leaked key, a copy for chown and package lists: the summary names layer, instruction and change', async () => {
  const big = Buffer.alloc(2_000_000, 'x');
  const modules = (uid: number) =>
    ['a', 'b'].map(name => ({ path: `app/node_modules/${name}.js`, bytes: new Uint8Array(big), uid }));
  const key = PLANTED.find(({ kind }) => kind === 'private-key')!;
  const layers: LayerSpec[] = [
    {
      files: { 'etc/passwd': 'root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' },
      createdBy: 'ADD root /',
    },
    {
      entries: [{ path: 'var/lib/apt/lists/debian_Packages', bytes: new Uint8Array(big) }],
      createdBy: 'RUN /bin/sh -c apt-get update # buildkit',
    },
    { files: { 'root/.ssh/id_ed25519': key.text }, createdBy: 'COPY id_ed25519 /root/.ssh/ # buildkit' },
    { entries: modules(0), createdBy: 'COPY node_modules /app/node_modules # buildkit' },
    {
      files: { 'root/.ssh/.wh.id_ed25519': '' },
      createdBy: 'RUN /bin/sh -c rm /root/.ssh/id_ed25519 # buildkit',
    },
    { entries: modules(1000), createdBy: 'RUN /bin/sh -c chown -R app /app # buildkit' },
  ];
  const members = await layouts.skopeoOci({
    image: await image({ layers, config: { config: { User: 'app', Cmd: ['node'] } } }),
    tags: ['shop:1'],
  });
  const archive = join(folder, 'shop.tar');
  writeFileSync(archive, await toTar(members));
  for (const format of ['text', 'markdown']) {
    const run = await waybill(['check', archive, '--preset', 'strict@1', '--format', format]);
    assert.is(run.status, 1);
    const text = run.stdout.replaceAll('`', '').replaceAll('&#96;', '');
    assert.match(
      text,
      /4 MB in \/app\/node_modules \(2 files\), overwritten \(layer 6: RUN chown -R app \/app\): .*COPY --chmod=… --chown=…/,
    );
    assert.match(
      text,
      /2 MB in \/var\/lib\/apt\/lists\/debian_Packages, .*: rm -rf \/var\/lib\/apt\/lists\/\* in the same RUN/,
    );
    assert.match(text, /private key .* in \/root\/\.ssh\/id_ed25519, line 1, layer 3 \(layer 5 deletes it\)/);
    assert.match(text, /layer 3 of 6: COPY id_ed25519 \/root\/\.ssh\//);
  }
});

test('rules that cannot be checked for one reason are one line of text, and each a finding', async () => {
  const layers: LayerSpec[] = [
    { files: { a: 'a' } },
    { files: { b: 'b' }, absent: true, urls: ['https://x.test/b'] },
  ];
  const members = layouts.skopeoOci({ image: await image({ layers }), tags: ['app:1'] });
  const archive = join(folder, 'foreign.tar');
  writeFileSync(archive, await toTar(members));
  const { stdout } = await waybill(['check', archive, '--preset', 'strict@1']);
  assert.match(
    stdout,
    /rule-not-checked {2}the rules waste-share, no-secrets, setuid-files, file-capabilities, world-writable, device-nodes could not be checked: not all of its files are known: layer 2/,
  );
  assert.is(stdout.match(/rule-not-checked/g)!.length, 1);
  const { findings } = JSON.parse(
    (await waybill(['check', archive, '--preset', 'strict@1', '--json'])).stdout,
  );
  assert.is(findings.filter(({ code }: { code: string }) => code === 'rule-not-checked').length, 6);
});

test('what is wrong with a policy is said with file, line and column, and no archive is read', async () => {
  const wrong = file('wrong.yaml', 'rules:\n  layer-cuont: 3\n  image-size: lots\n');
  const { stderr, stdout, status } = await waybill(['check', 'no-such.tar', '--policy', wrong]);
  assert.is(status, 2);
  assert.is(stdout, '');
  assert.is(
    stderr,
    `waybill: ${wrong}:2:3: there is no rule "layer-cuont"; did you mean \`layer-count\`?\n${wrong}:3:15: expected a size such as 250MB, 1.5GiB or 1000 (bytes), found "lots"\n`,
  );
});

test('a policy that is no text', async () => {
  const bytes = join(folder, 'bytes.yaml');
  writeFileSync(bytes, Buffer.from([0xff, 0xfe, 0x41]));
  assert.match(
    (await waybill(['check', SOUND, '--policy', bytes])).stderr,
    /expected text in UTF-8, found other bytes/,
  );
  const large = file('large.yaml', '#'.repeat(1024 * 1024 + 1));
  assert.match(
    (await waybill(['check', SOUND, '--policy', large])).stderr,
    /at most 1048576 bytes of text, found more/,
  );
  assert.match(
    (await waybill(['check', SOUND, '--policy', folder])).stderr,
    /expected a file, found a directory/,
  );
  assert.match((await waybill(['check', SOUND, '--policy', SOUND])).stderr, /expected text, found NUL bytes/);
});

const shell = (script: string) =>
  promisify(execFile)('bash', ['-c', script], { cwd: repositoryRoot }).then(
    ({ stdout, stderr }) => ({ stdout, stderr, status: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => ({ ...error, status: error.code }),
  );

test('the archive, or the policy, from standard input, and not both', async () => {
  const run = 'node bin/waybill.js check';
  const archive = await shell(`cat ${SOUND} | ${run} - --policy ${STRICT}`);
  assert.is(archive.status, 1);
  assert.match(archive.stdout, /layer-count/);
  const policy = await shell(`printf 'rules: { layer-count: 1 }' | ${run} ${SOUND} --policy - --json`);
  assert.equal(JSON.parse(policy.stdout).policy.rules[0].from, 'standard input:1');
  const wrong = await shell(`printf 'rules: { layer: 1 }' | ${run} ${SOUND} --policy=-`);
  assert.match(wrong.stderr, /^waybill: standard input:1:10: there is no rule "layer"/);
  const both = await shell(`cat ${SOUND} | ${run} - --policy -`);
  assert.is(both.status, 2);
  assert.match(
    both.stderr,
    /--policy -: standard input is the archive, and can be read once; put the policy into a file\nusage: /,
  );
});

test('options that contradict each other, or lack something', async () => {
  for (const [args, words] of [
    [[], /which archive\?/],
    [[SOUND, '--init', '--print-policy'], /contradict each other/],
    [[SOUND, '--init', '--policy', EASY], /writes a policy, and reads none/],
    [[SOUND, '--init', '--json'], /writes one policy and no report/],
    [[SOUND, '--init', '--format', 'json'], /writes one policy and no report/],
    [[SOUND, '--init', '-o', 'a.yaml', '-o', 'b.yaml'], /further --output out: --init -o waybill\.yaml/],
    [[SOUND, '--init', '-o', SOUND], /is read by this command, and would be overwritten/],
    [[SOUND, '--init', '-o', ''], /expected a file, found an empty name/],
    [[SOUND, BROKEN, '--init'], /from one archive/],
    [[SOUND, '--policy', ''], /expected a file or -, found an empty name/],
    [[SOUND, '--policy', EASY, '--policy', STRICT], /--policy: expected one value/],
    [[SOUND, '--preset', 'defualt@1'], /there is no preset "defualt@1"; did you mean `default@1`\?/],
    [[SOUND, '--polcy', EASY], /unknown option --polcy; did you mean `--policy`\?/],
  ] as const) {
    const { stderr, status } = await waybill(['check', ...args]);
    assert.is(status, 2, args.join(' '));
    assert.match(stderr, words);
  }
});

test('an error in a file says which option names it', async () => {
  const text = file('text.yaml', 'rules: {}');
  for (const option of ['--base', '--against'])
    for (const [name, reason] of [
      [text, /text\.yaml: --(base|against): not an image archive but text/],
      [join(folder, 'none.tar'), /none\.tar: --(base|against): no such file or directory/],
    ] as const) {
      const { stderr, status } = await waybill(['check', SOUND, option, name]);
      assert.is(status, 2);
      assert.match(stderr, reason);
    }
  assert.match(
    (await waybill(['check', SOUND, '--policy', folder])).stderr,
    'expected a file, found a directory',
  );
});

test('files are found beside the policy that names them', async () => {
  file('deep/base.yaml', 'rules: { layer-count: 1 }');
  file('deep/.dive-ci', 'rules:\n  lowestEfficiency: 1\n  oddKey: 1\n');
  const policy = file('deep/app.yaml', 'extends: base.yaml\ndive-ci: .dive-ci\n');
  const { stdout, stderr, status } = await waybill(['check', SOUND, '--policy', policy]);
  assert.is(status, 1);
  assert.match(stdout, /error layer-count/);
  assert.match(stdout, /error dive-efficiency/);
  assert.match(stderr, /^waybill: .*deep\/\.dive-ci:3:3: unknown key "oddKey": dive ignores it/);
});

test('--print-policy shows what applies, and from where, without an archive', async () => {
  const policy = file(
    'print.yaml',
    'extends: default@1\nrules:\n  image-size: 250MB\nexceptions:\n  - { rule: history, reason: old, images: [a] }\n',
  );
  const { stdout, status } = await waybill(['check', '--print-policy', '--policy', policy]);
  assert.is(status, 0);
  assert.match(stdout, /image-size +error +unpacked: 250MB +all images +\S+print\.yaml:3/);
  assert.match(stdout, /user-not-root +warning .* default@1/);
  assert.match(stdout, /history +a +never +old +\S+print\.yaml:5/);
  const json = JSON.parse((await waybill(['check', '--print-policy', '--policy', policy, '--json'])).stdout);
  assert.equal(json.sources, ['default@1', policy]);
});

test('--print-policy has no findings, so no format of findings', async () => {
  for (const args of [
    ['--format', 'sarif'],
    ['-o', `junit=${join(folder, 'no.out')}`],
    ['-o', join(folder, 'no.tap')],
  ]) {
    const { stderr, stdout, status } = await waybill(['check', SOUND, '--print-policy', ...args]);
    assert.equal([status, stdout], [2, '']);
    assert.match(stderr, /--print-policy has no findings, and (sarif|junit|tap) is about findings/);
  }
});

test('no output overwrites a file that is read', async () => {
  const tests = file('over/t.yaml', 'schemaVersion: 2.0.0\nmetadataTest: { workdir: / }\n');
  const base = file('over/base.yaml', `rules: { structure-test: t.yaml, base-image: bases.json }\n`);
  const policy = file('over/p.yaml', 'extends: base.yaml\n');
  const dive = file('over/.dive-ci', 'rules: {}\n');
  const baseline = file('over/known.json', '{}');
  const dockerfile = file('over/Dockerfile', 'FROM x\n');
  const bases = join(folder, 'over/bases.json');
  copyFileSync(SOUND, join(folder, 'over/old.tar'));
  const old = join(folder, 'over/old.tar');
  writeFileSync(bases, (await waybill(['base', old])).stdout);
  for (const [args, target] of [
    [['--policy', policy], policy],
    [['--policy', policy], base],
    [['--policy', policy], tests],
    [['--policy', policy], bases],
    [['--structure-test', tests], tests],
    [['--dive-ci', dive], dive],
    [['--base', old], old],
    [['--base', bases], bases],
    [['--against', `${old}#hello:1.0`], old],
    [['--baseline', baseline], baseline],
    [['--dockerfile', dockerfile], dockerfile],
  ] as const) {
    const before = readFileSync(target);
    const { stderr, status } = await waybill(['check', SOUND, ...args, '-o', `json=${target}`]);
    assert.is(status, 2, `${args.join(' ')} -o ${target}: ${stderr}`);
    assert.match(stderr, 'is read by this command');
    assert.equal(readFileSync(target), before);
  }
});

interface Line {
  readonly file: string;
  readonly exitCode: number;
  readonly passed?: boolean;
  readonly error: object | null;
  readonly findings?: readonly { readonly code: string }[];
}

test('several archives and folders: a row for each, one that cannot be read hides none', async () => {
  const delivery = join(folder, 'delivery');
  mkdirSync(delivery, { recursive: true });
  for (const name of ['hello-docker-28.tar', 'broken-layer.tar', 'truncated.tar'])
    copyFileSync(sample(name), join(delivery, name));
  const none = await waybill(['check', delivery, 'no-such.tar', '--preset', 'none@1']);
  assert.is(none.status, 2);
  assert.match(none.stdout, /^4 archives, 1 without a report\n/);
  assert.match(none.stdout, /hello-docker-28\.tar +1 +passed +-/);
  assert.match(none.stdout, /broken-layer\.tar +1 +FAILED +2 errors/);
  const policy = file('many.yaml', 'exceptions:\n  - { rule: history, reason: old, images: [nothing] }\n');
  const { stdout } = await waybill(['check', delivery, '--policy', policy, '--json']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
  assert.equal(
    lines.map(line => [line.file.replace(/.*\//, ''), line.exitCode]),
    [
      ['broken-layer.tar', 1],
      ['hello-docker-28.tar', 0],
      ['truncated.tar', 1],
      ['many.yaml', 0],
    ],
  );
  assert.equal(
    lines.at(-1)!.findings!.map(({ code }) => code),
    ['exception-unused'],
  );
});

test('one image of an archive: by reference and by platform', async () => {
  const big = await image({ layers: [{ files: { a: 'x'.repeat(50_000) } }] });
  const small = await image({ layers: [{ files: { a: 'x' } }] });
  const archive = saved(
    await toTar(
      layouts.dockerSave([
        { image: big, tags: ['big:1'] },
        { image: small, tags: ['small:1'] },
      ]),
    ),
    'two.tar',
  );
  const policy = file('size.yaml', 'rules: { image-size: 20kB }');
  const status = async (...args: readonly string[]) =>
    (await waybill(['check', ...args, '--policy', policy])).status;
  assert.is(await status(archive), 1);
  assert.is(await status(`${archive}#small:1`), 0);
  assert.is(await status(archive, 'big:1'), 1);
  assert.is(await status(archive, '--ref', 'small:1', '--platform', 'linux/amd64'), 0);
  assert.is(await status(archive, '--platform', 'linux/s390x'), 2);
  // podman runs the second one where `small:1` is asked for.
  const shadowed = saved(
    await toTar(
      layouts.dockerSave([
        { image: small, tags: ['small:1'] },
        { image: big, tags: ['localhost/small:1'] },
      ]),
    ),
    'shadowed.tar',
  );
  assert.is(await status(shadowed, '--ref', 'small:1'), 2);
  assert.is(await status(shadowed, '--ref', 'docker.io/library/small:1'), 0);
});

test('--all lists what is folded, and what the policy hides', async () => {
  const files = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, 'x'.repeat(100)]));
  const made = await image({ layers: [{ files }] });
  const archive = saved(await toTar(layouts.dockerSave({ image: made, tags: ['a:1'] })), 'many-files.tar');
  const policy = file(
    'hide.yaml',
    'rules: { file-size: 10, layer-count: 1, history: on }\nexceptions:\n  - { rule: file-size, paths: [f8], reason: it is needed }\n',
  );
  const brief = (await waybill(['check', archive, '--policy', policy])).stdout;
  assert.match(brief, /^ {2}and 3 more like it; --all lists them$/m);
  assert.match(brief, /^1 finding hidden by the policy: --all lists it$/m);
  const all = (await waybill(['check', archive, '--policy', policy, '--all'])).stdout;
  assert.match(all, /\/f7 has 100 B/);
  assert.match(
    all,
    /^hidden by the policy\n {2}error file-size {2}\/f8 has 100 B.*\n {4}it is needed \(\S+hide\.yaml:3\)$/m,
  );
});

test('names of an archive move no cursor and make no line', async () => {
  const evil = 'x\u001b[2Jy\nrm -rf';
  const made = await image({
    layers: [{ files: { [evil]: 'x'.repeat(100) }, createdBy: 'COPY \u001b]0;t\u0007 /\n::error::x' }],
    config: { config: { Cmd: ['a'], User: evil, Labels: { [evil]: evil } } },
  });
  const archive = saved(await toTar(layouts.skopeoOci({ image: made, tags: ['a:1'] })), 'evil.tar');
  const policy = file(
    'evil.yaml',
    'rules: { file-size: 10, user-not-root: on, labels: { forbidden: ["*"] } }',
  );
  for (const args of [[], ['--format', 'md'], ['--format', 'html']]) {
    const { stdout, stderr } = await waybill(['check', archive, '--policy', policy, ...args]);
    assert.is(stderr, '');
    assert.not.match(stdout, /\u001b|\u0007|^rm -rf|^::error/m);
  }
  const { stdout } = await waybill(['check', archive, '--init']);
  assert.not.match(stdout, /\u001b|\u0007|^rm|^::/m);
});

test('no deeper than a rule needs it', async () => {
  const depth = async (rules: string) => checkReadOptions(await policyOf(`rules: { ${rules} }`)).depth;
  for (const rules of [
    '',
    'layer-count: 3',
    'image-size: 3MB',
    'no-latest: on',
    'history: on',
    'labels: [a]',
  ])
    assert.is(await depth(rules), 'digests', rules);
  for (const rules of [
    'image-size: { docker: 3MB }',
    'file-size: 3MB',
    'user-not-root: on',
    'waste-bytes: 3',
  ])
    assert.is(await depth(rules), 'files', rules);
  const { files } = checkReadOptions(
    await policyOf('rules: { user-not-root: on, waste-bytes: { deleted: 3 } }'),
  );
  assert.equal(files, { keep: ['/etc/passwd'] });
  assert.equal(checkReadOptions(await policyOf('rules: { waste-share: 3% }')).files, {
    digests: 'duplicates',
  });
});

test('a user that is a number needs no passwd, where the documents can be read before the rest', async () => {
  const options = checkReadOptions(await policyOf('rules: { user-not-root: on }'));
  const depthOf = async (user: string, from: (bytes: Uint8Array) => string | AsyncIterable<Uint8Array>) => {
    const made = await image({ layers: [{ files: { a: 'a' } }], config: { config: { User: user } } });
    const bytes = await toTar(layouts.dockerSave({ image: made, tags: ['a:1'] }));
    return (await readArchive(from(bytes), options)).parts[0]!.scan.depth;
  };
  assert.is(await depthOf('10001:10001', bytes => saved(bytes, 'number.tar')), 'digests');
  assert.is(await depthOf('app', bytes => saved(bytes, 'name.tar')), 'files');
  assert.is(await depthOf('10001', streamOf), 'files');
});

const CONTEXT = { now: Date.parse('2024-01-01T00:00:00Z') / 1000, epoch: null };

/** The policy that --init writes, and what comes of the archive with it. */
async function initialised(path: string) {
  const reading = await readArchive(path, initReadOptions);
  const text = await initialPolicy(reading, {}, CONTEXT);
  const policy = await policyOf(text);
  const check = new Check({ policy, context: CONTEXT, failOn: 'error' });
  const again = await readArchive(path, checkReadOptions(policy));
  return { text, report: check.alone(again, {}).data as CheckReport, reading };
}

const samples = [
  'hello-docker-28.tar',
  'hello-oci.tar',
  'hello-oci.zip',
  'hello-podman.tar.gz',
  'hello-docker-1.9.tar',
];
for (const name of samples) {
  test(`--init: ${name} passes what is written from it`, async () => {
    const { text, report } = await initialised(sample(name));
    assert.ok(report.passed, `${text}\n${report.findings.map(({ message }) => message).join('\n')}`);
    assert.match(text, /^extends: default@1\nrules:\n {2}# .* unpacked\n {2}image-size: \d/m);
  });
}

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('--init: every sound archive of the corpus passes what is written from it', async () => {
  let count = 0;
  for (const { id, file: path } of corpus()) {
    const made = await initialised(path).catch((error: unknown) => {
      if (error instanceof InputError) return null;
      throw error;
    });
    if (made === null || verify(made.reading, { failOn: 'error' }).exitCode !== 0) continue;
    const failing = made.report.findings.filter(finding => finding.failing);
    assert.equal(
      failing.map(({ message }) => message),
      [],
      `${id}\n${made.text}`,
    );
    count++;
  }
  assert.ok(count > 20, `${count}`);
});

const MEASURED = `rules:
  image-size: { unpacked: 1, stored: 1, compressed: 1, content: 1, docker: 1 }
  waste-bytes: { total: 0, overwritten: 0, deleted: 0, duplicated: 0, cached: 0 }
`;

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('the numbers of check are those of sizes and waste', async () => {
  const policy = await policyOf(MEASURED);
  let compared = 0;
  for (const { id, file: path } of corpus()) {
    const read = await readArchive(path, { depth: 'files', files: { digests: true } }).catch(() => null);
    if (read === null) continue;
    const check = new Check({ policy, context: CONTEXT, failOn: 'error' });
    const { findings } = check.alone(read, {}).data as CheckReport;
    const [sizes, waste] = [sizesOf(read).images, wasteReport(read).images];
    for (const { code, rule, data, image: index } of findings) {
      if (code !== rule || index === null) continue;
      const { size, kind, actual } = data as { size: SizeName; kind: 'total'; actual: number };
      const expected = code === 'image-size' ? sizes[index]!.sizes[size] : waste[index]!.waste[kind];
      assert.is(actual, expected, `${id}: ${size ?? kind} of image ${index}`);
      compared++;
    }
  }
  assert.ok(compared > 200, `${compared}`);
});

test('--init: the secrets of today are known, and another one is an error', async () => {
  const archive = async (...values: readonly string[]) => {
    const Env = values.map((value, i) => `DB${i}_PASSWORD=${value}`);
    const made = await image({ layers: [{ files: { a: 'a' } }], config: { config: { Env, Cmd: ['a'] } } });
    return saved(
      await toTar(layouts.dockerSave({ image: made, tags: ['a:1'] })),
      `secrets-${values.length}.tar`,
    );
  };
  const { text, report } = await initialised(await archive('Gh7kWq2mPz'));
  assert.match(text, /# 1 secret \(password\): revoke each/);
  assert.match(text, /no-secrets: \{ known: \["[0-9a-f]{16}"\] \}/);
  assert.is(report.passed, true);
  const policy = await policyOf(text);
  const more = await readArchive(await archive('Gh7kWq2mPz', 'Xw9rTz4vLb'), checkReadOptions(policy));
  const { findings } = new Check({ policy, context: CONTEXT, failOn: 'error' }).alone(more, {})
    .data as CheckReport;
  assert.equal(
    findings.filter(({ failing }) => failing).map(({ code }) => code),
    ['no-secrets'],
  );
});

test('--init prints the policy, from a pipe too, and what is not passed stands in comments', async () => {
  const made = await image({ layers: [{ files: { a: 'x' } }], config: { config: { User: 'root' } } });
  const archive = saved(await toTar(layouts.dockerSave({ image: made, tags: ['a'] })), 'root.tar');
  const { stdout, status } = await waybill(['check', archive, '--init']);
  assert.is(status, 0);
  assert.match(stdout, /^ {2}# user-not-root: error {3}# today: it runs as root: the user is "root"$/m);
  assert.match(stdout, /^ {2}# no-latest: error {3}# today: .*latest$/m);
  const piped = await shell(`cat ${archive} | node bin/waybill.js check - --init`);
  assert.is(piped.stdout.split('\n').slice(1).join('\n'), stdout.split('\n').slice(1).join('\n'));
  const policy = file('init.yaml', stdout);
  assert.is((await waybill(['check', archive, '--policy', policy])).status, 0);
});

test('--init writes the policy to the file of --output, of any name, or to standard output', async () => {
  const policyIn = (text: string) => text.split('\n').slice(1).join('\n');
  const { stdout } = await waybill(['check', SOUND, '--init']);
  for (const name of ['pol.yaml', 'budget', 'pol.json']) {
    const policy = join(folder, name);
    const made = await waybill(['check', SOUND, '--init', '-o', policy]);
    assert.equal([made.status, made.stdout], [0, '']);
    assert.match(made.stderr, `wrote ${policy}`);
    assert.is(policyIn(readFileSync(policy, 'utf8')), policyIn(stdout));
  }
  const printed = await waybill(['check', SOUND, '--init', '-o', '-']);
  assert.is(policyIn(printed.stdout), policyIn(stdout));
});

test('the report goes to files in every format, and its exit code stays', async () => {
  const [html, md, json] = ['a.html', 'a.md', 'a.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const { status, stderr } = await waybill([
    'check',
    SOUND,
    '--policy',
    STRICT,
    '-o',
    html,
    '-o',
    md,
    '-o',
    json,
  ]);
  assert.is(status, 1);
  assert.match(stderr, /FAILED: 1 finding must be mended/);
  assert.match(readFileSync(md, 'utf8'), /^❌ \*\*failed: .*: 1 error\*\*\n[\s\S]*\*\*FAILED\*\*/);
  assert.is(JSON.parse(readFileSync(json, 'utf8')).passed, false);
});

test.run();
