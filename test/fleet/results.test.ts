// The lines of results files: written, read, compared and hashed.
import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedPath } from '../../src/fleet/list.js';
import type { ArchiveRecord, Provenance } from '../../src/fleet/record.js';
import {
  archiveLine,
  changedLine,
  exitCodeOf,
  lineDigest,
  otherLine,
  parseLine,
  provenanceDifferences,
  RecordSummary,
} from '../../src/fleet/results.js';

const PROVENANCE: Provenance = {
  schemaVersion: 1,
  tool: 'waybill 0.1.0',
  command: 'scan',
  policy: null,
  settings: 'sha256:1',
  shard: { number: 3, of: 10, by: 'path', list: 'sha256:2' },
};
const STATE = { size: 12, mtime: '2024-01-01T00:00:00.000000001Z' };
const BODY = JSON.stringify({ sha256: 'sha256:3', exitCode: 1, error: null, images: [] });

const lineOf = (path: string, durationMs = 7, body = BODY) =>
  archiveLine({ ...recordedPath(path), ...STATE }, PROVENANCE, durationMs, body);

test('a record is one line, and is read again', () => {
  const line = lineOf('a\n"b\xff', 7.4);
  assert.not.match(line, /\n/);
  const record = parseLine(line) as ArchiveRecord;
  assert.equal(record, {
    kind: 'archive',
    path: 'a\n"b\ufffd',
    pathBytes: Buffer.from('a\n"b\xff', 'latin1').toString('base64'),
    ...STATE,
    ...PROVENANCE,
    durationMs: 7,
    ...JSON.parse(BODY),
  });
  assert.is(exitCodeOf(record), 1);
  assert.is(changedLine(record, {}), line);
});

test('a file that is no archive has a reason, and no exit code of its own', () => {
  const line = otherLine({ path: 'notes.txt', ...STATE }, PROVENANCE, 'not an image archive but text');
  const record = parseLine(line);
  assert.equal(record, {
    kind: 'other',
    path: 'notes.txt',
    ...STATE,
    ...PROVENANCE,
    reason: 'not an image archive but text',
  });
  assert.is(exitCodeOf(record as ArchiveRecord), 0);
});

test('a line is safe for a terminal, and for a build log', () => {
  const line = lineOf('\x1b[31m##vso[task]\xe2\x80\xae');
  assert.not.match(line, /[^ -~]|##vso/);
  assert.is((parseLine(line) as ArchiveRecord).path, '\x1b[31m##vso[task]\u202e');
});

test('a digest of a line leaves out the duration of the record and nothing else', () => {
  assert.equal(lineDigest(lineOf('a', 1)), lineDigest(lineOf('a', 200_000)));
  assert.not.equal(lineDigest(lineOf('a')), lineDigest(lineOf('b')));
  assert.equal(lineDigest(lineOf('a', 5)), createHash('sha256').update(lineOf('a', 0)).digest());
  // Neither a path that looks like it, nor a member of an image.
  assert.not.equal(lineDigest(lineOf('"durationMs":1')), lineDigest(lineOf('"durationMs":2')));
  const withDuration = (ms: number) =>
    lineOf('a', 0, `{"sha256":null,"exitCode":0,"error":null,"x":{"durationMs":${ms}}}`);
  assert.not.equal(lineDigest(withDuration(1)), lineDigest(withDuration(2)));
});

const valid = JSON.parse(lineOf('a')) as Record<string, unknown>;

test('a line that is no JSON, no result, or of another schema is told apart', () => {
  const line = lineOf('a');
  for (let end = 0; end < line.length; end++) assert.is(parseLine(line.slice(0, end)), 'not-json');
  assert.is(parseLine(`${line}${line}`), 'not-json');
  assert.is(parseLine(JSON.stringify({ ...valid, schemaVersion: 2 })), 'other-schema');
  for (const value of [null, 1, 'x', [], {}, { kind: 'archives' }, { kind: ['archive'] }])
    assert.is(parseLine(JSON.stringify(value)), 'not-a-result');
});

test('a member of a wrong type makes it no result', () => {
  const shard = valid.shard as object;
  const wrong: readonly object[] = [
    { path: 1 },
    { path: '' },
    { path: 'a\0' },
    { pathBytes: 'YQ==' },
    { pathBytes: null },
    { size: -1 },
    { size: '12' },
    { size: 1.5 },
    { mtime: 1 },
    { tool: null },
    { command: 'diff' },
    { policy: 1 },
    { settings: null },
    { shard: null },
    { shard: { ...shard, number: 0 } },
    { shard: { ...shard, number: 11 } },
    { shard: { ...shard, of: '10' } },
    { shard: { ...shard, by: 'name' } },
    { shard: { ...shard, list: null } },
    { sha256: 1 },
    { exitCode: 3 },
    { exitCode: '0' },
    { error: 'x' },
    { error: { what: 1, remedy: null } },
    { kind: 'other' },
    { kind: 'end' },
  ];
  for (const change of wrong)
    assert.is(parseLine(JSON.stringify({ ...valid, ...change })), 'not-a-result', JSON.stringify(change));
});

test('every member in which two lines differ is named', () => {
  const other: Provenance = {
    ...PROVENANCE,
    tool: 'waybill 0.2.0',
    policy: 'sha256:9',
    shard: { ...PROVENANCE.shard, of: 11, list: 'sha256:8' },
  };
  assert.equal(provenanceDifferences(PROVENANCE, PROVENANCE), []);
  assert.equal(provenanceDifferences(PROVENANCE, other), [
    { member: 'tool', expected: 'waybill 0.1.0', found: 'waybill 0.2.0' },
    { member: 'policy', expected: null, found: 'sha256:9' },
    { member: 'shard.of', expected: 10, found: 11 },
    { member: 'shard.list', expected: 'sha256:2', found: 'sha256:8' },
  ]);
});

test('a trailer counts, and its digest does not depend on the order in which records were made', () => {
  const lines = ['a', 'b', 'c'].map(path => lineOf(path));
  const trailers = [
    [0, 1, 2],
    [2, 0, 1],
  ].map(order => {
    const summary = new RecordSummary(3);
    for (const index of order) summary.add(index, lines[index]!, index === 1 ? 2 : 0);
    return summary.trailerLine(PROVENANCE, 30, 99.6);
  });
  assert.is(trailers[0], trailers[1]);
  const digests = lines.map(line =>
    createHash('sha256').update(line.replace('"durationMs":7', '"durationMs":0')).digest(),
  );
  assert.equal(parseLine(trailers[0]!), {
    kind: 'end',
    ...PROVENANCE,
    count: 3,
    listCount: 30,
    records: `sha256:${createHash('sha256').update(Buffer.concat(digests)).digest('hex')}`,
    exitCode: 2,
    durationMs: 100,
  });
});

test('a summary knows which records are there, and whether a line is the one that was added', () => {
  const summary = new RecordSummary(2);
  assert.is(summary.hasRecord(1), false);
  summary.add(1, lineOf('b'), 1);
  assert.is(summary.hasRecord(1), true);
  assert.is(summary.hasRecord(0), false);
  assert.equal([summary.count, summary.exitCode], [1, 1]);
  assert.ok(summary.isLine(1, lineOf('b')));
  assert.not.ok(summary.isLine(1, lineOf('c')));
});

test.run();
