import type { PackageType } from '../../packages/purl.js';
import { type Column, type Doc, gap, span, type Text, text } from '../../report/doc.js';
import { archiveHead, count, faultLine, imageTitle, madeBy } from '../../report/words.js';
import { grouped } from '../../spec/grouped.js';
import { baseWords } from '../sizes/view.js';
import type { ImagePackagesReport, PackageReport, PackagesOptions, PackagesReport } from './index.js';

export function packagesDoc(report: PackagesReport, imagesInAll: number, options: PackagesOptions): Doc {
  return [...archiveHead(report, imagesInAll), ...report.images.flatMap(image => imageDoc(image, options))];
}

/** Notes that are printed; the data has all. */
const NOTES = 10;

function imageDoc(image: ImagePackagesReport, options: PackagesOptions): Doc {
  const { packageNotes, faults } = image;
  const left = packageNotes.length - NOTES;
  return [
    gap,
    imageTitle(image),
    { kind: 'pairs', rows: summary(image) },
    ...faults.map(fault => faultLine(fault, 2)),
    ...packageNotes.slice(0, NOTES).map(({ path, reason }) => text([span(`${path}: ${reason}`, 'warn')], 2)),
    ...(left > 0 ? [text([span(`and ${left} more files: --json lists them`, 'warn')], 2)] : []),
    ...groupsOf(image, options).flatMap(group => groupDoc(group, options)),
  ];
}

function summary(image: ImagePackagesReport): [string, Text][] {
  const { packages, packageCounts, distribution, base, basePackages } = image;
  const kinds = Object.entries(packageCounts);
  const all = kinds.reduce((sum, [, number]) => sum + number, 0);
  const parts = kinds.length > 1 ? `: ${kinds.map(([type, number]) => `${number} ${type}`).join(', ')}` : '';
  const shown = packages.length === all ? '' : `${packages.length} of `;
  const rows: [string, Text][] = [['packages', [span(`${shown}${count(all, 'package')}`, 'strong'), parts]]];
  const isNameless = distribution === null && kinds.some(([type]) => type in SYSTEMS);
  if (isNameless) rows.push(['system', [span('not stated: package URLs have no distribution', 'warn')]]);
  if (distribution !== null) {
    const { prettyName, id, versionId } = distribution;
    rows.push(['system', prettyName ?? [id, versionId].filter(part => part !== null).join(' ')]);
  }
  if (base === null) rows.push(['base', [span('begins with none of the bases', 'warn')]]);
  if (base != null && basePackages != null)
    rows.push(
      ['in the base', `${basePackages.theirs}  (${baseWords(base)})`],
      ['above it', [span(String(basePackages.ours), 'strong')]],
    );
  return rows;
}

interface Group {
  readonly title: Text | null;
  readonly packages: readonly PackageReport[];
  /** Columns that the title of the group makes needless. */
  readonly without: 'type' | 'layer' | null;
}

function groupsOf(image: ImagePackagesReport, { by = 'layer' }: PackagesOptions): Group[] {
  const { packages, layers, base } = image;
  if (by === 'name') {
    const order = ({ name, type }: PackageReport) => `${name}\0${type}`;
    const keyed = packages.map(entry => ({ entry, key: order(entry) }));
    keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return [{ title: null, packages: keyed.map(({ entry }) => entry), without: null }];
  }
  if (by === 'type')
    return [...grouped(packages, ({ type }) => type)].map(([type, own]) => ({
      title: [span(type, 'strong'), span(`  ${MANAGERS[type]}, ${count(own.length, 'package')}`, 'dim')],
      packages: own,
      without: 'type',
    }));
  const byLayer = [...grouped(packages, ({ layer }) => layer)].sort(([a], [b]) => a - b);
  return byLayer.map(([layer, own]) => ({
    title: [
      span(`layer ${layer + 1}`, 'strong'),
      `  ${madeBy(layers[layer]?.instruction ?? '')}`,
      span(
        `  ${count(own.length, 'package')}${base != null && layer < base.layers ? ' of the base' : ''}`,
        'dim',
      ),
    ],
    packages: own,
    without: 'layer',
  }));
}

const MANAGERS: Readonly<Record<PackageType, string>> = {
  apk: 'Alpine and Wolfi',
  deb: 'dpkg',
  rpm: 'rpm',
  npm: 'Node.js',
  pypi: 'Python',
  golang: 'modules of Go executables',
  maven: 'Java archives',
};

function groupDoc({ title, packages, without }: Group, { top }: PackagesOptions): Doc {
  const shown = packages.slice(0, top);
  const left = packages.length - shown.length;
  const hasPaths = shown.some(isOfLanguage);
  const hasLicenses = shown.some(({ license }) => license !== null);
  const columns: Column[] = [
    { title: 'package', shrink: true },
    { title: 'version' },
    ...(without === 'type' ? [] : [{ title: 'type' }]),
    ...(without === 'layer' ? [] : [{ title: 'layer', align: 'right' as const }]),
    ...(hasLicenses ? [{ title: 'licence', shrink: true }] : []),
    ...(hasPaths ? [{ title: 'stated by', shrink: true }] : []),
  ];
  const row = (entry: PackageReport): Text[] => [
    nameOf(entry),
    entry.version ?? '',
    ...(without === 'type' ? [] : [entry.type]),
    ...(without === 'layer' ? [] : [String(entry.layer + 1)]),
    ...(hasLicenses ? [entry.license ?? ''] : []),
    ...(hasPaths ? [isOfLanguage(entry) ? statedBy(entry) : ''] : []),
  ];
  return [
    gap,
    ...(title === null ? [] : [text(title)]),
    { kind: 'listing', columns, rows: shown.map(row), count: shown.length },
    ...(left > 0 ? [text([span(`and ${left} more: --top ${packages.length} shows all`, 'dim')], 2)] : []),
  ];
}

/** Maven's `group:name`. */
const nameOf = ({ group, name }: PackageReport) => (group === null ? name : `${group}:${name}`);

/** Types of packages of distributions. */
const SYSTEMS = { apk: true, deb: true, rpm: true } as const;

const isOfLanguage = ({ type }: PackageReport) => !(type in SYSTEMS);

function statedBy({ paths, owner }: PackageReport): Text {
  const [first] = paths;
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return [`/${first}${more}`, ...(owner === null ? [] : [span(`  of ${owner}`, 'dim')])];
}
