// `waybill merge`: every way in which results can be incomplete, and the whole run as it would have been without
// shards.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeFiles } from '../../src/commands/merge/index.js';
import type { FleetReport } from '../../src/commands/merge/report.js';
import { InputError } from '../../src/errors.js';
import { pathOfRecord } from '../../src/fleet/list.js';
import { type OutputFormat, piecesIn } from '../../src/format/outputs.js';
import type { Result } from '../../src/report/doc.js';
import { waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import {
  broken,
  type FleetItem,
  finding,
  fleet,
  image,
  item,
  layer,
  type ResultsOptions,
  SOURCE,
  writeResults,
} from '../support/fleet.js';
import { temporary } from '../support/tmp.js';

const test = suite('merge');

interface Given {
  readonly list?: string;
  readonly root?: string;
  readonly allowPartial?: boolean;
}

async function merged<T>(
  files: readonly string[],
  use: (result: Result) => T,
  given: Given = {},
): Promise<T> {
  const made: T[] = [];
  const { list = null, root = null, allowPartial = false } = given;
  await mergeFiles(
    {
      files,
      list,
      root,
      allowPartial,
      view: { units: 'si', top: 20 },
      exists: existsSync,
      within: work => work(() => {}),
    },
    async result => {
      made.push(use(result));
    },
  );
  return made[0]!;
}

const report = (files: readonly string[], given: Given = {}) =>
  merged(files, ({ data }) => data as FleetReport, given);

const inFormat = (files: readonly string[], format: OutputFormat, given: Given = {}) =>
  merged(files, result => [...piecesIn(format)(result)].join(''), given);

/** The lines of the error, without the folder. */
async function refused(files: readonly string[], folder: string, given: Given = {}): Promise<string[]> {
  try {
    await report(files, given);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n');
  }
  throw new Error('the results were accepted');
}

const NOTHING = 'Nothing was written. --allow-partial reports what there is.';
const head = (problems: string) => `merge: ${problems}: the results are not one whole run`;
const SAME = ' (paths and options as for the other shards)';

function shards(count = 3, items: readonly FleetItem[] = [...fleet(60)], more: ResultsOptions = {}) {
  const folder = temporary('merge');
  return { folder, files: writeResults(folder, items, { shards: count, ...more }) };
}

const withoutDurations = (text: string) => text.replace(/"durationMs":\d+/g, '"durationMs":0');

test('shards together are what one run writes, but for the durations', async () => {
  const items = [
    ...fleet(200),
    item('bad\ufffd.tar', { pathBytes: Buffer.from('bad\xff.tar', 'latin1').toString('base64') }),
  ];
  const [whole] = writeResults(temporary('merge-whole'), items);
  for (const by of ['path', 'size'] as const)
    for (const count of [1, 3, 10, 97]) {
      const { files } = shards(count, items, { by });
      const text = await inFormat([...files].reverse(), 'ndjson');
      assert.is(withoutDurations(text), withoutDurations(readFileSync(whole!, 'utf8')), `${count} by ${by}`);
    }
});

test('merged results are results: merged again they are the same', async () => {
  const { folder, files } = shards(4);
  const text = await inFormat(files, 'ndjson');
  const again = join(folder, 'all.ndjson');
  writeFileSync(again, text);
  assert.is(await inFormat([again], 'ndjson'), text);
  const { list: _, ...first } = await report(files);
  const { list: __, ...second } = await report([again]);
  assert.equal(second, first);
});

test('the order of the files changes nothing', async () => {
  const { files } = shards(5);
  assert.equal(await report([...files].reverse()), await report(files));
});

test('results that were joined by cat, a folder of results, and standard input', async () => {
  const { folder, files } = shards(3);
  const joined = join(temporary('merge-cat'), 'all.ndjson');
  for (const file of files) appendFileSync(joined, readFileSync(file));
  const expected = await report(files);
  assert.equal(await report([joined]), expected);
  assert.equal(await report([folder]), expected);
  const bin = join(repositoryRoot, 'bin/waybill.js');
  const piped = spawnSync(process.execPath, [bin, 'merge', '-', '--json'], { input: readFileSync(joined) });
  assert.equal(JSON.parse(piped.stdout.toString()), JSON.parse(JSON.stringify(expected)));
});

test('a missing shard: which one, and the command that scans it', async () => {
  const { folder, files } = shards(3);
  rmSync(files[1]!);
  assert.equal(await refused([files[0]!, files[2]!], folder), [
    head('1 problem'),
    '* shard 2/3 is missing: no file has it',
    `  Scan it: waybill scan PATHS --policy POLICY --shard 2/3 -o ${folder}/results-2.ndjson${SAME}`.replace(
      `${folder}/`,
      '',
    ),
    NOTHING,
  ]);
});

test('the file of a missing shard is named as the others are: from 0, with zeros, with what is left of it', async () => {
  const { folder, files } = shards(12, [...fleet(60)], {
    name: number => `part-${String(number - 1).padStart(3, '0')}.ndjson`,
  });
  rmSync(files[9]!);
  const left = files.filter((_, i) => i !== 9);
  const [, , remedy] = await refused(left, folder);
  assert.is(remedy, `  Scan it: waybill scan PATHS --policy POLICY --shard 10/12 -o part-009.ndjson${SAME}`);
  writeFileSync(`${files[9]}.partial`, '');
  assert.equal((await refused(left, folder)).slice(1, 3), [
    '* shard 10/12 is missing: no file has it, part-009.ndjson.partial has a part of it',
    `  Complete it: waybill scan PATHS --policy POLICY --shard 10/12 --resume part-009.ndjson${SAME}`,
  ]);
});

test('many missing shards are one problem, and one loop', async () => {
  const { folder, files } = shards(97);
  const [, what, remedy] = await refused([files[0]!, files[41]!], folder);
  assert.is(what, '* 95 of 97 shards are missing: 2-41, 43-97');
  assert.match(
    remedy!,
    /^ {2}Scan them: for K in 2 3 4 .* 97; do waybill scan PATHS --policy POLICY --shard \$K\/97 -o "results-\$K\.ndjson"/,
  );
});

test('shards by size are scanned again with --balance', async () => {
  const { folder, files } = shards(3, [...fleet(30)], { by: 'size', source: { policy: null } });
  const [, , remedy] = await refused([files[0]!, files[1]!], folder);
  assert.is(remedy, `  Scan it: waybill scan PATHS --balance --shard 3/3 -o results-3.ndjson${SAME}`);
});

test('the same shard twice: with the same records, and with others', async () => {
  const { folder, files } = shards(3);
  const again = join(folder, 'again.ndjson');
  copyFileSync(files[1]!, again);
  assert.equal(await refused([...files, again], folder), [
    head('1 problem'),
    '* shard 2/3 is there twice: results-2.ndjson, again.ndjson, with the same records',
    '  Name one of them.',
    NOTHING,
  ]);
  const changed = [...fleet(60)].map(one => ({ ...one, sha256: null }));
  const [, other] = writeResults(join(folder, 'other'), changed, { shards: 3 });
  assert.equal((await refused([...files, other!], folder)).slice(1, 3), [
    '* shard 2/3 is there twice: results-2.ndjson, other/results-2.ndjson, with different records',
    '  Name the one that is right: the results of two runs differ.',
  ]);
});

test('a file that is named twice', async () => {
  const { folder, files } = shards(2);
  assert.equal((await refused([...files, files[0]!], folder)).slice(1, 3), [
    '* results-1.ndjson: is named twice',
    '  Name it once.',
  ]);
});

test('an interrupted run: without a trailer, and with a torn line', async () => {
  const { folder, files } = shards(3);
  const lines = readFileSync(files[1]!, 'utf8').trimEnd().split('\n');
  const partial = `${files[1]}.partial`;
  rmSync(files[1]!);
  writeFileSync(partial, `${lines.slice(0, 5).join('\n')}\n`);
  const resumed = `  Complete it: waybill scan PATHS --policy POLICY --shard 2/3 --resume results-2.ndjson${SAME}`;
  // The folder has the partial file too.
  for (const files of [
    [folder],
    [join(folder, 'results-1.ndjson'), partial, join(folder, 'results-3.ndjson')],
  ])
    assert.equal(await refused(files, folder), [
      head('1 problem'),
      '* results-2.ndjson.partial: shard 2/3 is not complete: expected a trailer as the last line, found 5 records without one; its run was interrupted, or is still running',
      resumed,
      NOTHING,
    ]);
  appendFileSync(partial, lines[6]!.slice(0, 100));
  assert.equal((await refused([folder], folder)).slice(1, 3), [
    '* results-2.ndjson.partial: shard 2/3 is not complete: expected a trailer as the last line, found 5 records and a torn line without one; its run was interrupted, or is still running',
    resumed,
  ]);
});

test('files that are no results', async () => {
  const { folder, files } = shards(1);
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'hello\nworld\n');
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, 'other.json'), '{"a":1}\n');
  writeFileSync(join(folder, 'new.json'), '{"kind":"end","schemaVersion":2}\n');
  mkdirSync(join(folder, 'nothing'));
  const given = ['notes.txt', 'empty', 'other.json', 'new.json', 'none-*.ndjson', 'nothing'].map(name =>
    join(folder, name),
  );
  assert.equal(await refused([files[0]!, ...given], folder), [
    head('6 problems'),
    '* notes.txt: line 1: expected a line of JSON of a results file, found hello',
    '  Name files that `waybill scan -o FILE.ndjson` wrote.',
    '* empty: expected results, found an empty file: its run ended before the first archive',
    '  Scan its shard again.',
    '* other.json: line 1: expected a record or a trailer of a results file, found {"a":1}',
    '  Name files that `waybill scan -o FILE.ndjson` wrote.',
    '* new.json: line 1: expected a line of schemaVersion 1; another version of waybill wrote it, found {"kind":"end","schemaVersion":2}',
    '  Name files that `waybill scan -o FILE.ndjson` wrote.',
    '* none-*.ndjson: there is no such file',
    `* ${join(folder, 'nothing')}: expected results files (*.ndjson) in this folder, found none`.replace(
      `${folder}/`,
      '',
    ),
    NOTHING,
  ]);
});

