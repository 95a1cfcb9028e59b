/** What Docker 29 adds to `GET /images/{name}/json` for clients of older versions of the API. moby daemon/internal/compat */
import { decode, encodeJson } from '../template/index.js';
import { ANY, mapOf, pointerTo, type Value, value } from '../template/types.js';
import { CONTAINER_CONFIG } from './config-types.js';

export type Raw = Readonly<Record<string, unknown>>;

/** moby daemon/server/router/image/inspect_response.go */
const SINCE_150: Raw = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};
const BEFORE_150: Raw = {
  ...SINCE_150,
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
};

/**
 * The answer with what a version adds, which makes a map of it: its keys are sorted then.
 * moby daemon/server/router/image/image_routes.go (getImagesByName)
 */
export function withOlderFields(answer: Value, fields: Raw, minor: number): Value {
  const extra = minor >= 52 ? presentOnly(fields) : olderFields(fields, minor);
  if (Object.keys(extra).length === 0) return answer;
  const base = decode(ANY, JSON.parse(encodeJson(answer))) as Value;
  const merged = new Map(base.raw as ReadonlyMap<string, Value | null>);
  for (const [key, added] of Object.entries(extra)) {
    const known = merged.get(key);
    if (known === undefined) merged.set(key, asValue(key, added));
    else if (key === 'Config' && known !== null) merged.set(key, withDefaults(known, added as Raw));
  }
  return value(mapOf(ANY), merged);
}

const presentOnly = ({ Parent, DockerVersion }: Raw): Raw => ({
  ...(Parent ? { Parent } : {}),
  ...(DockerVersion ? { DockerVersion } : {}),
});

function olderFields(fields: Raw, minor: number): Raw {
  const { Parent, Comment, DockerVersion, Author, Container = '', ContainerConfig = null, Size } = fields;
  return {
    ...(minor < 44 ? { VirtualSize: Size } : {}),
    ...(minor < 45 ? { Container, ContainerConfig } : {}),
    Parent,
    Comment,
    DockerVersion: DockerVersion ?? '',
    Author,
    Config: minor < 50 ? BEFORE_150 : SINCE_150,
  };
}

const asValue = (key: string, added: unknown): Value | null =>
  key === 'ContainerConfig'
    ? value(pointerTo(CONTAINER_CONFIG), added)
    : (decode(ANY, added) as Value | null);

function withDefaults(config: Value, defaults: Raw): Value {
  const merged = new Map(config.raw as ReadonlyMap<string, Value | null>);
  for (const [key, added] of Object.entries(defaults)) {
    if (!merged.has(key)) merged.set(key, asValue(key, added));
  }
  return value(mapOf(ANY), merged);
}
