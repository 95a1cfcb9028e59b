// Every link of every document leads somewhere: to a file of the repository, and there to a heading.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';

/** Folders of other people's files, and of files that are made. */
const FOREIGN = ['node_modules', 'dist', '.git'];

function documentsBelow(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return FOREIGN.includes(entry.name) ? [] : documentsBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const documents = documentsBelow('.');
const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');

/** The text outside of code. */
const prose = (text: string): string =>
  text
    .replace(/^(```+)[\s\S]*?^\1$/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '``');

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replace(/^(```+)[\s\S]*?^\1$/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const base = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let anchor = base;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${base}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of links, images and reference definitions. */
const targetsIn = (text: string): string[] => [
  ...[...prose(text).matchAll(/\]\(\s*<?([^\s)>]+)>?[^)]*\)/g)].map(([, target]) => target!),
  ...[...prose(text).matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map(([, target]) => target!),
];

function faultOf(document: string, target: string): string | null {
  if (/^(?:https?|mailto):/.test(target)) return URL.canParse(target) ? null : 'is no URL';
  const [path = '', anchor] = decodeURIComponent(target).split('#');
  const file = path === '' ? document : join(dirname(document), path);
  if (relative('.', file).startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(repositoryRoot, file))) return 'does not exist';
  if (anchor === undefined) return null;
  if (statSync(join(repositoryRoot, file)).isDirectory() || !file.endsWith('.md')) return 'has no headings';
  return anchorsOf(read(file)).has(anchor) ? null : 'has no such heading';
}

test('relative links and anchors lead to files and headings that exist', () => {
  const links = documents.flatMap(document =>
    targetsIn(read(document)).map(target => ({ document, target })),
  );
  assert.ok(links.length > 150, `${links.length} links`);
  const broken = links.flatMap(({ document, target }) => {
    const fault = faultOf(document, target);
    return fault === null ? [] : [`${document}: ${target} ${fault}`];
  });
  assert.equal(broken, []);
});

test('the checker notices what is broken', () => {
  const faults = ['docs/absent.md', 'LICENSE#text', '#no-such-heading', '../outside.md', 'http://'];
  for (const target of faults) assert.is.not(faultOf('README.md', target), null, target);
  assert.equal(targetsIn('`[a](b)` [c](d)\n\n    [e](f)\n\n[g]: h\n'), ['d', 'h']);
  assert.equal([...anchorsOf('# A `b` c?\n## A b c\n')], ['a-b-c', 'a-b-c-1']);
});

test('every document is linked from the index of documents, and every page of docs/ from the README', () => {
  const linked = (from: string) =>
    new Set(targetsIn(read(from)).map(target => join(dirname(from), target.split('#')[0]!)));
  const [index, readme] = [linked('docs/README.md'), linked('README.md')];
  const own = ['docs/README.md', 'README.md'];
  const tracked = documents.filter(document => !own.includes(document));
  assert.equal(
    tracked.filter(document => !index.has(document)),
    [],
  );
  assert.ok(readme.has('docs/README.md'));
});

test.run();