/** Changes one line of a results file. */
function change(file: string, index: number, edit: (line: string) => string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[index] = edit(lines[index]!);
  writeFileSync(file, lines.filter(line => line !== 'GONE').join('\n'));
}

test('lines that were lost, changed or written by others', async () => {
  const { folder, files } = shards(3);
  change(files[0]!, 2, () => 'GONE');
  change(files[1]!, 2, line => line.replace('"intact":true', '"intact":null'));
  change(files[2]!, 2, () => '{"kind":"archive"');
  const lines = await refused(files, folder);
  assert.match(lines[1]!, /^\* results-1\.ndjson: line \d+: the trailer counts \d+ records, found \d+$/);
  assert.is(lines[2], '  Lines were lost, added or changed after the run. Scan its shard again.');
  assert.match(
    lines[3]!,
    /^\* results-2\.ndjson: line \d+: the records are not those of the trailer: expected sha256:[0-9a-f]{64}, found sha256:[0-9a-f]{64}$/,
  );
  assert.match(lines[5]!, /^\* results-3\.ndjson: line \d+: the trailer counts/);
  assert.is(
    lines[7],
    '* results-3.ndjson: line 3: expected a line of JSON of a results file, found {"kind":"archive"',
  );
});

test('a record whose images are not what they should be is refused, and breaks nothing', async () => {
  const { folder, files } = shards(1);
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  for (const images of ['"foo"', '[null]', '[{"layers":[7]}]', `[],"more":${deep}`]) {
    change(files[0]!, 2, line => line.replace(/"images":.*,"findings"/, `"images":${images},"findings"`));
    const lines = await refused(files, folder);
    assert.ok(
      lines.some(line => line.includes('line 3: expected a record whose images and findings are as')),
      images,
    );
  }
});

