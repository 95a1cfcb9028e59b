import type { ReportedArchive, ReportedFinding, Result } from '../report/doc.js';
import { HASHES, legible } from '../visible.js';
import { archiveName, byArchive, imageText, placeText } from './verdict.js';

/**
 * Renders findings as a JUnit XML report, as Jenkins and others read it: a suite for each archive, with a case for the
 * reading of the archive and a case for each finding. A finding that does not fail is a passed case with output.
 * https://github.com/jenkinsci/xunit-plugin (schema junit-10.xsd)
 */
export function* junitPieces(result: Result): Generator<string> {
  const all = byArchive(result);
  const sums = { tests: 0, failures: 0, errors: 0 };
  for (const { archive, findings } of all) {
    const { tests, failures, errors } = suiteOf(archive, findings);
    sums.tests += tests;
    sums.failures += failures;
    sums.errors += errors;
  }
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="waybill" tests="${sums.tests}" failures="${sums.failures}" errors="${sums.errors}">\n`;
  // The suites are made anew: all of them at once may be more than memory should hold.
  for (const { archive, findings } of all) yield `${suiteOf(archive, findings).lines.join('\n')}\n`;
  // Notes are about all archives, and only a suite can contain text.
  if ((result.notes ?? []).length > 0)
    yield [
      '  <testsuite name="notes" tests="0" failures="0" errors="0">',
      `    <system-out>${result.notes!.map(escaped).join('; ')}</system-out>`,
      '  </testsuite>\n',
    ].join('\n');
  yield '</testsuites>\n';
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly lines: readonly string[];
}

function suiteOf(archive: ReportedArchive, findings: readonly ReportedFinding[]): Suite {
  const name = archiveName(archive.archive);
  const isRead = archive.error === null;
  const told = isRead ? findings : findings.filter(({ code }) => code !== 'archive-unreadable');
  const unread = findings.find(({ code }) => code === 'archive-unreadable');
  const failing = told.filter(({ isFailing }) => isFailing);
  // The exit code may have a cause other than findings: absent layers in `sizes`, a digest that is not found.
  const isFailed = isRead && archive.exitCode !== 0 && failing.length === 0;
  const failures = failing.length + (isFailed ? 1 : 0);
  const errors = isRead ? 0 : 1;
  const head = caseLine(name, 'the archive is read');
  const read = !isRead
    ? element(head, 'error', 'archive-unreadable', unread?.message ?? archive.error!, unread?.explain ?? '')
    : isFailed
      ? element(head, 'failure', 'exit-code', `the exit code is ${archive.exitCode}`, '')
      : [`${head}/>`];
  const tests = told.length + 1;
  const numbers = `tests="${tests}" failures="${failures}" errors="${errors}" skipped="0"`;
  return {
    tests,
    failures,
    errors,
    lines: [
      `  <testsuite name="${escaped(name)}" ${numbers}>`,
      ...read,
      ...distinct(told).flatMap(([finding, title]) => findingLines(finding, title)),
      '  </testsuite>',
    ],
  };
}

/** Findings with titles that are the same in each build, so that a service can show for how long a test fails. */
function distinct(findings: readonly ReportedFinding[]): readonly (readonly [ReportedFinding, string])[] {
  const times = new Map<string, number>();
  return findings.map(finding => {
    const { code, place, subject } = finding;
    const title = [code, place].filter(part => part !== '').join(': ');
    const key = JSON.stringify([subject, title]);
    const count = (times.get(key) ?? 0) + 1;
    times.set(key, count);
    return [finding, count === 1 ? title : `${title} (${count})`];
  });
}

function findingLines(finding: ReportedFinding, title: string): readonly string[] {
  const { archive, code, severity, message, explain, isFailing } = finding;
  const head = caseLine(imageText(finding) || archiveName(archive), title);
  const where = placeText(finding);
  const line = where === '' ? message : `${where}: ${message}`;
  if (isFailing) return element(head, 'failure', code, line, explain);
  return [`${head}>`, `      <system-out>${escaped(`${severity}: ${line}`)}</system-out>`, '    </testcase>'];
}

const caseLine = (className: string, name: string) =>
  `    <testcase classname="${escaped(className)}" name="${escaped(name)}"`;

const element = (head: string, tag: 'failure' | 'error', type: string, line: string, explain: string) => [
  `${head}>`,
  `      <${tag} type="${escaped(type)}" message="${escaped(line)}">${escaped(explain === '' ? line : `${line} -- ${explain}`)}</${tag}>`,
  '    </testcase>',
];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** `legible` replaces the control characters that XML 1.0 does not allow (section 2.2). */
const escaped = (text: string): string =>
  legible(text)
    .replace(/[&<>"']/g, character => ENTITIES[character]!)
    .replace(HASHES, '&#35;');
