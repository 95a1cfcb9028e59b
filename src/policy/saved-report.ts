import { SIZE_NAMES } from '../analysis/weigh.js';
import { isObject, type Json, type JsonObject, typeName } from '../spec/json.js';
import type { SavedImage } from './comparison.js';
import type { Inventory } from './inventory.js';

/**
 * Reads a report of `waybill check --json` for what a later image is compared with.
 * @returns why it cannot be compared with, in place of its images: where, what was expected, what was found
 */
export function parseSavedReport(
  text: string,
): { readonly images: readonly SavedImage[] } | { readonly reason: string } {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { reason: unparsed(text) };
  }
  const reader = new ReportReader();
  const images = reader.images(value);
  return reader.reason === null ? { images } : { reason: reader.reason };
}

const EXPECTED = 'expected a report of `waybill check --json`';

/** JSON Lines parse line by line; what is cut short parses nowhere. */
function unparsed(text: string): string {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  const isLines =
    lines.length > 1 && lines.every(line => line.startsWith('{') && line.trimEnd().endsWith('}'));
  return isLines
    ? `${EXPECTED} of one archive, found those of ${lines.length}, one on each line: keep the line of the one that is meant`
    : `${EXPECTED}, found other text, or a report that is cut short`;
}

const MANAGERS = ['apk', 'dpkg', 'rpm'] as const;

type Read<T> = (value: Json | undefined, at: string) => T;
type ReadObject<T> = (item: JsonObject, at: string) => T;

const NOTHING: JsonObject = {};

/**
 * Reads a report field by field, and keeps the first that is not as it should be; what is made of the rest is not used
 * then.
 */
class ReportReader {
  reason: string | null = null;

  images(value: Json): SavedImage[] {
    if (!isObject(value)) return this.refuse(`${EXPECTED}, found ${typeName(value)}`, []);
    const { schemaVersion, images } = value;
    if (schemaVersion !== 1) {
      const found = schemaVersion === undefined ? 'none' : `schemaVersion ${JSON.stringify(schemaVersion)}`;
      return this.refuse(`${EXPECTED} with schemaVersion 1, found ${found}`, []);
    }
    return this.objects(images, '/images', (image, at) => this.image(image, at));
  }

  private image(image: JsonObject, at: string): SavedImage {
    if (image.inventory === undefined)
      this.refuse(
        `${at}: ${EXPECTED}, found one of another command, or of a version without an inventory`,
        0,
      );
    return {
      names: this.texts(image.names, `${at}/names`),
      platform: this.orNull(this.text)(image.platform, `${at}/platform`),
      inventory: this.inventory(this.object(image.inventory, `${at}/inventory`), `${at}/inventory`),
    };
  }

  private inventory(value: JsonObject, at: string): Inventory {
    if (value.version !== 1)
      this.refuse(
        `${at}/version: expected 1, found ${JSON.stringify(value.version ?? null)}: check the earlier archive again with this version`,
        0,
      );
    const each = <T>(key: string, read: ReadObject<T>): T[] => this.objects(value[key], `${at}/${key}`, read);
    const orUnread = <T>(key: string, read: ReadObject<T>) => (value[key] === null ? null : each(key, read));
    return {
      version: 1,
      complete: value.complete === true,
      sizes: this.sizes(this.object(value.sizes, `${at}/sizes`), `${at}/sizes`),
      layers: each('layers', (layer, place) => ({
        diffId: this.orNull(this.text)(layer.diffId, `${place}/diffId`),
        instruction: this.text(layer.instruction, `${place}/instruction`),
        unpacked: this.orNull(this.number)(layer.unpacked, `${place}/unpacked`),
      })),
      user: this.text(value.user, `${at}/user`),
      entrypoint: this.texts(value.entrypoint, `${at}/entrypoint`),
      cmd: this.texts(value.cmd, `${at}/cmd`),
      ports: this.texts(value.ports, `${at}/ports`),
      env: each('env', (one, place) => ({
        name: this.text(one.name, `${place}/name`),
        valueHash: this.text(one.valueHash, `${place}/valueHash`),
      })),
      setuid: orUnread('setuid', (file, place) => ({
        path: this.text(file.path, `${place}/path`),
        mode: this.number(file.mode, `${place}/mode`),
        uid: this.number(file.uid, `${place}/uid`),
        gid: this.number(file.gid, `${place}/gid`),
      })),
      directories: this.orNull(this.directories)(value.directories, `${at}/directories`),
      packages: orUnread('packages', (one, place) => ({
        manager: this.manager(one.manager, `${place}/manager`),
        name: this.text(one.name, `${place}/name`),
        version: this.text(one.version, `${place}/version`),
        arch: this.orNull(this.text)(one.arch, `${place}/arch`),
        shipped: this.number(one.shipped, `${place}/shipped`),
      })),
    };
  }