test('an exit code of the trailer that its records do not have', async () => {
  const { folder, files } = shards(1, [item('a.tar')]);
  change(files[0]!, 1, line => line.replace('"exitCode":0', '"exitCode":1'));
  assert.is(
    (await refused(files, folder))[1],
    '* results-1.ndjson: line 2: the trailer has the exit code 1, and its records 0',
  );
});

const OTHERS: readonly (readonly [string, ResultsOptions['source'] & object, RegExp])[] = [
  [
    'tool',
    { tool: 'waybill 0.2.0' },
    /^\* results of different versions of waybill: found waybill 0\.1\.0 in results-1\.ndjson, results-3\.ndjson; waybill 0\.2\.0 in other\/results-2\.ndjson$/,
  ],
  [
    'command',
    { command: 'verify' },
    /^\* results of different commands: found scan in .*; verify in other\/results-2\.ndjson$/,
  ],
  [
    'policy',
    { policy: null },
    /^\* results of different policies: found sha256:[0-9a-f]{64} in .*; no policy in other\/results-2\.ndjson$/,
  ],
  [
    'settings',
    { settings: 'sha256:00' },
    /^\* results of different options \(limits, platform, --fail-on, keys, lock …\): found sha256:\S+ in .*; sha256:00 in other/,
  ],
];

