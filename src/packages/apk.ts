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

/**
 * Alpine's database of installed packages: blocks of lines `K:value`, an empty line between packages. `F:` is a directory,
 * the `R:` that follow are files in it. https://wiki.alpinelinux.org/wiki/Apk_spec (Installed Database V2)
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
  return {
    manager: 'apk',
    name: asText(name),
    version: asText(version),
    arch: arch ? asText(arch) : null,
    files,
  };
}
