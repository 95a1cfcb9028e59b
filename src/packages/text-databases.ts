import {
  asText,
  type DatabaseReading,
  FileList,
  fromBytes,
  MANY_PACKAGES,
  PACKAGES_CAP,
  type Package,
  paragraphs,
} from './package.js';

/** The records of a database file by their keys, as far as they can be read. */
export interface Records {
  readonly values: readonly Uint8Array[];
  readonly problems: readonly string[];
}

/** Gathers records, within what their file can truthfully hold. */
export class RecordList {
  readonly values: Uint8Array[] = [];
  readonly problems = new Set<string>();
  private readonly pages = new Set<number>();
  private bytes = 0;

  /** @param capacity  bytes of the file: records that are more than it all together would overlap */
  constructor(private readonly capacity: number) {}

  /** @returns whether there may be more */
  add(value: Uint8Array): boolean {
    this.bytes += value.length;
    if (this.bytes > this.capacity) {
      this.problems.add('its records overlap');
      return false;
    }
    if (this.values.length === PACKAGES_CAP) {
      this.problems.add(MANY_PACKAGES);
      return false;
    }
    this.values.push(value);
    return true;
  }

  /** Says that a page is being read. @returns false, and a problem, where it was read before */
  enter(page: number): boolean {
    if (this.pages.has(page)) {
      this.problems.add('its pages form a circle');
      return false;
    }
    this.pages.add(page);
    return true;
  }

  problem(reason: string): null {
    this.problems.add(reason);
    return null;
  }

  done(): Records {
    return { values: this.values, problems: [...this.problems] };
  }
}

/**
 * Alpine's database of installed packages: blocks of lines `K:value`, an empty line between packages. `F:` is a
 * directory, the `R:` that follow are files in it. https://wiki.alpinelinux.org/wiki/Apk_spec (Installed Database V2)
 */
export function apkPackages(database: Uint8Array): DatabaseReading {
  const packages: Package[] = [];
  const problems = new Set<string>();
  const list = new FileList();
  for (const block of paragraphs(fromBytes(database))) {
    if (packages.length === PACKAGES_CAP) {
      problems.add(MANY_PACKAGES);
      break;
    }
    const entry = readBlock(block, list);
    if (entry === null) problems.add('an entry has no name or no version');
    else packages.push(entry);
  }
  return { packages, problems: [...problems, ...list.problems()] };
}

function readBlock(block: string, list: FileList): Package | null {
  const fields = new Map<string, string>();
  const files: string[] = [];
  let directory = '';
  for (const line of block.split('\n')) {
    if (line[1] !== ':') continue;
    const value = line.slice(2);
    if (line[0] === 'F') directory = value === '' ? '' : `${value}/`;
    if (line[0] !== 'F' && line[0] !== 'R') fields.set(line[0]!, value);
    else {
      const path = line[0] === 'F' ? list.path(value, '') : list.path(directory, value);
      if (path !== null) files.push(path);
    }
  }
  const [name, version] = [fields.get('P'), fields.get('V')];
  if (!name || !version) return null;
  const arch = fields.get('A');
  const license = fields.get('L');
  const origin = fields.get('o');
  return {
    manager: 'apk',
    name: asText(name),
    version: asText(version),
    arch: arch ? asText(arch) : null,
    ...(license && { license: asText(license) }),
    ...(origin && origin !== name && { source: asText(origin) }),
    files,
  };
}

/** Bytes of what lies in the folder of the database, by its name there; null for what is not there. */
type Sibling = (name: string) => Uint8Array | null;

/**
 * dpkg's `status`: a stanza for each package it ever knew. What each owns is in `info/NAME.list` or
 * `info/NAME:ARCH.list`. https://manpages.debian.org/dpkg-query, https://manpages.debian.org/deb-control
 *
 * @param sibling  files below the folder that `status` lies in
 */
export function dpkgPackages(status: Uint8Array, sibling: Sibling): DatabaseReading {
  const list = new FileList();
  const { stanzas, problems } = readStanzas(status);
  const packages = stanzas
    .filter(isInstalled)
    .map(stanza => toPackage(stanza, ownedBy(stanza, sibling, list)));
  return { packages, problems: [...problems, ...list.problems()] };
}