for (const [what, source, expected] of OTHERS)
  test(`a shard of another ${what}`, async () => {
    const { folder, files } = shards(3);
    const [, other] = writeResults(join(folder, 'other'), [...fleet(60)], { shards: 3, source });
    const lines = await refused([files[0]!, other!, files[2]!], folder);
    assert.is(lines[0], head('1 problem'));
    assert.match(lines[1]!, expected);
  });

test('a shard of another list, of another number of shards, and made by size', async () => {
  const { folder, files } = shards(3);
  const other = (name: string, items: readonly FleetItem[], options: ResultsOptions) =>
    writeResults(join(folder, name), items, options)[1]!;
  const list = await refused([files[0]!, other('list', [...fleet(61)], { shards: 3 }), files[2]!], folder);
  assert.match(
    list[1]!,
    /^\* results of different work lists: found sha256:\w+ in results-1\.ndjson, results-3\.ndjson; sha256:\w+ in list\/results-2\.ndjson$/,
  );
  assert.match(list[2]!, /^ {2}Files were added or removed between the runs/);
  const total = await refused([files[0]!, other('total', [...fleet(60)], { shards: 4 }), files[2]!], folder);
  assert.is(
    total[1],
    '* results of different numbers of shards: found 3 in results-1.ndjson, results-3.ndjson; 4 in total/results-2.ndjson',
  );
  const by = await refused(
    [files[0]!, other('by', [...fleet(60)], { shards: 3, by: 'size' }), files[2]!],
    folder,
  );
  assert.is(
    by[1],
    '* results of different ways to make shards: found by path in results-1.ndjson, results-3.ndjson; by size in by/results-2.ndjson',
  );
});

test('an archive in two files, and a record that belongs to another shard', async () => {
  const { folder, files } = shards(2, [...fleet(20)]);
  const line = readFileSync(files[0]!, 'utf8').split('\n')[0]!;
  const { path } = JSON.parse(line);
  change(files[1]!, 0, first => `${line.replace('"number":1', '"number":2')}\n${first}`);
  const lines = await refused(files, folder);
  assert.ok(
    lines.includes(`* 1 archive in results-1.ndjson and in results-2.ndjson: ${path}`),
    lines.join('\n'),
  );
  assert.ok(
    lines.includes(`* results-2.ndjson: shard 2/2 has 1 record of shard 1/2: ${path}`),
    lines.join('\n'),
  );
});

test('all shards are whole, and are not the list: another program made them', async () => {
  const { folder, files } = shards(1, [item('a.tar'), item('b.tar')]);
  const text = readFileSync(files[0]!, 'utf8');
  const list = /"list":"(sha256:\w+)"/.exec(text)![1]!;
  // The digest of the records does not cover the list of the trailer alone, so that all lines are changed.
  const forged = writeResults(join(folder, 'forged'), [item('a.tar'), item('c.tar')]);
  const other = /"list":"(sha256:\w+)"/.exec(readFileSync(forged[0]!, 'utf8'))![1]!;
  writeFileSync(files[0]!, text.replaceAll(list, other));
  const lines = await refused(files, folder);
  assert.match(lines[1]!, /the records are not those of the trailer/);
});

