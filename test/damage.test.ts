// One bit changed anywhere in a small archive, or the archive cut anywhere: it is found, and nothing else breaks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Finding, InputError, readArchive, reportOf } from '../src/index.js';
import { testWhen } from './support/corpus.js';
import { textOf } from './support/digest.js';
import { image } from './support/image.js';
import * as layouts from './support/layouts.js';
import { type Compression, canCompress, compress, toDirectory, toTar } from './support/pack.js';
import { saved, streamOf } from './support/reading.js';
import { temporary } from './support/tmp.js';

const BLOCK = 512;
const TAGGED = {
  image: await image({ layers: [{ files: { a: 'a' } }, { emptyLayer: true, createdBy: 'CMD' }] }),
  tags: ['app:1'],
};
const PACKED = {
  image: await image({ layers: [{ files: { a: 'a' }, compression: 'gzip' }] }),
  tags: ['app:1'],
};

/** Rows of FORMATS section 1 whose every byte is changed. */
const ROWS: Readonly<Record<string, readonly layouts.Member[]>> = {
  B: layouts.dockerSave(TAGGED),
  C: layouts.dockerSave25(TAGGED),
  E: layouts.buildxOci(PACKED),
  F: layouts.podmanDockerArchive(TAGGED),
};
const DIRECTORY = layouts.skopeoDir(PACKED);

type Outcome = readonly Finding[] | InputError;

/** Anything thrown but an InputError fails the test; so does a read that does not end. */
async function read(input: string | AsyncIterable<Uint8Array>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), 20_000);
  });
  try {
    return (await Promise.race([readArchive(input), late])).parts.flatMap(({ findings }) => findings);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const keyOf = ({ code, at, data }: Finding) => JSON.stringify([code, at, data]);

/** Whether a reading tells of something that the undamaged archive does not have. */
function tells(outcome: Outcome, whole: Outcome): boolean {
  if (outcome instanceof InputError) return true;
  const known = new Set((whole as readonly Finding[]).map(keyOf));
  return outcome.some(finding => !known.has(keyOf(finding)));
}

// What stands outside everything claimed. Kept as small as it can be: each line is a promise that no more is missed.

/** Files whose content is claimed by nothing and read by nobody. */
const FREE_FILES = /(^|\/)VERSION$|^version$/;
/** podman's v1 files: their IDs are podman's own, nothing refers to their content. They must be JSON all the same. */
const FREE_JSON = /^[0-9a-f]{64}\/json$/;

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into here, whatever they are
type Json = any;

interface Descriptor {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
  readonly size?: unknown;
}

/** What a document that no digest covers says about anything else in the archive. The rest of it is free text. */
function claimsOf(path: string, document: Json): unknown {
  const bytes = ({ digest, size }: Descriptor) => ({ digest, size });
  switch (path) {
    case 'index.json':
      // Free: annotations, a platform left out, and a mediaType left out. Names are compared where two documents give them.
      return {
        ...pick(document, 'schemaVersion'),
        manifests: document.manifests?.map((entry: Descriptor) => ({
          ...bytes(entry),
          ...pick(entry, 'mediaType'),
        })),
      };
    case 'manifest.json':
      // Free in skopeo's: media types. In Docker's: LayerSources left out, or of an unknown media type.
      return Array.isArray(document)
        ? document.map(item => pick(item, 'Config', 'RepoTags', 'Layers'))
        : {
            ...pick(document, 'schemaVersion'),
            config: document.config && bytes(document.config),
            layers: document.layers?.map(bytes),
          };
    default:
      return document;
  }
}

function pick(value: Json, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map(key => [key, value?.[key]]));
}

/** White space between tokens, and free text. */
function sameClaims(path: string, before: Uint8Array, after: Uint8Array): boolean {
  const claims = (bytes: Uint8Array) => {
    try {
      return JSON.stringify(claimsOf(path, JSON.parse(textOf(bytes))));
    } catch {
      return null;
    }
  };
  const [was, is] = [claims(before), claims(after)];
  return is !== null && (was === is || FREE_JSON.test(path));
}

function contentIsOutside(row: string, path: string, before: Uint8Array, after: Uint8Array): boolean {
  if (FREE_FILES.test(path)) return true;
  const unclaimed = ['index.json', 'manifest.json', 'oci-layout', 'repositories'].includes(path);
  return (unclaimed || (row === 'F' && FREE_JSON.test(path))) && sameClaims(path, before, after);
}

