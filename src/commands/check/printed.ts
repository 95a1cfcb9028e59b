import type { Severity } from '../../link/observation.js';
import { originText, type Policy, type Scope } from '../../policy/policy.js';
import { day } from '../../policy/types.js';
import { type Doc, gap, type Result, span, type Text, text } from '../../report/doc.js';
import { NONE } from '../../report/words.js';
import { formatPlatform } from '../../spec/platform.js';

/** The policy that applied, as `--json` and `--print-policy --json` print it. */
export interface AppliedReport {
  /** Files and presets, in the order in which they were read; the last one counts where two speak of one rule. */
  readonly sources: readonly string[];
  readonly rules: readonly {
    readonly code: string;
    readonly severity: Severity | 'off';
    /** As a policy writes them. */
    readonly options: Readonly<Record<string, string>>;
    readonly images: readonly string[];
    readonly platforms: readonly string[];
    /** File and line, or the preset. */
    readonly from: string;
  }[];
  /** Severities of findings of `verify`. */
  readonly overrides: readonly {
    readonly code: string;
    readonly severity: Severity | 'off';
    readonly from: string;
  }[];
  readonly exceptions: readonly {
    readonly rules: readonly string[];
    readonly images: readonly string[];
    readonly platforms: readonly string[];
    readonly paths: readonly string[];
    readonly reason: string;
    /** A date; null where it does not expire. */
    readonly expires: string | null;
    readonly from: string;
  }[];
}

const scopeReport = ({ images, platforms }: Scope) => ({ images, platforms: platforms.map(formatPlatform) });

export function appliedReport({ sources, rules, overrides, exceptions }: Policy): AppliedReport {
  return {
    sources,
    rules: rules.flatMap(({ rule, settings }) =>
      settings.map(({ severity, options, scope, origin }) => ({
        code: rule.code,
        severity,
        options: Object.fromEntries(
          Object.entries(rule.options).flatMap(([name, { type }]) => {
            const value = options[name] ?? null;
            return value === null ? [] : [[name, type.write(value as never)]];
          }),
        ),
        ...scopeReport(scope),
        from: originText(origin),
      })),
    ),
    overrides: overrides.map(({ code, severity, origin }) => ({ code, severity, from: originText(origin) })),
    exceptions: exceptions.map(({ rules: codes, scope, paths, reason, expires, origin }) => ({
      rules: codes,
      ...scopeReport(scope),
      paths,
      reason,
      expires: expires === null ? null : day.write(expires),
      from: originText(origin),
    })),
  };
}

/** `waybill check --print-policy`: what applies, and where each part was written. */
export function printedPolicy(policy: Policy): Result {
  const report = appliedReport(policy);
  return { data: { schemaVersion: 1, ...report }, doc: policyDoc(report), exitCode: 0 };
}

const severityText = (severity: Severity | 'off'): Text => [
  span(severity, severity === 'off' ? 'dim' : null),
];

function policyDoc({ sources, rules, overrides, exceptions }: AppliedReport): Doc {
  const scope = (images: readonly string[], platforms: readonly string[]) =>
    [...images, ...platforms].join(', ') || 'all images';
  const rows = [
    ...rules.map(({ code, severity, options, images, platforms, from }): Text[] => [
      code,
      severityText(severity),
      Object.entries(options)
        .map(([name, value]) => `${name}: ${value}`)
        .join(', ') || NONE,
      scope(images, platforms),
      from,
    ]),
    ...overrides.map(({ code, severity, from }): Text[] => [
      code,
      severityText(severity),
      NONE,
      'verify',
      from,
    ]),
  ];
  return [
    { kind: 'pairs', rows: [['policy', [span(sources.join(', ') || NONE, 'strong')]]] },
    gap,
    rows.length === 0
      ? text('no rule: the findings of verify alone')
      : {
          kind: 'table',
          columns: [
            { title: 'rule' },
            { title: 'severity' },
            { title: 'options', shrink: true },
            { title: 'applies to', shrink: true },
            { title: 'from' },
          ],
          rows,
        },
    ...(exceptions.length === 0 ? [] : exceptionsDoc(exceptions, scope)),
  ];
}

function exceptionsDoc(
  exceptions: AppliedReport['exceptions'],
  scope: (images: readonly string[], platforms: readonly string[]) => string,
): Doc {
  return [
    gap,
    {
      kind: 'table',
      columns: [
        { title: 'exception from' },
        { title: 'for', shrink: true },
        { title: 'expires' },
        { title: 'reason', shrink: true },
        { title: 'from' },
      ],
      rows: exceptions.map(({ rules, images, platforms, paths, expires, reason, from }) => [
        rules.join(', '),
        [scope(images, platforms), ...paths].join(' '),
        expires ?? 'never',
        reason,
        from,
      ]),
    },
  ];
}
