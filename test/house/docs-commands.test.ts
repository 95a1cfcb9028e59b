// Every example in a page or a help text is a command that works.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';
import { fleet, writeResults } from '../support/fleet.js';
import { image, type LayerSpec } from '../support/image.js';
import { buildxOci, dockerSave25 } from '../support/layouts.js';
import { lockOfMembers } from '../support/locks.js';
import { toDirectory, toTar } from '../support/pack.js';
import { newSigner } from '../support/signed.js';
import { temporary } from '../support/tmp.js';

const test = suite('documented commands');

const LAYERS: readonly LayerSpec[] = [
  {
    files: {
      'etc/os-release': 'ID=app\n',
      'etc/passwd': 'root:x:0:0::/:\n',
      'usr/lib/libapp.so.1': 'a library\n',
    },
    createdBy: 'COPY rootfs/ /',
  },
  {
    files: {
      'app/main.js': 'run()\n',
      'etc/os-release': 'ID=app\nVERSION_ID=1\n',
      'etc/passwd': 'app:x:1:1::/:\n',
    },
    createdBy: 'COPY app/ /app/',
  },
  { files: { 'app/.wh.main.js': '', 'app/index.js': 'run()\n' }, createdBy: 'RUN build' },
];

/** A directory with an archive for each name that the examples use. */
async function workplace(): Promise<string> {
  const place = temporary('documented');
  const built = (architecture: string) =>
    image({ platform: { os: 'linux', architecture }, layers: LAYERS, config: { Labels: { team: 'web' } } });
  const amd64 = { image: await built('amd64'), tags: ['app:1.2'] };
  const arm64 = { image: await built('arm64'), tags: ['app:1.2'] };
  const one = await toTar(dockerSave25(amd64));
  const other = await toTar(dockerSave25(arm64));
  writeFileSync(join(place, 'Dockerfile'), 'FROM scratch\nCOPY rootfs/ /\nCOPY app/ /app/\nRUN build\n');
  const names = [
    'app.tar',
    'image.tar',
    'old.tar',
    'new.tar',
    'a.tar',
    'b.tar',
    'one.tar',
    'two.tar',
    'amd64.tar',
  ];
  for (const name of names) writeFileSync(join(place, name), one);
  for (const name of ['arm.tar', 'arm64.tar', 's390x.tar']) writeFileSync(join(place, name), other);
  writeFileSync(join(place, 'waybill.lock.json'), await lockOfMembers(dockerSave25(amd64)));
  writeFileSync(join(place, 'all.tar'), await toTar(dockerSave25({ ...amd64, tags: ['app:1', 'app:2'] })));
  for (const name of ['downloads', 'delivery', 'mirror']) {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, 'app.tar'), one);
    writeFileSync(join(place, name, 'app-arm64.tar'), other);
  }
  writeFileSync(join(place, 'downloads.list'), 'app.tar\napp-arm64.tar\n');
  writeFileSync(join(place, 'list.txt'), 'app.tar\narm.tar\n');
  writeFileSync(join(place, 'policy.yaml'), 'rules:\n  image-size: 1 GB\n');
  const layout = buildxOci({ platforms: [amd64.image, arm64.image], tags: ['app:1.2'], attestations: true });
  toDirectory(layout, join(place, 'layout'));
  writeFileSync(join(place, 'cosign.pub'), newSigner().pem);
  writeFileSync(
    join(place, '.dive-ci'),
    'rules:\n  lowestEfficiency: 0\n  highestUserWastedPercent: disabled\n',
  );
  writeFileSync(
    join(place, 'tests.yaml'),
    "schemaVersion: '2.0.0'\nfileExistenceTests:\n- { name: passwd, path: /etc/passwd }\n",
  );
  return place;
}

/** Adds the results files that the examples of `merge` name. */
function addResults(place: string): void {
  const items = [...fleet(12)];
  writeResults(place, items, { shards: 3 });
  for (const [i, half] of [items.slice(0, 6), items.slice(6)].entries())
    writeResults(place, half, { name: () => `part-${i}` });
  const list = items.map(({ path }) => `${path}\n`).join('');
  writeFileSync(join(place, 'archives.txt'), list);
  const shared = join(place, 'shared');
  for (const folder of ['archives', 'results']) mkdirSync(join(shared, folder), { recursive: true });
  writeFileSync(join(shared, 'list'), list);
  for (const [i, half] of [items.slice(0, 6), items.slice(6)].entries())
    for (const name of [`part-${i}`, `${i}.ndjson`])
      writeResults(join(shared, 'results'), half, { name: () => name });
}

const pages = () =>
  ['README.md', ...readdirSync(join(repositoryRoot, 'docs')).map(name => `docs/${name}`)].filter(name =>
    name.endsWith('.md'),
  );

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');

