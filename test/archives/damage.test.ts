// Changes one bit anywhere in a small archive, or cuts the archive anywhere: the damage is found, without other
// effects.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError, readArchive, reportOf } from '../../src/commands.js';
import {
  contentIsOutside,
  isOutside,
  type Outcome,
  type Region,
  regionsOf,
  tells,
} from '../support/claims.js';
import { testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { type Compression, canCompress, compress, toDirectory, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const BLOCK = 512;
const TAGGED = {
  image: await image({ layers: [{ files: { a: 'a' } }, { emptyLayer: true, createdBy: 'CMD' }] }),
  tags: ['app:1'],
};
const PACKED = {
  image: await image({ layers: [{ files: { a: 'a' }, compression: 'gzip' }] }),
  tags: ['app:1'],
};

/** Rows of FORMATS section 1 in which every byte is changed. */
const ROWS: Readonly<Record<string, readonly layouts.Member[]>> = {
  B: layouts.dockerSave(TAGGED),
  C: layouts.dockerSave25(TAGGED),
  E: layouts.buildxOci(PACKED),
  F: layouts.podmanDockerArchive(TAGGED),
};
const DIRECTORY = layouts.skopeoDir(PACKED);

/** An error other than an InputError fails the test, and so does a read that does not end. */
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

/** Flips one bit of each byte, another one from byte to byte. */
const flipped = (byte: number, at: number) => byte ^ (1 << ((at * 5) % 8));

/** Every byte of row B. For the other rows a sample of what is the same in all: layers, and runs of zeros. */
function stepOf(row: string, { kind, path }: Region, at: number, size: number): number {
  if (kind === 'content') return /tar$|^blobs/.test(path) && size > 1024 ? 7 : 1;
  return row === 'B' || (kind === 'header' && at < 345) ? 1 : 7;
}

for (const [row, members] of Object.entries(ROWS)) {
  test(`a bit that is changed in any byte of row ${row} is found`, async () => {
    const tar = await toTar(members);
    const whole = await read(streamOf(tar));
    const missed: string[] = [];
    for (const region of regionsOf(members, tar.length)) {
      const { start, end } = region;
      const before = tar.slice(start, end);
      for (let at = start; at < end; at += stepOf(row, region, at - start, end - start)) {
        const was = tar[at]!;
        tar[at] = flipped(was, at);
        // Most are read as a stream, which needs no disk; some as a file.
        const found = tells(await read(at % 29 === 0 ? saved(tar) : streamOf(tar)), whole);
        const outside = !found && isOutside(row, region, before, tar.subarray(start, end), at - start);
        if (!found && !outside) missed.push(`${region.kind} ${region.path} byte ${at - start}`);
        tar[at] = was;
      }
    }
    assert.equal(missed, []);
  });
}

test('a bit that is changed in any byte of a directory (row H) is found', async () => {
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
    test(`row ${row} cut at any byte, ${way}: the cut is reported, without follow-up errors`, async () => {
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

test('a deflated zip entry that is changed or cut is reported', async () => {
  const { deliveries } = await import('../support/pack.js');
  const made = await deliveries(layouts.skopeoOci(PACKED), join(temporary('zip'), 'made'));
  for (const kind of ['zip-deflated', 'zip-stored', 'tar-in-zip-deflated', 'tar-in-zip-stored']) {
    const bytes = readFileSync(made.find(delivery => delivery.kind === kind)!.file);
    for (let cut = 0; cut < bytes.length; cut += 101) {
      const outcome = await read(saved(bytes.subarray(0, cut)));
      assert.instance(outcome, InputError, `${kind} cut at ${cut}: the directory of a zip is at its end`);
    }
    // Any change of a zip gives a report or an InputError.
    for (let at = 0; at < bytes.length; at += kind.endsWith('stored') ? 61 : 5) {
      const after = Uint8Array.from(bytes);
      after[at] = flipped(after[at]!, at);
      await read(saved(after));
    }
  }
});

/** The end of a member's content in the tar. */
function endOf(members: readonly layouts.Member[], path: string): number {
  return regionsOf(members, 0).find(region => region.kind === 'content' && region.path === path)!.end;
}

for (const [name, make] of Object.entries({ regctl: layouts.regctl, containerify: layouts.containerify })) {
  for (const [way, open] of Object.entries(WAYS)) {
    test(`documents before the cut are still reported (${name}, documents first, ${way})`, async () => {
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