test('--list: runs that had lists of their own cover a list, or do not', async () => {
  const items = [...fleet(30)];
  const folder = temporary('merge-tasks');
  const files = [0, 1, 2].map(
    task =>
      writeResults(
        folder,
        items.filter((_, i) => i % 3 === task),
        { name: () => `task-${task}.ndjson` },
      )[0]!,
  );
  const paths = items.map(one => pathOfRecord(one)!);
  const list = join(folder, 'list.txt');
  writeFileSync(list, `${paths.join('\n')}\n`);
  // Without the list these are three whole runs, of which only one can be right.
  assert.match((await refused(files, folder)).join('\n'), /results of different work lists/);
  const [whole] = writeResults(join(folder, 'whole'), items);
  const text = await inFormat(files, 'ndjson', { list });
  assert.is(withoutDurations(text), withoutDurations(readFileSync(whole!, 'utf8')));

  const missing = items
    .filter((_, i) => i % 3 === 1)
    .map(({ path }) => path)
    .sort();
  assert.equal(await refused([files[0]!, files[2]!], folder, { list }), [
    head('1 problem'),
    `* 10 archives of list.txt were not scanned: ${missing.slice(0, 3).join(', ')} and 7 more`,
    '  Run the tasks again that had them.',
    NOTHING,
  ]);
  writeFileSync(list, `${[...paths.slice(1), 'new one.tar'].join('\0')}\0`);
  assert.equal(await refused(files, folder, { list, root: folder }), [
    head('2 problems'),
    '* 1 archive of list.txt was not scanned: new one.tar',
    `  Scan it: printf '%s\\n' 'new one.tar' | waybill scan --files-from - --root ${folder} -o results-missing.ndjson`,
    `* 1 record of archives that list.txt does not list: ${items[0]!.path}`,
    '  Name the list that was scanned, and the same --root.',
    NOTHING,
  ]);
});

test('--allow-partial: every output says so at its top, and the exit code is 2', async () => {
  const { files } = shards(3, [...fleet(60), broken('z.tar', 'the archive is cut short')]);
  const given = { allowPartial: true };
  const left = [files[0]!, files[2]!];
  const { complete, problems, exitCode } = await report(left, given);
  assert.equal(
    { complete, exitCode, codes: problems.map(({ code }) => code) },
    { complete: false, exitCode: 2, codes: ['shard-missing'] },
  );
  assert.match(await inFormat(left, 'text', given), /^INCOMPLETE: these are not all results/);
  assert.match(await inFormat(left, 'markdown', given), /^\*\*INCOMPLETE: these are not all results/);
  assert.match(await inFormat(left, 'html', given), /<main>\n<p><span class="bad">INCOMPLETE/);
  const [first, ...lines] = (await inFormat(left, 'ndjson', given))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.is(first.kind, 'partial');
  assert.not.ok(lines.some(({ kind }) => kind === 'end'));
  assert.equal(
    new Set(
      (await inFormat(left, 'rows', given))
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).fleet_complete),
    ),
    new Set([false]),
  );
  assert.match(
    JSON.stringify(JSON.parse(await inFormat(left, 'sarif', given)).runs[0].invocations),
    /incomplete: shard 2\/3 is missing/,
  );
  for (const format of ['junit', 'tap', 'github'] as const)
    assert.match(await inFormat(left, format, given), /shard 2\/3 is missing/, format);
  // It is not taken for results.
  const partial = join(temporary('partial'), 'partial.ndjson');
  writeFileSync(partial, await inFormat(left, 'ndjson', given));
  assert.match((await refused([partial], '')).join('\n'), /this is what --allow-partial wrote/);
});

/** Names that are markup, commands of build services, formulas, or move the cursor. */
const HOSTILE = [
  '<script>alert(1)</script>.tar',
  '</title><img src=x onerror=alert(1)>.tar',
  '::error file=x::y.tar',
  '##vso[task.complete]x.tar',
  '=HYPERLINK("http://x").tar',
  '\u202eevil\u2066.tar',
  '\u001b[2J\u0007.tar',
  'a\nb.tar',
  '| a | `b` |.tar',
  ']]>&lt;.tar',
];

test('an option that lists the rest is named where the rest cannot be unfolded', async () => {
  const { files } = shards(3, [...fleet(60), broken('z.tar', 'the archive is cut short')]);
  assert.match(await inFormat(files, 'text'), /\d+ passed: --verbose lists them/);
  for (const format of ['html', 'markdown'] as const) {
    const page = await inFormat(files, format);
    assert.match(page, /<summary>\d+ passed<\/summary>/);
    assert.not.match(page, /--verbose lists|--top \d+ shows/);
  }
});