  private sizes(sizes: JsonObject, at: string): Inventory['sizes'] {
    const size = (name: string) => this.orNull(this.number)(sizes[name], `${at}/${name}`);
    const partial = sizes.partial === undefined ? [] : this.texts(sizes.partial, `${at}/partial`);
    const bounds = SIZE_NAMES.filter(name => partial.includes(name));
    return {
      ...(bounds.length > 0 && { partial: bounds }),
      stored: size('stored'),
      compressed: size('compressed'),
      estimated: size('estimated'),
      unpacked: size('unpacked'),
      content: size('content'),
      docker: size('docker'),
      overlay2: size('overlay2'),
    };
  }

  private readonly directories: Read<NonNullable<Inventory['directories']>> = (value, at) => {
    const directories = this.object(value, at);
    return {
      unlisted: this.number(directories.unlisted, `${at}/unlisted`),
      list: this.objects(directories.list, `${at}/list`, (one, place) => ({
        path: this.text(one.path, `${place}/path`),
        shipped: this.number(one.shipped, `${place}/shipped`),
      })),
    };
  };

  private readonly manager: Read<(typeof MANAGERS)[number]> = (value, at) =>
    MANAGERS.find(one => one === value) ?? this.mismatch(at, MANAGERS.join(' or '), value, 'apk');

  private readonly text: Read<string> = (value, at) =>
    typeof value === 'string' ? value : this.mismatch(at, 'a string', value, '');

  private readonly number: Read<number> = (value, at) => {
    if (typeof value !== 'number' || value < 0) return this.mismatch(at, 'a number from 0', value, 0);
    return Number.isSafeInteger(value)
      ? value
      : this.refuse(`${at}: expected a whole number up to ${Number.MAX_SAFE_INTEGER}, found ${value}`, 0);
  };

  private object(value: Json | undefined, at: string): JsonObject {
    return isObject(value) ? value : this.mismatch(at, 'an object', value, NOTHING);
  }

  private list(value: Json | undefined, at: string): Json[] {
    return Array.isArray(value) ? value : this.mismatch(at, 'an array', value, []);
  }

  private texts(value: Json | undefined, at: string): string[] {
    return this.list(value, at).map((item, i) => this.text(item, `${at}/${i}`));
  }

  private objects<T>(value: Json | undefined, at: string, read: ReadObject<T>): T[] {
    return this.list(value, at).map((item, i) => read(this.object(item, `${at}/${i}`), `${at}/${i}`));
  }

  private orNull<T>(read: Read<T>): Read<T | null> {
    return (value, at) => (value === null ? null : read(value, at));
  }

  private mismatch<T>(at: string, expected: string, found: Json | undefined, instead: T): T {
    return this.refuse(`${at}: expected ${expected}, found ${typeName(found)}`, instead);
  }

  private refuse<T>(reason: string, instead: T): T {
    this.reason ??= reason;
    return instead;
  }
}