/** A line of the program, or one that pipes an image or a list to it. */
const COMMAND = /^(?:waybill|(?:docker save|find) [^|]+ \|\s*waybill) /;

/** A line that ends with a pipe or a backslash goes on in the next one. */
const joined = (text: string) => text.replace(/(\|)\n\s+|\\\n\s+/g, '$1 ');

/** Recipes are run by test/fleet, with the variables of their engines. */
const withoutRecipes = (text: string) => text.replace(/^<!-- recipe .*-->\n```\w*\n[\s\S]*?^```$/gm, '');

/** Lines of code blocks with the program; the output in console blocks is compared elsewhere. */
function shownBy(text: string): string[] {
  const page = joined(withoutRecipes(text));
  const fenced = [...page.matchAll(/^```(?!console)\w*\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
    block!.split('\n'),
  );
  const indented = page.replace(/^```[\s\S]*?^```$/gm, '').match(/^ {4}\S.*$/gm) ?? [];
  const lines = [...fenced, ...indented].map(line =>
    line.trim().replace(/^(?:- )?(?:(?:run|script): )?/, ''),
  );
  return lines.filter(line => COMMAND.test(line));
}

const examplesOf = (name: string): readonly string[] =>
  [...read(`src/cli/${name}`).matchAll(/\.example\(\s*(['"])\$0 (.*?)\1,/g)].map(
    ([, , line]) => `waybill ${line}`,
  );

const commandLines = readdirSync(join(repositoryRoot, 'src/cli')).filter(name => examplesOf(name).length > 0);

const examples = () => commandLines.flatMap(examplesOf);

/** A command without its comment, and without a pipe to a program that may not be installed. */
const commandOf = (line: string) =>
  line
    .replace(/\s+#.*$/, '')
    .replace(/\s+\| (?:jq|less|source)\b.*$/, '')
    .trim();

/** Manifest lists are created and then used: these lines run in the order of the page, before the others. */
const runs = (place: string, line: string): { readonly status: number; readonly stderr: string } => {
  // The engine is not asked: what it would write is app.tar.
  const script = `set -o pipefail
waybill() { "$NODE" "$BIN" "$@"; }
docker() { [ "$1" = save ] && cat app.tar; }
${line.replaceAll('/shared/', 'shared/')}`;
  const env = {
    ...process.env,
    NODE: process.execPath,
    BIN: join(repositoryRoot, 'bin/waybill.js'),
    WAYBILL_HOME: join(place, 'state'),
    GITHUB_STEP_SUMMARY: join(place, 'step-summary'),
    // The task of an engine.
    ARCHIVES: 'mirror',
    RESULTS: '.',
    CLOUD_RUN_TASK_INDEX: '0',
    CLOUD_RUN_TASK_COUNT: '1',
  };
  try {
    execFileSync('bash', ['-c', script], {
      cwd: place,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    return { status: 0, stderr: '' };
  } catch (error) {
    return error as { status: number; stderr: string };
  }
};

const sources: readonly (readonly [name: string, lines: () => readonly string[]])[] = [
  ...pages().map(name => [name, () => shownBy(read(name))] as const),
  ['the help texts', () => commandLines.filter(name => name !== 'merge.ts').flatMap(examplesOf)],
  ['the help of merge', () => examplesOf('merge.ts')],
];

const WITH_RESULTS = ['docs/fleet.md', 'docs/merge.md', 'the help of merge'];

for (const [name, linesOf] of sources) {
  test(`the commands of ${name} run`, async () => {
    const place = await workplace();
    if (WITH_RESULTS.includes(name)) addResults(place);
    for (const line of new Set(linesOf().map(commandOf))) {
      const { status, stderr } = runs(place, line);
      assert.ok(
        status === 0 || (status === 1 && !/^waybill: (?!wrote )/m.test(stderr)),
        `${line}\nexit code ${status}\n${stderr}`,
      );
    }
  });
}

test('every shell line of a page that names the program is run here, or compared with its output', () => {
  const left = pages().flatMap(name => {
    const text = joined(withoutRecipes(read(name))).replace(/^```console\n[\s\S]*?^```$/gm, '');
    const blocks = [...text.matchAll(/^```(?:sh|bash|yaml|groovy)\n([\s\S]*?)^```$/gm)].map(
      ([, block]) => block!,
    );
    const shell = [...blocks.flatMap(block => block.split('\n')), ...(text.match(/^ {4}\S.*$/gm) ?? [])].map(
      line => line.trim(),
    );
    const run = new Set(shownBy(read(name)));
    return shell
      .filter(line => /(?:^|[|;&] *|\b(?:run|script): *|sh ['"])waybill [a-z-]/.test(line))
      .filter(line => ![...run].some(one => line.includes(one)))
      .map(line => `${name}: ${line}`);
  });
  assert.equal(left, []);
});

test('the help texts have examples', () => assert.ok(examples().length >= 25));

test.run();
