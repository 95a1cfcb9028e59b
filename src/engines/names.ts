import { refuse } from '../decoding/refused.js';

/**
 * Names as the engines read them, and what they say of bad ones.
 * https://github.com/distribution/reference (reference.go, normalize.go)
 */
interface EngineReference {
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const ALGORITHM = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const REFERENCE = new RegExp(
  `^((?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*)(?::(\\w[\\w.-]{0,127}))?(?:@(${ALGORITHM}:[0-9a-fA-F]{32,}))?$`,
);

/** docker's ParseNormalizedNamed. containers/image has an older release of it, whose error does not give the name. */
export function dockerReference(
  text: string,
  library: 'docker' | 'containers-image' = 'docker',
): EngineReference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    refuse(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, rest] = splitDomain(text);
  const path = rest.split(':')[0]!;
  if (path.toLowerCase() !== path) {
    const which = library === 'docker' ? ` (${path})` : '';
    refuse(`invalid reference format: repository name${which} must be lowercase`);
  }
  const match = referenceIn(`${domain}/${rest}`);
  if (match === null) return refuse('invalid reference format');
  if (match[1]!.length > domain.length + 1 + LONGEST_PATH)
    return refuse(`repository name must not be more than ${LONGEST_PATH} characters`);
  return { name: match[1]!, tag: match[2] ?? null, digest: match[3] ?? null };
}

function splitDomain(name: string): [domain: string, rest: string] {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = slash >= 0 && isDomain ? first : 'docker.io';
  const rest = slash >= 0 && isDomain ? name.slice(slash + 1) : name;
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return [domain, rest];
  return ['docker.io', rest.includes('/') ? rest : `library/${rest}`];
}

/**
 * The patterns repeat groups, and would run out of stack at a name of megabytes. No engine takes one that is so long.
 */
const LONGEST = 4096;
/** Most characters of a repository's path, without its host. */
const LONGEST_PATH = 255;

const referenceIn = (text: string) => (text.length > LONGEST ? null : REFERENCE.exec(text));

export const showReference = ({ name, tag, digest }: EngineReference): string =>
  `${name}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;

export const familiar = (name: string): string => name.replace(/^docker\.io\/(library\/(?!.*\/))?/, '');

/** Only a name that the containerd store holds whole, host and tag and all, is found again by a docker command. */
export function isFindable(name: string): boolean {
  const reference = dockerReference(name);
  const short = familiar(showReference(reference));
  return (
    name === showReference(reference) &&
    reference.tag !== null &&
    reference.digest === null &&
    !/^sha256:[a-f0-9]{64}$/.test(short)
  );
}

/** podman's own normalising: what names no host is on localhost. containers/common libimage/normalize.go */
export function podmanName(text: string): string {
  const match = referenceIn(text);
  if (match === null) {
    const why =
      referenceIn(text.toLowerCase()) !== null
        ? 'repository name must be lowercase'
        : 'invalid reference format';
    return refuse(`normalizing name "${text}": ${why}`);
  }
  const slash = match[1]!.indexOf('/');
  const domain = match[1]!.slice(0, Math.max(0, slash));
  const hosted = /[.:]/.test(domain) || domain === 'localhost';
  const reference = dockerReference(hosted ? text : `localhost/${text}`);
  if (reference.digest !== null) return showReference({ ...reference, tag: null });
  return showReference({ ...reference, tag: reference.tag ?? 'latest' });
}
