import { field, listField, objectField, textField } from '../image/engines/go-json.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { type DecodeOptions, decode } from '../template/index.js';
import { type Value, value } from '../template/types.js';
import { CONTAINER_CONFIG, DOCKER_EXTENSION, IMAGE_CONFIG } from './config-types.js';
import { rfc3339Nano } from './go-time.js';
import { type Raw, withOlderFields } from './inspect-compat.js';
import { inspectResponse, writtenResponse } from './inspect-types.js';
import { DESCRIPTOR } from './manifest-types.js';
import type { Dialect } from './release.js';
import type { Store, StoredImage } from './stored-image.js';

/** What the daemon answers about an image, twice: what it writes, and what Docker's client makes of that for templates. */
export interface Inspected {
  readonly written: Value;
  readonly typed: Value;
}

/**
 * `GET /images/{name}/json` as Docker answers it to a client of a version of the API.
 * moby daemon/images/image_inspect.go, daemon/containerd/image_inspect.go; the versions in
 * daemon/server/router/image/image_routes.go (getImagesByName)
 * @param size  bytes, null where unknown: then the field is null
 */
export function inspectImage(stored: StoredImage, dialect: Dialect, size: number | null): Inspected {
  const { store, api, words } = dialect;
  const minor = Number(api.split('.')[1]);
  const document = configOf(stored);
  const config = runConfig(objectField(document, 'config'), store, numbersIn(stored, 'config'));
  const fields = {
    ...commonFields(stored, document, store),
    ...(store !== 'containerd' ? classicFields(document, stored) : containerdFields(stored)),
    Size: size,
  };
  const Config = { ImageConfig: config.image, DockerOCIImageConfigExt: config.docker };
  const known = size !== null;
  if (words === 29) return answer29({ ...fields, Config }, dialect, minor, known);
  const shaped = { ...fields, ...versionFields(fields, minor) };
  const ofContainer = emptyAsNull({ ...config.image, ...config.docker });
  return {
    written: value(writtenResponse(known, minor < 50), { ...shaped, Config: ofContainer }),
    typed: value(inspectResponse(known, 28), { ...shaped, Config }),
  };
}

/** containerd's store has no graph driver, which versions before 1.52 were told all the same. */
function answer29(fields: Raw, { store }: Dialect, minor: number, sizeIsKnown: boolean): Inspected {
  const shaped = {
    ...fields,
    ...(minor < 44 && fields.Created === '' ? { Created: '0001-01-01T00:00:00Z' } : {}),
    ...(minor < 48 ? { Descriptor: null } : {}),
    ...(store === 'containerd' && minor >= 52 ? { GraphDriver: null } : {}),
  };
  const typed = value(inspectResponse(sizeIsKnown, 29), shaped);
  return { written: withOlderFields(typed, shaped, minor), typed };
}

/** The config's document, or an empty one where it is absent, unreadable or no object. */
export function configOf({ image }: StoredImage): JsonObject {
  const parsed = image.config?.document?.value;
  return isObject(parsed) ? parsed : {};
}

function commonFields(stored: StoredImage, document: JsonObject, store: Store): Raw {
  const rootfs = objectField(document, 'rootfs');
  const created = textField(document, 'created');
  const os = textField(document, 'os');
  return {
    ID: stored.id ?? '',
    RepoTags: stored.tags,
    RepoDigests: stored.digests,
    Parent: stored.parent,
    Comment: lastComment(document),
    Created: rfc3339Nano(created) ?? '',
    Author: textField(document, 'author'),
    Architecture: textField(document, 'architecture'),
    Variant: textField(document, 'variant'),
    Os: os === '' && store !== 'containerd' ? 'linux' : os,
    OsVersion: textField(document, 'os.version'),
    GraphDriver: { Data: null, Name: store !== 'containerd' ? 'overlay2' : 'overlayfs' },
    RootFS:
      stored.image.kind === 'v1'
        ? { Type: 'layers', Layers: unpackedDigests(stored) }
        : { Type: textField(rootfs, 'type'), Layers: listField(rootfs, 'diff_ids').map(String) },
    Metadata: { LastTagTime: '' },
  };
}

/** The diff_ids of an image from before there were any, where its layers were read. */
function unpackedDigests({ scan, image }: StoredImage): readonly string[] {
  const digests = image.layers.map(layer =>
    layer.member === null ? null : (scan.facts(layer.member)?.unpacked?.digests.sha256 ?? null),
  );
  return digests.includes(null) ? [] : (digests as string[]);
}

function lastComment(document: JsonObject): string {
  const last = listField(document, 'history').at(-1);
  return isObject(last) ? textField(last, 'comment') : '';
}

function classicFields(document: JsonObject, stored: StoredImage): Raw {
  const numbers = numbersIn(stored, 'container_config');
  const own = textField(document, 'comment');
  return {
    ...(own === '' ? {} : { Comment: own }),
    Container: textField(document, 'container'),
    ContainerConfig: decode(CONTAINER_CONFIG, withLists(objectField(document, 'container_config')), numbers),
    DockerVersion: textField(document, 'docker_version'),
  };
}

const containerdFields = ({ target }: StoredImage): Raw => ({
  Descriptor: target === null ? null : decode(DESCRIPTOR, target),
});

/** What comes and goes with the version of the API. */
function versionFields(fields: Raw, minor: number): Raw {
  return {
    ...(minor < 44 ? { VirtualSize: fields.Size } : {}),
    ...(minor < 44 && fields.Created === '' ? { Created: '0001-01-01T00:00:00Z' } : {}),
    ...(minor >= 45 ? { Container: '', ContainerConfig: null } : {}),
    ...(minor < 48 ? { Descriptor: null } : {}),
  };
}

function runConfig(config: JsonObject, store: Store, options: DecodeOptions): { image: Raw; docker: Raw } {
  const source = store !== 'containerd' ? withLists(config) : config;
  return {
    image: decode(IMAGE_CONFIG, source, options) as Raw,
    docker: decode(DOCKER_EXTENSION, source, options) as Raw,
  };
}

/** The texts of a run configuration's numbers. */
function numbersIn({ image }: StoredImage, key: 'config' | 'container_config'): DecodeOptions {
  const texts = image.config?.document?.oddities.numbers.get(key);
  return { texts: typeof texts === 'string' ? undefined : texts };
}

/** Docker before 1.3 wrote a bare string where a list belongs, and its Go type accepts both. moby strslice */
function withLists(config: JsonObject): JsonObject {
  const lists: JsonObject = {};
  for (const key of ['Cmd', 'Entrypoint', 'Shell']) {
    const text: Json | undefined = field(config, key);
    if (typeof text === 'string') lists[key] = [text];
  }
  return { ...config, ...lists };
}

/** An empty list was left out as empty before it was put back as null. */
function emptyAsNull(fields: Raw): Raw {
  const isEmpty = (v: unknown) => (Array.isArray(v) && v.length === 0) || (v instanceof Map && v.size === 0);
  return Object.fromEntries(Object.entries(fields).map(([key, v]) => [key, isEmpty(v) ? null : v]));
}