test('names of strangers end no tag, row, line or command', async () => {
  const names = HOSTILE.map(path => path.replaceAll('/', '\u2215'));
  const items = names.map(path =>
    item(path, {
      exitCode: 1,
      images: [image([path], [layer(path, 1, 1)], { base: { name: path, digest: path } })],
      findings: [{ ...finding(path, 'error', true, path), path }],
      sha256: 'sha256:00',
    }),
  );
  const { files } = shards(2, [...items, ...names.map(path => broken(`cut ${path}`, path))]);
  const formats = [
    'text',
    'markdown',
    'html',
    'csv',
    'junit',
    'tap',
    'github',
    'gitlab',
    'sarif',
    'json',
    'ndjson',
    'rows',
  ] as const;
  for (const format of formats) {
    const text = await inFormat(files, format);
    assert.not.match(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e\u2066-\u2069]/, format);
    assert.not.match(text, /##vso\[/, format);
    if (format !== 'github') assert.not.match(text, /^\s*::/m, format);
    if (format === 'html' || format === 'junit')
      assert.not.match(text, /<(script|img)\b[^>]*>?(alert|.*onerror)/, format);
  }
  const html = micromark(await inFormat(files, 'markdown'), {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
  assert.not.match(html, /<(script|img)\b/);
  const csv = await inFormat(files, 'csv');
  assert.is(csv.trimEnd().split('\r\n').length, 1 + 2 * names.length);
  assert.not.match(csv, /(^|,)"?[=+@]/m);
});

test('--allow-partial needs at least one record', async () => {
  const file = join(temporary('merge-none'), 'x.ndjson');
  writeFileSync(file, 'x\n');
  const lines = await refused([file], '', { allowPartial: true });
  assert.is(lines[0], head('1 problem'));
  assert.not.ok(lines.includes(NOTHING));
});

test('exit codes: 2 wins, then 1; shards without an archive count', async () => {
  const exitCode = async (items: readonly FleetItem[]) => {
    const { files } = shards(5, items);
    return merged(files, result => result.exitCode);
  };
  assert.is(await exitCode([item('a.tar')]), 0);
  assert.is(await exitCode([item('a.tar'), item('b.tar', { exitCode: 1 })]), 1);
  assert.is(await exitCode([item('a.tar', { exitCode: 1 }), broken('b.tar', 'cut')]), 2);
});

test('the command line: files, formats by name, and no file where something is missing', async () => {
  const { folder, files } = shards(3, [item('a.tar'), item('b.tar'), item('c.tar')]);
  const outputs = ['fleet.html', 'all.ndjson', 'images.csv', 'images.rows.ndjson', 'w.sarif', 'w.xml'];
  const args = [
    'merge',
    'results-1.ndjson',
    'results-2.ndjson',
    'results-3.ndjson',
    ...outputs.flatMap(name => ['-o', name]),
  ];
  const run = await waybill(args, { cwd: folder });
  assert.equal(
    [run.status, run.stdout, run.stderr],
    [0, '', outputs.map(name => `waybill: wrote ${name}\n`).join('')],
  );
  for (const name of outputs) rmSync(join(folder, name));
  const failed = await waybill(
    args.filter(word => word !== 'results-2.ndjson'),
    { cwd: folder },
  );
  assert.is(failed.status, 2);
  assert.match(failed.stderr, /^waybill: merge: 1 problem: .*\n\* shard 2\/3 is missing: no file has it\n/);
  assert.not.ok(outputs.some(name => existsSync(join(folder, name))));
  const over = await waybill(['merge', ...files, '-o', files[0]!], { cwd: folder });
  assert.match(over.stderr, /is read by this command, and would be overwritten/);
  const other = await waybill(['verify', 'a.tar', '-o', 'a.csv'], { cwd: folder });
  assert.match(other.stderr, /verify makes no table, and csv is one: `waybill merge` writes it/);
  assert.is(SOURCE.command, 'scan');
});

test.run();