/**
 * One file of `status.d`, as distroless images have them: the control data of a package that no dpkg installed. What it
 * owns is in `NAME.md5sums` beside it, paths without a leading slash.
 */
export function distrolessPackages(control: Uint8Array, md5sums: Uint8Array | null): DatabaseReading {
  const list = new FileList();
  const { stanzas, problems } = readStanzas(control);
  const owned = md5sums === null ? null : summedPaths(md5sums, list);
  // A file that held several could not say which of them owns what.
  const packages = stanzas
    .filter(isInstalled)
    .map(stanza => toPackage(stanza, stanzas.length === 1 ? owned : null));
  return { packages, problems: [...problems, ...list.problems()] };
}

type Stanza = ReadonlyMap<string, string>;

function readStanzas(bytes: Uint8Array): { stanzas: Stanza[]; problems: string[] } {
  const stanzas: Stanza[] = [];
  const problems = new Set<string>();
  for (const block of paragraphs(fromBytes(bytes))) {
    if (stanzas.length === PACKAGES_CAP) {
      problems.add(MANY_PACKAGES);
      break;
    }
    const stanza = readStanza(block);
    if (stanza.get('package') && stanza.get('version')) stanzas.push(stanza);
    else if (!isGone(stanza)) problems.add('an entry has no name or no version');
  }
  return { stanzas, problems: [...problems] };
}

/** Only first lines: what is wanted never goes on in a second. */
function readStanza(block: string): Stanza {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const key = /^(?:Package|Version|Architecture|Status|Source):/i.exec(line)?.[0];
    if (key !== undefined) fields.set(key.slice(0, -1).toLowerCase(), line.slice(key.length).trim());
  }
  return fields;
}

/** `want flag state`. A package without the field is installed: only dpkg writes the field. */
function isGone(stanza: Stanza): boolean {
  const state = stanza.get('status')?.split(/\s+/).at(-1);
  return state === 'not-installed' || state === 'config-files';
}

const isInstalled = (stanza: Stanza) => !isGone(stanza);

function toPackage(stanza: Stanza, files: readonly string[] | null): Package {
  const arch = stanza.get('architecture');
  // `glibc (2.36-8)` where the version of the source is another one.
  const source = stanza.get('source')?.split(' ')[0];
  return {
    manager: 'dpkg',
    name: asText(stanza.get('package')!),
    version: asText(stanza.get('version')!),
    arch: arch ? asText(arch) : null,
    ...(source && source !== stanza.get('package') && { source: asText(source) }),
    files,
  };
}

/** The list of files has directories and links too. Where an image has deleted it, the checksums name the files. */
function ownedBy(stanza: Stanza, sibling: Sibling, list: FileList): readonly string[] | null {
  const name = stanza.get('package')!;
  const either = (suffix: string) =>
    sibling(`info/${name}.${suffix}`) ?? sibling(`info/${name}:${stanza.get('architecture')}.${suffix}`);
  const owned = either('list');
  if (owned !== null) return ownedPaths(owned, list);
  const sums = either('md5sums');
  return sums === null ? null : summedPaths(sums, list);
}

const linesOf = (bytes: Uint8Array) => fromBytes(bytes).split('\n');

const isPath = (path: string | null): path is string => path !== null;

/** `/.` is the root, which every package owns. */
const ownedPaths = (bytes: Uint8Array, list: FileList) =>
  linesOf(bytes)
    .map(line => (line === '/.' ? null : list.path('', line)))
    .filter(isPath);

/** `<32 hex digits>  path`. https://manpages.debian.org/deb-md5sums */
const summedPaths = (bytes: Uint8Array, list: FileList) =>
  linesOf(bytes)
    .map(line =>
      /^[0-9a-f]{32} [ *]/.test(line) ? list.path('', line.slice(34).replace(/^\.\//, '')) : null,
    )
    .filter(isPath);
