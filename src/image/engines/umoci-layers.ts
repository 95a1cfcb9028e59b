import type { Member } from '../../source/source.js';
import type { Compression } from '../../spec/compression.js';
import { isObject, type JsonObject } from '../../spec/json.js';
import { refuse, within } from './answer.js';
import { diffIdsOf } from './docker-config.js';
import { field, listField, textField } from './go-json.js';
import { digestLike, type LayerFacts, layerFacts, type TarFile } from './tar-file.js';
import { mismatch, type UmociLayout, umociBlob } from './umoci-blobs.js';
import { umociUnpacks } from './unpack-words.js';
import { Unpacking } from './unpacking.js';

/**
 * Unpacks the layers of a manifest, each by what its media type says of its compression. oci/layer/unpack.go
 * @returns the layers
 */
export function unpackLayers(layout: UmociLayout, manifest: JsonObject, config: JsonObject): Member[] {
  const { file } = layout;
  const unpacking = new Unpacking(file.scan, umociUnpacks);
  const diffIds = diffIdsOf(config);
  return listField(manifest, 'layers').map((entry, i) => {
    const layer = isObject(entry) ? entry : {};
    const digest = textField(layer, 'digest');
    if (i >= diffIds.length)
      refuse(`panic: runtime error: index out of range [${i}] with length ${diffIds.length}`);
    const member = within(
      words => `get layer blob: ${words}`,
      () => umociBlob(layout, digest),
    );
    const unpack = unpacking.next(member);
    const facts = readAs(file, member, promised(layer));
    if (facts.packError !== null && !facts.lateError) nextEntry(facts.packError);
    if (facts.tarError !== null) nextEntry(facts.tarError);
    const size = Number(field(layer, 'size') ?? 0);
    if (size >= 0 && size < member.size) nextEntry('verified reader digest mismatch');
    within(words => `unpack layer: ${words}`, unpack);
    if (file.scan.facts(member)?.tar?.globalHeaders) {
      refuse("unpack layer: unpack entry: pax_global_header: unknown typeflag '\\x67'");
    }
    checkEnd(file, member, digest, size, facts);
    const [actual, wanted] = [facts.diffId, diffIds[i]];
    if (actual !== null && actual !== wanted)
      refuse(`unpack manifest: layer ${digest}: diffid mismatch: got ${actual} expected ${wanted}`);
    return member;
  });
}

const nextEntry = (words: string): never => refuse(`unpack layer: read next entry: ${words}`);

/** What comes to light behind the tar. */
function checkEnd(file: TarFile, member: Member, digest: string, size: number, facts: LayerFacts): void {
  const discard = (words: string) => refuse(`discard trailing archive bits: ${words}`);
  if (facts.packError !== null) discard(facts.packError);
  if (size > member.size)
    discard(`expected ${size} bytes (only ${member.size} bytes in stream): verified reader size mismatch`);
  const actual = digestLike(file, member, digest);
  if (actual !== null && actual !== digest)
    refuse(`close layer data: consume remaining unverified stream: ${mismatch(digest, actual)}`);
}

const LAYER = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(.+))?$/;

/** What a layer's media type says of its compression; other types than those of OCI are refused. */
function promised(layer: JsonObject): Compression {
  const type = textField(layer, 'mediaType');
  const at = `unpack rootfs: layer ${textField(layer, 'digest')}`;
  const match = LAYER.exec(type);
  if (match === null) return refuse(`${at}: layer data is an unsupported mediatype: ${type}`);
  const [, suffix = 'none'] = match;
  if (suffix === 'none' || suffix === 'gzip' || suffix === 'zstd') return suffix;
  const method = `compression method ${JSON.stringify(suffix)} unsupported`;
  return refuse(
    `${at}: could not decompress layer: unsupported layer media type ${JSON.stringify(type)}: ${method}`,
  );
}

/** A layer read as its media type says, whatever it is. */
function readAs(file: TarFile, member: Member, compression: Compression): LayerFacts {
  const facts = layerFacts(file, member);
  if (compression === facts.compression) return facts;
  if (compression === 'none')
    return { ...facts, packError: null, tarError: member.size < 512 ? 'unexpected EOF' : NO_TAR };
  if (compression === 'gzip')
    refuse(
      `create gzip reader: ${member.size === 0 ? 'EOF' : member.size < 10 ? 'unexpected EOF' : NO_GZIP}`,
    );
  return { ...facts, packError: member.size === 0 ? null : NO_ZSTD, lateError: false, tarError: null };
}

const NO_TAR = 'archive/tar: invalid tar header';
const NO_GZIP = 'gzip: invalid header';
const NO_ZSTD = 'invalid input: magic number mismatch';
