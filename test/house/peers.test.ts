// docs/peers.md: each cell has a test or a source, and what it says about skopeo and about the network is so.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { hasCommand } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const page = readFileSync(join(repositoryRoot, 'docs/peers.md'), 'utf8');
const sample = (name: string) => join(repositoryRoot, 'samples', name);

test('each cell of the table is a link to a test or to a document of the tool', () => {
  const rows = page.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| |'));
  const columns = /^\| \| (.*) \|$/m.exec(page)![1]!.split(' | ');
  assert.ok(rows.length >= 12 && columns.length >= 7);
  const used = new Set<string>();
  for (const row of rows) {
    const [about, ...cells] = row.slice(2, -2).split(' | ');
    assert.is(cells.length, columns.length, about);
    for (const [i, cell] of cells.entries()) {
      const reference = /^\[[^\]]+\]\[([\w-]+)\]$/.exec(cell)?.[1];
      assert.ok(reference !== undefined, `${about}, ${columns[i]}: ${cell}`);
      const target = new RegExp(`^\\[${reference}\\]: (\\S+)$`, 'm').exec(page)?.[1];
      assert.match(
        target ?? 'nothing',
        i === 0 ? /^\.\.\/test\/.*\.test\.ts$/ : /^(?:https:|\.\.\/test\/)/,
        `${about}: ${cell}`,
      );
      used.add(reference);
    }
  }
  const defined = [...page.matchAll(/^\[([\w-]+)\]: /gm)].map(([, name]) => name!);
  assert.equal(defined.sort(), [...used].sort(), 'each source is used');
});

const skopeo = (...args: readonly string[]) => spawnSync('skopeo', args, { encoding: 'utf8', input: '' });

testWhen(
  test,
  hasCommand('skopeo'),
  'no skopeo',
)(
  'skopeo: copy compares digests and ends at the first fault, inspect does not, and a pipe is no archive',
  () => {
    const archive = `docker-archive:${sample('broken-layer.tar')}`;
    assert.is(skopeo('inspect', archive).status, 0);
    const copied = skopeo('copy', archive, `dir:${temporary('skopeo')}`);
    assert.is.not(copied.status, 0);
    assert.match(copied.stderr, /[Dd]igest did not match/);
    const piped = execFileSync(
      'sh',
      [
        '-c',
        'cat "$1" | skopeo inspect oci-archive:/dev/stdin 2>&1 || echo refused',
        'sh',
        sample('hello-oci.tar'),
      ],
      { encoding: 'utf8' },
    );
    assert.match(piped, /refused$/m);
  },
);

test('waybill cannot open a connection: no module for it is in the bundle', () => {
  const folder = join(repositoryRoot, 'dist/bundle');
  const asked = readdirSync(folder)
    .filter(name => name.endsWith('.js'))
    .flatMap(name => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(
        /(?:from|import|require)\s*\(?\s*["'](?:node:)?(https?|http2|dns|tls|dgram|inspector)(?:\/promises)?["']/g,
      ),
    ])
    .map(([, module]) => module!);
  // The inspector of the same process ends a script at its deadline.
  assert.equal(
    [...new Set(asked)].filter(module => module !== 'inspector'),
    [],
  );
  const sources = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts'),
  );
  const connecting = sources.filter(name =>
    /\bfetch\(|\bnew WebSocket\b|\.connect\(|\bcreateConnection\b/.test(
      readFileSync(join(repositoryRoot, 'src', name), 'utf8'),
    ),
  );
  assert.equal(connecting, []);
});

test.run();
