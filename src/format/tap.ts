import type { ArchiveFindings, ReportedFinding, Result } from '../report/doc.js';
import { legible, uncommanding, visibleJson } from '../visible.js';
import { archiveName, byArchive, imageText, placeText, verdictText } from './verdict.js';

/**
 * Renders findings in the Test Anything Protocol, version 14, which parsers of version 13 understand: a test point for
 * the reading of each archive, and one for each finding, with its data as YAML.
 * https://testanything.org/tap-version-14-specification.html
 */
export function* tapPieces(result: Result): Generator<string> {
  const all = byArchive(result);
  let count = 0;
  for (const each of all) count += pointsOf(each).length;
  yield `TAP version 14\n1..${count}\n`;
  let number = 0;
  for (const each of all) for (const point of pointsOf(each)) yield pointText(point, ++number);
  for (const line of [verdictText(result), ...(result.notes ?? [])])
    yield `# ${uncommanding(legible(line))}\n`;
}

function pointsOf({ archive, findings }: ArchiveFindings): readonly Point[] {
  const { error, exitCode } = archive;
  const isFailed = exitCode !== 0 && !findings.some(({ isFailing }) => isFailing);
  const read: Point = {
    isOk: error === null && !isFailed,
    title: `${archiveName(archive.archive)} is read`,
    data: error !== null ? { message: error } : isFailed ? { message: `the exit code is ${exitCode}` } : null,
  };
  return [read, ...findings.filter(({ code }) => code !== 'archive-unreadable').map(pointOf)];
}

interface Point {
  readonly isOk: boolean;
  readonly title: string;
  readonly data: Readonly<Record<string, string>> | null;
}

function pointOf(finding: ReportedFinding): Point {
  const { isFailing, severity, code, message, archive, image, platform, fingerprint } = finding;
  const at = placeText({ ...finding, image: null });
  const title = [archiveName(archive), imageText(finding), at, code].filter(part => part !== '').join(': ');
  return {
    isOk: !isFailing,
    title,
    data: {
      severity,
      code,
      message,
      archive,
      ...(image === null ? {} : { image }),
      ...(platform === null ? {} : { platform }),
      ...(at === '' ? {} : { at }),
      fingerprint,
    },
  };
}

/** A test point. The values of its YAML are JSON strings, which are valid YAML. */
function pointText({ isOk, title, data }: Point, number: number): string {
  const line = `${isOk ? 'ok' : 'not ok'} ${number} - ${described(title)}\n`;
  if (data === null) return line;
  const rows = Object.entries(data).map(
    ([key, value]) => `  ${key}: ${visibleJson(JSON.stringify(legible(value)))}\n`,
  );
  return `${line}  ---\n${rows.join('')}  ...\n`;
}

/** Escapes `#`, which would begin a directive such as `# SKIP`. */
const described = (title: string): string => legible(title).replace(/[\\#]/g, '\\$&');
