import type {
  Artifact,
  Location,
  Log,
  Notification,
  ReportingDescriptor,
  Result as SarifResult,
} from 'sarif';
import type { ReportedFinding, Result } from '../report/doc.js';
import { version } from '../version.js';
import { legible } from '../visible.js';
import { jsonPieces } from './json.js';
import { archiveName, findingsOf, imageText, placeText, worstFirst } from './verdict.js';

/**
 * GitHub rejects a run with more results.
 * https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support
 */
const RESULTS = 25_000;

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/**
 * Renders findings as SARIF 2.1.0, for code scanning.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
 */
export const sarifPieces = (result: Result): Generator<string> => jsonPieces(sarifLog(result));

function sarifLog(result: Result): Log {
  const { worst: shown, leftOut } = worstFirst(findingsOf(result), RESULTS);
  const rules = [...new Map(shown.map(finding => [finding.code, finding])).values()].sort((a, b) =>
    a.code < b.code ? -1 : 1,
  );
  const artifacts = new Artifacts();
  const numbers = new Map(rules.map(({ code }, i) => [code, i]));
  const results = shown.map(finding => resultOf(finding, numbers.get(finding.code)!, artifacts));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'waybill', version, semanticVersion: version, rules: rules.map(ruleOf) },
        },
        columnKind: 'utf16CodeUnits',
        artifacts: artifacts.listed(result),
        results,
        invocations: [
          {
            executionSuccessful: result.exitCode !== 2,
            exitCode: result.exitCode,
            toolExecutionNotifications: notificationsOf(result, leftOut),
          },
        ],
      },
    ],
  };
}

function notificationsOf({ notes = [], archives = [] }: Result, leftOut: number): Notification[] {
  return [
    ...archives.flatMap(({ archive, error }): Notification[] =>
      error === null ? [] : [{ level: 'error', message: message(`${archiveName(archive)}: ${error}`) }],
    ),
    ...(leftOut === 0
      ? []
      : [
          {
            level: 'warning' as const,
            message: message(
              `${leftOut} of ${leftOut + RESULTS} results are left out, the least serious ones: a run may have ${RESULTS}. The JSON report has all.`,
            ),
          },
        ]),
    ...notes.map((note): Notification => ({ level: 'note', message: message(note) })),
  ];
}

/** `[text](target)` is a link in plain text messages too (section 3.11.6). */
const message = (text: string) => ({ text: legible(text).replace(/\](?=\()/g, '\\]') });

/** `DigestMismatch` for `digest-mismatch`: GitHub shows it beside the code. */
const identifier = (code: string) => code.replace(/(^|-)(\w)/g, (_, _dash, letter) => letter.toUpperCase());

function ruleOf({ code, explain, severity }: ReportedFinding): ReportingDescriptor {
  const text = legible(explain);
  const [first = text] = /^.*?[.](?= |$)/.exec(text) ?? [];
  return {
    id: code,
    name: identifier(code),
    shortDescription: { text: first },
    fullDescription: { text },
    help: { text: `${text}\n\nwaybill explain ${code}`, markdown: `${text}\n\n\`waybill explain ${code}\`` },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      tags: ['container-image'],
      'problem.severity': severity === 'info' ? 'recommendation' : severity,
    },
  };
}

function resultOf(finding: ReportedFinding, ruleIndex: number, artifacts: Artifacts): SarifResult {
  const { code, severity, message: said, archive, fingerprint } = finding;
  const about = [archiveName(archive), imageText(finding)].filter(part => part !== '').join(', ');
  const place = placeText({ ...finding, image: null });
  return {
    ruleId: code,
    ruleIndex,
    level: LEVELS[severity],
    message: message(`${said} (${about}${place === '' ? '' : `: ${place}`})`),
    locations: [locationOf(finding, artifacts)],
    // GitHub compares only the first of these names.
    partialFingerprints: { primaryLocationLineHash: fingerprint, 'waybill/v1': fingerprint },
  };
}

function locationOf(
  { source, archive, image, platform, path, pointer, layer }: ReportedFinding,
  artifacts: Artifacts,
): Location {
  if (source !== null)
    return {
      physicalLocation: {
        artifactLocation: { uri: uriOf(source.file) },
        region: { startLine: source.line, endLine: source.endLine },
      },
    };
  const names = [
    ...(image === null
      ? []
      : [{ fullyQualifiedName: legible(imageText({ image, platform })), kind: 'image' }]),
    ...(layer === null ? [] : [{ fullyQualifiedName: `layer ${layer + 1}`, kind: 'layer' }]),
    ...(pointer === null ? [] : [{ fullyQualifiedName: legible(pointer), kind: 'member' }]),
  ];
  return {
    physicalLocation: { artifactLocation: artifacts.locate(archive, path), region: { startLine: 1 } },
    ...(names.length === 0 ? {} : { logicalLocations: names }),
  };
}

/** Archives and their members, as nested artifacts (section 3.24). */
class Artifacts {
  private readonly list: Artifact[] = [];
  private readonly indexes = new Map<string, number>();

  /** The artifacts of all findings, and the archives without findings. */
  listed({ archives = [] }: Result): Artifact[] {
    for (const { archive } of archives) this.locate(archive, null);
    return this.list;
  }

  locate(archive: string, path: string | null): { uri: string; index: number } {
    const outer = this.add({
      location: { uri: uriOf(archive === '-' ? 'stdin' : archive) },
      roles: ['analysisTarget'],
    });
    if (path === null) return outer;
    return this.add({
      location: { uri: uriOf(path.replace(/^\/+/, '') || '.') },
      parentIndex: outer.index,
    });
  }

  /** No two artifacts of a run may be equal (section 3.14.15). */
  private add(artifact: Artifact): { uri: string; index: number } {
    const key = JSON.stringify(artifact);
    const uri = artifact.location!.uri!;
    const known = this.indexes.get(key);
    if (known !== undefined) return { uri, index: known };
    const index = this.list.push(artifact) - 1;
    this.indexes.set(key, index);
    return { uri, index };
  }
}

const HEX_DIGITS = 16;

/**
 * A path as a URI reference (RFC 3986): relative paths stay relative, absolute ones become `file:` URIs. Bytes that are
 * not UTF-8, which paths contain as lone surrogates, are percent-encoded as bytes.
 */
export function uriOf(path: string): string {
  const plain = path.replace(/^(?:\.\/+)+/, '') || '.';
  const segments = plain.split('/').map(segment => {
    const text = [...segment].map(character => {
      const code = character.codePointAt(0)!;
      if (code >= 0xdc80 && code <= 0xdcff) return `%${(code - 0xdc00).toString(HEX_DIGITS).toUpperCase()}`;
      return encodeURIComponent(code >= 0xd800 && code <= 0xdfff ? '\ufffd' : character);
    });
    return text.join('');
  });
  const uri = segments.join('/');
  return uri.startsWith('/') ? `file://${uri.replace(/^\/+/, '/')}` : uri;
}
