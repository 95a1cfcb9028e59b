import type { ReportedFinding, Result } from '../report/doc.js';
import { HASHES, legible, uncommanding } from '../visible.js';
import { toJson } from './json.js';
import { archiveName, findingsOf, imageText, placeText, verdictText, worstFirst } from './verdict.js';

/** Findings as comments on files, which GitHub and GitLab show beside the changes of a pull or merge request. */

/** GitHub shows at most this number of annotations of a level in a step. https://docs.github.com/rest/checks/runs */
const ANNOTATIONS = 10;

/** Findings of a log. */
const LOGGED = 100_000;

const LEVELS = { error: 'error', warning: 'warning', info: 'notice' } as const;

/**
 * Renders findings as annotations of GitHub Actions, and those above its limit as lines of the log.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function* githubPieces(result: Result): Generator<string> {
  const counts = new Map<string, number>();
  const others: ReportedFinding[] = [];
  // Lines of a log that a person may still read, where a fleet has a million findings.
  const { worst, leftOut } = worstFirst(findingsOf(result), LOGGED);
  for (const finding of worst) {
    const level = LEVELS[finding.severity];
    const count = (counts.get(level) ?? 0) + 1;
    counts.set(level, count);
    if (count <= ANNOTATIONS) yield annotation(level, finding);
    else others.push(finding);
  }
  for (const note of result.notes ?? []) yield `::notice title=waybill::${commandData(note)}\n`;
  if (others.length > 0)
    yield logLine(
      `${others.length} more, without annotations: GitHub shows ${ANNOTATIONS} of a level in a step`,
    );
  for (const finding of others) {
    const place = placeText(finding);
    yield logLine(
      `${finding.severity} ${finding.code}: ${place === '' ? '' : `${place}: `}${finding.message}`,
    );
  }
  if (leftOut > 0) yield logLine(`and ${leftOut} more: the JSON report has all`);
  yield logLine(verdictText(result));
}

const logLine = (line: string): string => `${uncommanding(legible(line))}\n`;

function annotation(level: string, finding: ReportedFinding): string {
  const { source, archive, code, message } = finding;
  const lines = source === null ? '' : `,line=${source.line},endLine=${source.endLine}`;
  const title = [`waybill ${code}`, imageText(finding)].filter(part => part !== '').join(': ');
  const place = placeText({ ...finding, image: null, source: null });
  const said = `${archiveName(archive)}${place === '' ? '' : `: ${place}`}: ${message}`;
  const file = repositoryPath(source?.file ?? archive);
  return `::${level} file=${property(file)}${lines},title=${property(title)}::${commandData(said)}\n`;
}

/** Escapes the data of a command: percent signs and line ends are percent-encoded. */
const commandData = (text: string): string =>
  legible(text)
    .replaceAll('%', '%25')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A')
    // Azure Pipelines executes commands (`##vso[`) anywhere in a line, and so does TeamCity.
    .replace(HASHES, '\\u{23}');

/** Escapes a property, which also ends at a colon or a comma. */
const property = (text: string): string => commandData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** Services compare paths with those of the repository, which have no leading `./`. */
const repositoryPath = (file: string): string => (file === '-' ? 'stdin' : file.replace(/^(?:\.\/+)+/, ''));

const SEVERITIES = { error: 'critical', warning: 'minor', info: 'info' } as const;

/**
 * Renders findings as a code quality report of GitLab.
 * https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
 */
export function* gitlabPieces(result: Result): Generator<string> {
  let before = '[\n';
  for (const finding of findingsOf(result)) {
    yield `${before}  ${toJson(issueOf(finding)).trimEnd().replaceAll('\n', '\n  ')}`;
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

function issueOf(finding: ReportedFinding): object {
  const { source, archive, code, severity, message, fingerprint } = finding;
  const place = placeText({ ...finding, source: null, image: null });
  const about = [archiveName(archive), imageText(finding), place].filter(part => part !== '').join(': ');
  return {
    description: legible(`${message} (${about})`),
    check_name: code,
    fingerprint,
    severity: code === 'archive-unreadable' ? 'blocker' : SEVERITIES[severity],
    location: {
      path: legible(repositoryPath(source?.file ?? archive)),
      lines: { begin: source?.line ?? 1 },
    },
  };
}
