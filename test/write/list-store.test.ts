// Stored lists: files that no name can place elsewhere, and that are complete or absent.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../src/errors.js';
import { archiveArgument, findArchive } from '../../src/write/archive-argument.js';
import {
  fromFile,
  type ListEntry,
  listStore,
  type ManifestList,
  toFile,
} from '../../src/write/list-store.js';

import { digestOf } from '../support/digest.js';
import { temporary } from '../support/tmp.js';

const manifest = new TextEncoder().encode('{"schemaVersion":2}');
const entry: ListEntry = {
  archive: '/somewhere/image.tar',
  ref: 'app:1',
  inside: null,
  name: 'docker.io/library/app:1',
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: digestOf(manifest),
  manifest,
  platform: { architecture: 'arm', os: 'linux', osVersion: '1.2', osFeatures: ['a', 'b'], variant: 'v7' },
  blobs: [
    { digest: digestOf('config'), size: 6, path: 'blobs/x', what: 'config' },
    { digest: digestOf('layer'), size: 5, path: null, what: 'layer 1' },
  ],
};
const listOf = (name: string): ManifestList => ({ name, entries: [entry] });

/** Compares manifests as text, because they may be a Buffer or a Uint8Array. */
const plain = (list: ManifestList | null) => ({
  ...list,
  entries: list?.entries.map(e => ({ ...e, manifest: Buffer.from(e.manifest).toString() })),
});

test('a list is found under its name, which may have any characters', () => {
  const directory = join(temporary('lists'), 'not', 'there', 'yet');
  const store = listStore(directory);
  const names = [
    'docker.io/library/app:1',
    'docker.io/library/app-1:latest',
    'Docker.io/library/app:1',
    '../../../../etc/passwd',
    '/',
    '.',
    '%2e',
    `docker.io/${'long/'.repeat(200)}app:1`,
  ];
  for (const name of names) assert.is(store.get(name), null);
  assert.is(store.remove(names[0]!), false);
  for (const name of names) store.put(listOf(name));
  assert.is(readdirSync(directory).length, names.length);
  for (const name of names) assert.equal(plain(store.get(name)), plain(listOf(name)));
  for (const name of names) {
    assert.ok(store.has(name) && store.remove(name));
    assert.not.ok(store.has(name));
  }
  assert.equal(readdirSync(directory), []);
});

test('storing a list again replaces it', () => {
  const directory = temporary('lists');
  const store = listStore(directory);
  store.put(listOf('a'));
  store.put({ name: 'a', entries: [] });
  assert.equal(store.get('a'), { name: 'a', entries: [] });
  assert.is(readdirSync(directory).length, 1);
});

test('a file that is not a list is an error with a remedy, and can be removed', () => {
  const directory = temporary('lists');
  const store = listStore(directory);
  const damage: ((text: string) => string)[] = [
    text => text.slice(0, -20),
    () => '',
    () => '[]',
    text => text.replace('"version": 1', '"version": 2'),
    text => text.replace('"name": "a"', '"name": "b"'),
    text => text.replace('"size": 6', '"size": -6'),
    text => text.replace('"size": 6', '"size": "6"'),
    text => text.replace(/"digest": "sha256:/, '"digest": "../../'),
    text => text.replace(digestOf('config'), 'md5:x'),
    text => text.replace(/"manifest": "e/, '"manifest": "f'),
    text => text.replace('"osFeatures": [', '"osFeatures": {"a": [').replace('"variant"', '}, "variant"'),
    text => text.replace('"ref": "app:1"', '"ref": 1'),
    text => text.replace('"path": null', '"path": {}'),
    text => text.replace('"architecture": "arm"', '"architecture": ["arm"]'),
  ];
  for (const change of damage) {
    store.put(listOf('a'));
    const file = join(directory, readdirSync(directory)[0]!);
    const text = readFileSync(file, 'utf8');
    assert.not.equal(change(text), text);
    writeFileSync(file, change(text));
    assert.throws(
      () => store.get('a'),
      (error: unknown) => error instanceof InputError && /waybill manifest rm a/.test(error.message),
      change(text),
    );
    assert.ok(store.remove('a'));
  }
  store.put(listOf('a'));
  const file = join(directory, readdirSync(directory)[0]!);
  listStore(directory).remove('a');
  mkdirSync(file);
  assert.throws(
    () => store.get('a'),
    (error: unknown) => error instanceof InputError && /cannot be read/.test(error.message),
  );
});

test('a directory that cannot be created is an InputError', () => {
  const file = join(temporary('lists'), 'file');
  writeFileSync(file, '');
  const store = listStore(join(file, 'lists'));
  assert.is(store.get('a'), null);
  assert.throws(
    () => store.put(listOf('a')),
    (error: unknown) => error instanceof InputError && /cannot be written/.test(error.message),
  );
});

test('a stored list keeps every field', () => {
  const list = { name: 'x', entries: [entry, { ...entry, ref: null, inside: 'a/b.tar' }] };
  assert.equal(plain(fromFile(toFile(list))), plain(list));
});

test('an archive is named by its file, and one of its images after the last #', () => {
  const folder = temporary('lists');
  for (const name of ['a.tar', 'b#c.tar', 'd#e']) writeFileSync(join(folder, name), '');
  const at = (name: string) => join(folder, name);
  assert.equal(archiveArgument(at('a.tar')), { archive: at('a.tar'), ref: null });
  assert.equal(archiveArgument(at('a.tar#app:1')), { archive: at('a.tar'), ref: 'app:1' });
  assert.equal(archiveArgument(at('b#c.tar')), { archive: at('b#c.tar'), ref: null });
  assert.equal(archiveArgument(at('b#c.tar#app')), { archive: at('b#c.tar'), ref: 'app' });
  assert.equal(archiveArgument(at('d#e')), { archive: at('d#e'), ref: null });
  assert.equal(archiveArgument(`${folder}/./a.tar`), { archive: at('a.tar'), ref: null });
  assert.equal(archiveArgument(folder), { archive: folder, ref: null });
  for (const name of ['none.tar', 'none.tar#app', 'a.tar#', '#app', 'a.tar/x', 'x'.repeat(10_000)]) {
    assert.is(findArchive(name === '#app' ? name : at(name)), null, name);
  }
  assert.throws(() => archiveArgument(at('none.tar')), /no such file or directory\nName an archive/);
  assert.throws(() => archiveArgument('-'), /standard input: can only be read once/);
  assert.throws(() => archiveArgument('/dev/null'), /can only be read once/);
});

test.run();