/** The checksum field may be filled up with zeros, spaces or NULs: the header says the same. */
function headerIsOutside(before: Uint8Array, after: Uint8Array, at: number): boolean {
  const sum = (block: Uint8Array) => /^[ \0]*([0-7]+)[ \0]*$/.exec(textOf(block.subarray(148, 156)))?.[1];
  const [was, is] = [sum(before), sum(after)].map(digits => digits && Number.parseInt(digits, 8));
  return at >= 148 && at < 156 && is !== undefined && was === is;
}

interface Region {
  readonly kind: 'header' | 'content' | 'padding' | 'end';
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Where everything is in the tar of these members, which have no name too long for one header. */
function regionsOf(members: readonly layouts.Member[], length: number): Region[] {
  const regions: Region[] = [];
  let start = 0;
  const add = (kind: Region['kind'], path: string, size: number) => {
    regions.push({ kind, path, start, end: start + size });
    start += size;
  };
  for (const member of members) {
    const size = layouts.isFile(member) ? member.bytes.length : 0;
    add('header', member.path, BLOCK);
    add('content', member.path, size);
    add('padding', member.path, -size & (BLOCK - 1));
  }
  add('end', '', length - start);
  return regions;
}

const isOutside = (row: string, region: Region, before: Uint8Array, after: Uint8Array, at: number) =>
  region.kind === 'header'
    ? headerIsOutside(before, after, at)
    : region.kind === 'content' && contentIsOutside(row, region.path, before, after);

/** One bit of each byte, every other one from byte to byte. */
const flipped = (byte: number, at: number) => byte ^ (1 << ((at * 5) % 8));

/** Every byte of row B. Of the others a sample of what is the same in all rows: layers, and runs of zeros. */
function stepOf(row: string, { kind, path }: Region, at: number, size: number): number {
  if (kind === 'content') return /tar$|^blobs/.test(path) && size > 1024 ? 7 : 1;
  return row === 'B' || (kind === 'header' && at < 345) ? 1 : 7;
}

for (const [row, members] of Object.entries(ROWS)) {
  test(`a bit changed in any byte of row ${row} is found`, async () => {
    const tar = await toTar(members);
    const whole = await read(streamOf(tar));
    const missed: string[] = [];
    for (const region of regionsOf(members, tar.length)) {
      const { start, end } = region;
      const before = tar.slice(start, end);
      for (let at = start; at < end; at += stepOf(row, region, at - start, end - start)) {
        const was = tar[at]!;
        tar[at] = flipped(was, at);
        // Most as a stream, which needs no disk; some as a file, for both must see it.
        const found = tells(await read(at % 29 === 0 ? saved(tar) : streamOf(tar)), whole);
        const outside = !found && isOutside(row, region, before, tar.subarray(start, end), at - start);
        if (!found && !outside) missed.push(`${region.kind} ${region.path} byte ${at - start}`);
        tar[at] = was;
      }
    }
    assert.equal(missed, []);
  });
}

test('a bit changed in any byte of a directory (row H) is found', async () => {
  const folder = toDirectory(DIRECTORY, join(temporary('damage'), 'dir'));
  const whole = await read(folder);
  const missed: string[] = [];
  for (const member of DIRECTORY.filter(layouts.isFile)) {
    const path = join(folder, member.path);
    const before = readFileSync(path);
    for (let at = 0; at < before.length; at++) {
      const after = Uint8Array.from(before);
      after[at] = flipped(after[at]!, at);
      writeFileSync(path, after);
      const found = tells(await read(folder), whole);
      if (!found && !contentIsOutside('H', member.path, before, after))
        missed.push(`${member.path} byte ${at}`);
    }
    writeFileSync(path, before);
  }
  assert.equal(missed, []);
});

const WAYS: Readonly<Record<string, (bytes: Uint8Array) => string | AsyncIterable<Uint8Array>>> = {
  seekable: bytes => saved(bytes),
  streamed: bytes => streamOf(bytes, 700),
};

function cutsOf(length: number): number[] {
  const cuts = new Set<number>();
  for (let at = 0; at < length; at += BLOCK) cuts.add(at);
  for (let at = 0; at < length; at += 100) cuts.add(at);
  return [...cuts].sort((a, b) => a - b);
}

const CUT: Readonly<Record<string, readonly layouts.Member[]>> = {
  A: layouts.dockerV1(TAGGED),
  ...ROWS,
  I: layouts.cranePull(PACKED),
};

for (const [row, members] of Object.entries(CUT)) {
  for (const [way, open] of Object.entries(WAYS)) {
    test(`row ${row} cut anywhere, ${way}: said, and never more than that`, async () => {
      const tar = await toTar(members);
      const packed = compress(tar, 'gzip');
      for (const bytes of [tar, packed]) {
        const whole = await read(open(bytes));
        const silent: number[] = [];
        for (const cut of cutsOf(bytes.length)) {
          if (!tells(await read(open(bytes.subarray(0, cut))), whole)) silent.push(cut);
        }
        assert.equal(silent, [], bytes === packed ? 'gzip' : 'plain');
      }
    });
  }
}

for (const how of ['gzip', 'zstd', 'xz', 'bzip2'] satisfies Compression[]) {
  const run = testWhen(test, canCompress(how), `${how} is not installed`);
  run(`an archive packed with ${how}, cut at every byte`, async () => {
    const bytes = compress(await toTar(layouts.skopeoOci(PACKED)), how);
    const whole = await read(streamOf(bytes));
    assert.not.instance(whole, InputError);
    const silent: number[] = [];
    for (let cut = 0; cut < bytes.length; cut++) {
      const rest = bytes.subarray(0, cut);
      if (!tells(await read(cut % 10 === 0 ? saved(rest) : streamOf(rest)), whole)) silent.push(cut);
    }
    assert.equal(silent, []);
  });
}

test('a deflated entry of a zip, changed or cut, is said', async () => {
  const { deliveries } = await import('./support/pack.js');
  const made = await deliveries(layouts.skopeoOci(PACKED), join(temporary('zip'), 'made'));
  for (const kind of ['zip-deflated', 'zip-stored', 'tar-in-zip-deflated', 'tar-in-zip-stored']) {
    const bytes = readFileSync(made.find(delivery => delivery.kind === kind)!.file);
    for (let cut = 0; cut < bytes.length; cut += 101) {
      const outcome = await read(saved(bytes.subarray(0, cut)));
      assert.instance(outcome, InputError, `${kind} cut at ${cut}: the directory of a zip is at its end`);
    }
    // Whatever a changed zip gives, it is a report or an InputError.
    for (let at = 0; at < bytes.length; at += kind.endsWith('stored') ? 61 : 5) {
      const after = Uint8Array.from(bytes);
      after[at] = flipped(after[at]!, at);
      await read(saved(after));
    }
  }
});

/** Where a member's content ends in the tar. */
function endOf(members: readonly layouts.Member[], path: string): number {
  return regionsOf(members, 0).find(region => region.kind === 'content' && region.path === path)!.end;
}

for (const [name, make] of Object.entries({ regctl: layouts.regctl, containerify: layouts.containerify })) {
  for (const [way, open] of Object.entries(WAYS)) {
    test(`what stands before the cut is still reported (${name}, documents first, ${way})`, async () => {
      const item = await image({
        layers: [1, 2, 3].map(n => ({
          files: { [`file-${n}`]: `${n}`.repeat(900) },
          compression: 'gzip' as const,
        })),
      });
      const members = make({ image: item, tags: ['app:1'] });
      const tar = await toTar(members);
      const pathOf = (bytes: Uint8Array) =>
        members.find(member => layouts.isFile(member) && Buffer.from(member.bytes).equals(bytes))!.path;
      const documents = endOf(members, 'manifest.json');
      const config = endOf(members, pathOf(item.configBytes));
      const layers = item.layers.map(({ blob }) => endOf(members, pathOf(blob)));
      for (const cut of cutsOf(tar.length).filter(at => at >= documents)) {
        const { images } = reportOf(await readArchive(open(tar.subarray(0, cut))));
        assert.is(images.length, 1, `cut at ${cut}`);
        const [ours] = images;
        assert.equal(ours!.names, ['app:1']);
        if (cut >= config) assert.is(ours!.imageId, item.imageId, `cut at ${cut}`);
        item.layers.forEach((layer, i) => {
          const whole = cut >= layers[i]!;
          assert.is(ours!.layers[i]!.diffId === layer.diffId, whole, `cut at ${cut}: layer ${i}`);
        });
      }
    });
  }
}

test.run();
