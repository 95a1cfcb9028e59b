/** Kinds of packages of languages, by the type of their package URLs. */
export type Ecosystem = 'npm' | 'pypi' | 'golang' | 'maven';

/** A package of a language, as the metadata that was installed with it says. */
export interface LanguagePackage {
  readonly ecosystem: Ecosystem;
  /** Maven's groupId; null for others, and where a jar does not state it. */
  readonly group: string | null;
  /** npm: with the scope. Python: as its author spells it. Go: the path of the module. Maven: the artifactId. */
  readonly name: string;
  /** null where the metadata does not say, and for a Go module that was built from a working directory. */
  readonly version: string | null;
  /** One line, as stated; null for a text of several lines. */
  readonly license: string | null;
  /** The path inside of the file that states it: of a jar in a jar. null for the file itself. */
  readonly inside: string | null;
}

/** The packages that one file states, and why it could not be read, or not to its end. */
export interface LanguageReading {
  readonly packages: readonly LanguagePackage[];
  readonly problems: readonly string[];
}

/** The form of metadata that a file has by its path; executables are told by their first bytes. */
export type MetadataForm = 'package.json' | 'METADATA' | 'jar';

/** `node_modules/NAME` and `node_modules/@SCOPE/NAME`: what lies deeper belongs to that package. */
const PACKAGE_JSON = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/;
/**
 * A wheel's, setuptools', that of an egg, and distutils' file.
 * https://packaging.python.org/specifications/core-metadata
 */
const METADATA = /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$|(?:^|\/)EGG-INFO\/PKG-INFO$/;
const JAR = /[^/]\.(?:jar|war|ear)$/i;

/** @param path  bytes, one per character */
export function metadataForm(path: string): MetadataForm | null {
  if (path.endsWith('package.json')) return PACKAGE_JSON.test(path) ? 'package.json' : null;
  if (JAR.test(path)) return 'jar';
  return METADATA.test(path) ? 'METADATA' : null;
}

/** Bytes of a package.json that are read: real ones have some kilobytes. */
export const PACKAGE_JSON_BYTES = 1024 * 1024;
/** Bytes of a METADATA that are read: its header stands before the description, which may be long. */
export const METADATA_BYTES = 256 * 1024;

/** Longest name and version, in characters; npm allows 214 for a name. */
const LONGEST = 512;
/** Some packages state the text of their licence in place of its name. */
const LONGEST_LICENSE = 200;

const TOO_LONG = `its name or version is longer than ${LONGEST} characters, or has control characters`;

const isSane = (value: string) => value.length <= LONGEST && !/[\u0000-\u001f]/.test(value);

/** One line of a reasonable length; null for anything else. */
export function licenseLine(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const line = text.trim();
  return line === '' || line.length > LONGEST_LICENSE || /[\u0000-\u001f]/.test(line) || line === 'UNKNOWN'
    ? null
    : line;
}

const NOTHING: LanguageReading = { packages: [], problems: [] };

const problem = (reason: string): LanguageReading => ({ packages: [], problems: [reason] });

/** The package, if its name and version have a length and characters that names have. */
export function checkedPackage(entry: LanguagePackage): LanguageReading {
  const { group, name, version } = entry;
  const isNamed = [group ?? '', name, version ?? ''].every(isSane);
  return isNamed ? { packages: [entry], problems: [] } : problem(TOO_LONG);
}

/** npm's `package.json` of an installed package. https://docs.npmjs.com/cli/configuring-npm/package-json */
export function npmPackage(bytes: Uint8Array): LanguageReading {
  let value: unknown;
  try {
    value = JSON.parse(
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    );
  } catch {
    return problem('expected a package.json, found no JSON');
  }
  if (typeof value !== 'object' || value === null)
    return problem('expected a JSON object, found another value');
  const { name, version, license, licenses } = value as Readonly<Record<string, unknown>>;
  // A package.json without a name sets the type of modules of its directory, and describes no package.
  if (typeof name !== 'string' || name === '') return NOTHING;
  return checkedPackage({
    ecosystem: 'npm',
    group: null,
    name,
    version: typeof version === 'string' && version !== '' ? version : null,
    license: npmLicense(license ?? licenses),
    inside: null,
  });
}

/** A string, or of old `{ type, url }` and a list of these. */
function npmLicense(license: unknown): string | null {
  const all = [license].flat().map(one => {
    const type: unknown = typeof one === 'object' && one !== null && 'type' in one ? one.type : one;
    return licenseLine(type);
  });
  const known = all.filter(one => one !== null);
  return known.length === 0 ? null : licenseLine(known.join(' OR '));
}

/** The header of Python's core metadata. https://packaging.python.org/specifications/core-metadata */
export function pythonPackage(bytes: Uint8Array): LanguageReading {
  const fields = headerFields(Buffer.from(bytes).toString('utf8'), '\n');
  const field = (name: string) => fields.find(([key]) => key === name)?.[1].trim() ?? '';
  const [name, version] = [field('name'), field('version')];
  if (name === '') return problem('it has no field Name');
  const classifier = fields.find(([key, value]) => key === 'classifier' && value.startsWith('License ::'));
  const stated = licenseLine(field('license-expression')) ?? licenseLine(field('license'));
  return checkedPackage({
    ecosystem: 'pypi',
    group: null,
    name,
    version: version === '' ? null : version,
    license: stated ?? licenseLine(classifier?.[1].split('::').at(-1)),
    inside: null,
  });
}

/**
 * Fields of a header as mails and jar manifests have it: `Key: value`, up to an empty line, lines that begin with a
 * space continue a value.
 * @param join  what stands between the lines of a value
 * @returns keys in lower case
 */
export function headerFields(text: string, join: '' | '\n'): [key: string, value: string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).replace(/\r$/, '');
    if (line === '') break;
    const last = fields.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += join + line.slice(1);
    else {
      const colon = line.indexOf(':');
      if (colon > 0) fields.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]);
    }
    at = end + 1;
  }
  return fields;
}
