import type { Finding } from '../checks/findings.js';
import { pathFilter } from '../containers/path-filter.js';
import type { Image } from '../link/graph.js';
import { isAtLeast, type Severity } from '../link/observation.js';
import { type ArchiveReading, pathIn } from '../report/read.js';
import type { Report } from '../report/report.js';
import { platformMatches } from '../spec/platform.js';
import { oneSpelling } from '../visible.js';
import { isFindingCode } from './file.js';
import { type CheckFinding, fromVerify, type Suppressed } from './finding.js';
import { nameFilter, spellingsOf } from './image-names.js';
import { type Exception, originText, ownSeverity, type Policy, type Scope, type Setting } from './policy.js';
import type { ArchiveBreach, PolicyRule } from './rule.js';
import { exceptionExpired, exceptionUnused, patternUnused, ruleNotChecked } from './rules/policy.js';
import { type CheckContext, type ImageSubject, subjectsOf } from './subject.js';

export interface Evaluation {
  /** Most serious first. All of them: see `listed`. */
  readonly findings: readonly CheckFinding[];
  readonly suppressed: readonly Suppressed[];
  /** The chosen images, in the order of the report. */
  readonly subjects: readonly ImageSubject[];
}

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];
const DAY = 24 * 60 * 60;

/**
 * Applies one policy to any number of archives, one after the other, and remembers which of its exceptions and scopes
 * were of any use: that is known only when all of them have been looked at.
 */
export class Evaluator {
  private readonly usedExceptions = new Set<Exception>();
  private readonly usedScopes = new Set<Scope>();
  private readonly filters = new ScopeFilters();

  constructor(
    private readonly policy: Policy,
    private readonly context: CheckContext,
    private readonly failOn: Severity | 'never',
  ) {}

  /** @param chosen  the images that the report is about */
  evaluate(reading: ArchiveReading, chosen: ReadonlySet<Image>, report: Report): Evaluation {
    const subjects = subjectsOf(reading, chosen, report, this.context);
    const broken = this.policy.rules.flatMap(({ rule, settings }) => [
      ...this.breachesOf(rule, settings, subjects),
    ]);
    const owners = ownersOf(subjects);
    const verified = report.findings.map(finding => verifiedFinding(finding, owners.get(finding) ?? null));
    return this.judged([...verified.map(finding => this.raised(finding, subjects)), ...broken], subjects);
  }

  /** Findings after the last of several archives, which are about no image of one. Before `closing`. */
  required(findings: readonly Finding[]): readonly CheckFinding[] {
    return this.judged(
      findings.map(finding => verifiedFinding(finding, null)),
      [],
    ).findings;
  }

  /** Findings about the policy itself, when all archives have been looked at. */
  closing(): readonly CheckFinding[] {
    const expired = this.policy.exceptions.filter(exception => this.isExpired(exception));
    const unused = this.policy.exceptions.filter(
      exception => !this.isExpired(exception) && !this.usedExceptions.has(exception),
    );
    const dataOf = ({ rules, reason, expires, origin }: Exception) => ({
      from: originText(origin),
      rules,
      reason,
      expires,
    });
    return [
      ...expired.flatMap(exception => this.own(exceptionExpired, dataOf(exception), exception.origin.source)),
      ...unused.flatMap(exception => this.own(exceptionUnused, dataOf(exception), exception.origin.source)),
      ...this.unusedScopes(),
    ];
  }

  private unusedScopes(): CheckFinding[] {
    return this.policy.rules.flatMap(({ rule, settings }) =>
      settings.flatMap(({ scope, origin }) => {
        if (isOpen(scope) || this.usedScopes.has(scope)) return [];
        const data = { rule: rule.code, scope: scopeText(scope), from: originText(origin) };
        return this.own(patternUnused, data, origin.source);
      }),
    );
  }

  /** A finding about the policy; none where it switches that off. */
  private own(rule: PolicyRule, data: unknown, source: string): CheckFinding[] {
    const severity = ownSeverity(this.policy, rule.code, rule.severity);
    if (severity === 'off') return [];
    const finding = this.broken(rule, severity, { data: data as never, subject: null }, null);
    return [{ ...finding, at: { path: source, pointer: null }, key: JSON.stringify(data) }];
  }

  private *breachesOf(
    rule: PolicyRule,
    settings: readonly Setting[],
    subjects: readonly ImageSubject[],
  ): Generator<CheckFinding> {
    const bySetting = new Map<Setting, ImageSubject[]>();
    for (const subject of subjects)
      for (const setting of this.settingsFor(settings, subject)) {
        const known = bySetting.get(setting);
        if (known === undefined) bySetting.set(setting, [subject]);
        else known.push(subject);
      }
    for (const [setting, own] of bySetting) {
      const { severity, options } = setting;
      if (severity === 'off') continue;
      for (const subject of own)
        for (const breach of rule.image?.(subject, options as never) ?? [])
          yield* this.breach(rule, severity, { ...breach, subject });
      for (const breach of rule.archive?.(own, options as never, this.context) ?? [])
        yield* this.breach(rule, severity, breach);
    }
  }

  /**
   * The settings that apply to an image: for each name the first whose scope it is in. Hazard: one further name, or a
   * config without a platform, must not take an image out of a scope.
   */
  private settingsFor(settings: readonly Setting[], subject: ImageSubject): readonly Setting[] {
    if (settings.every(({ scope }) => isOpen(scope))) return settings.slice(0, 1);
    const isUnknown = subject.image.platform === null;
    const applied = namesOf(subject).flatMap(name => {
      const own = settings.filter(({ scope }) => this.filters.isInScope(scope, subject, name, isUnknown));
      for (const { scope } of own) if (!isOpen(scope)) this.usedScopes.add(scope);
      const first = own.findIndex(({ scope }) => !isUnknown || scope.platforms.length === 0);
      return first < 0 ? own : own.slice(0, first + 1);
    });
    return [...new Set(applied)];
  }

  private breach(rule: PolicyRule, severity: Severity, breach: ArchiveBreach): CheckFinding[] {
    if (breach.unchecked === undefined)
      return [this.broken(rule, breach.severity ?? severity, breach, rule.code)];
    const own = ownSeverity(this.policy, ruleNotChecked.code, severity);
    if (own === 'off') return [];
    const data = { rule: rule.code, reason: breach.unchecked } as never;
    const key = `${rule.code} ${breach.key ?? ''}`;
    return [this.broken(ruleNotChecked, own, { ...breach, data, key, unchecked: undefined }, rule.code)];
  }

  private broken(
    rule: PolicyRule,
    severity: Severity,
    breach: ArchiveBreach & { readonly data: never },
    named: string | null,
  ): CheckFinding {
    const { data, subject, layer, path, paths } = breach;
    const made = layer === undefined ? null : (subject?.instructionOf(layer) ?? null);
    return {
      code: rule.code,
      severity,
      at: breach.at ?? placeOf(subject, layer),
      data,
      message: oneSpelling(rule.message(data)),
      image: subject?.index ?? null,
      layer: layer ?? null,
      path: path ?? null,
      ...(paths !== undefined && { paths }),
      instruction: breach.instruction ?? made,
      remedy: rule.remedy?.(data) ?? null,
      rule: named,
      failing: false,
      key: breach.key ?? '',
    };
  }

  /** A finding of `verify`, which a rule may make more serious. */
  private raised(finding: CheckFinding, subjects: readonly ImageSubject[]): CheckFinding {
    const subject = finding.image === null ? undefined : subjects[finding.image];
    let raised = finding;
    for (const { rule, settings } of this.policy.rules) {
      if (!(rule.raises as readonly string[]).includes(finding.code)) continue;
      const applied =
        subject === undefined
          ? settings.filter(({ scope }) => isOpen(scope))
          : this.settingsFor(settings, subject);
      for (const { severity } of applied)
        if (severity !== 'off' && isAtLeast(severity, raised.severity))
          raised = { ...raised, severity, rule: rule.code, remedy: rule.mend };
    }
    return raised;
  }

  /** Applies the policy's severities and exceptions to findings. */
  private judged(all: readonly CheckFinding[], subjects: readonly ImageSubject[]): Evaluation {
    const findings: CheckFinding[] = [];
    const suppressed: Suppressed[] = [];
    for (const given of all) {
      const override = this.policy.overrides.find(({ code }) => code === given.code);
      const severity = override?.severity ?? given.severity;
      const exception = this.exceptionFor(given, subjects);
      if (exception !== undefined) {
        const { reason, origin } = exception;
        suppressed.push({ finding: given, reason, from: originText(origin) });
      } else if (severity === 'off') {
        suppressed.push({ finding: given, reason: 'switched off', from: originText(override!.origin) });
      } else findings.push({ ...given, severity, failing: isAtLeast(severity, this.failOn) });
    }
    findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
    return { findings, suppressed, subjects };
  }

  private exceptionFor(finding: CheckFinding, subjects: readonly ImageSubject[]): Exception | undefined {
    const matching = this.policy.exceptions.filter(
      exception => !this.isExpired(exception) && matches(exception, finding, subjects, this.filters),
    );
    for (const exception of matching) this.usedExceptions.add(exception);
    return matching[0];
  }

  /** The last day counts to its end, in UTC. */
  private readonly isExpired = ({ expires }: Exception): boolean =>
    expires !== null && this.context.now >= expires + DAY;
}

const isOpen = ({ images, platforms }: Scope) => images.length === 0 && platforms.length === 0;

function scopeText({ images, platforms }: Scope): string {
  const parts = [...images, ...platforms.map(({ os, architecture }) => `${os}/${architecture}`)];
  return parts.map(part => JSON.stringify(part)).join(', ');
}

/** Tells which images scopes are about. Patterns are compiled once: an image may have any number of names. */
class ScopeFilters {
  private readonly filters = new Map<Scope, (name: string) => boolean>();

  /**
   * @param name        of the image; null for one without a name
   * @param isAnywhere  whether an image whose platform is not known is in the scope of any platform
   */
  isInScope(scope: Scope, { image }: ImageSubject, name: string | null, isAnywhere = false): boolean {
    const { images, platforms } = scope;
    const isNamed = images.length === 0 || (name !== null && spellingsOf(name).some(this.filterOf(scope)));
    const have = image.platform;
    const isMeant = have === null ? isAnywhere : platforms.some(wanted => platformMatches(have, wanted));
    return isNamed && (platforms.length === 0 || isMeant);
  }

  /** Whether an exception is about an image: under each of its names, so that a further name does not hide anything. */
  isExcepted(scope: Scope, subject: ImageSubject): boolean {
    return namesOf(subject).every(name => this.isInScope(scope, subject, name));
  }

  private filterOf(scope: Scope): (name: string) => boolean {
    const known = this.filters.get(scope);
    if (known !== undefined) return known;
    const filter = nameFilter(scope.images);
    this.filters.set(scope, filter);
    return filter;
  }
}

const namesOf = ({ names }: ImageSubject): readonly (string | null)[] =>
  names.length === 0 ? [null] : names;

function matches(
  { rules, scope, paths }: Exception,
  { code, rule, image, path, paths: places, at, unlisted }: CheckFinding,
  subjects: readonly ImageSubject[],
  filters: ScopeFilters,
): boolean {
  if (!rules.includes(code) && !(rule !== null && rules.includes(rule))) return false;
  // The findings that are not listed may be about other images and paths.
  if (unlisted !== undefined && (!isOpen(scope) || paths.length > 0)) return false;
  const subject = image === null ? undefined : subjects[image];
  if (!isOpen(scope) && (subject === undefined || !filters.isExcepted(scope, subject))) return false;
  if (paths.length === 0) return true;
  const isMeant = pathFilter(paths);
  // A setting of the config is no file, though it stands in a member that has a path.
  const member = isFindingCode(code) || at.pointer === null ? at.path : null;
  return (places ?? [path ?? member]).every(one => one !== null && isMeant(one.replace(/^\/+/, '')));
}

function placeOf(subject: ImageSubject | null, layer: number | undefined) {
  if (subject === null) return { path: '', pointer: null };
  const { image, part } = subject;
  const member = layer === undefined ? null : (image.layers[layer]?.member ?? null);
  const at = member === null ? image.at : { path: member.path, pointer: null };
  return { ...at, path: pathIn(part.part, at.path) };
}

/**
 * Findings as far as they are listed: of each rule and severity the last one tells how many more there are. Hazard: a
 * finding that is left out before exceptions and a baseline are applied would be hidden together with others, by an
 * exception that is not about it.
 * @param most  how many of each are listed
 * @returns each with its index in `findings`
 */
export function listed(
  findings: readonly CheckFinding[],
  most: number,
): readonly { readonly finding: CheckFinding; readonly index: number }[] {
  const kindOf = ({ code, rule, severity }: CheckFinding) => `${code} ${rule} ${severity}`;
  const counts = new Map<string, number>();
  const numbers = findings.map(finding => {
    const number = (counts.get(kindOf(finding)) ?? 0) + 1;
    counts.set(kindOf(finding), number);
    return number;
  });
  return findings.flatMap((finding, index) => {
    const rest = counts.get(kindOf(finding))! - most;
    if (numbers[index]! > most) return [];
    // A finding of `verify` may tell already how many more there are.
    if (numbers[index]! < most || rest <= 0 || finding.unlisted !== undefined) return [{ finding, index }];
    const message = `${finding.message} (and ${rest} more like this: --limit findingsPerCode=… lists them)`;
    return [{ finding: { ...finding, message, unlisted: rest }, index }];
  });
}

/**
 * The image that a finding of `verify` is about, where that is one; findings of a zip's parts are about the archive.
 */
function ownersOf(subjects: readonly ImageSubject[]): ReadonlyMap<Finding, ImageSubject | null> {
  const owners = new Map<Finding, ImageSubject | null>();
  for (const subject of subjects)
    for (const finding of subject.part.concerns.own(subject.image))
      owners.set(finding, owners.has(finding) ? null : subject);
  return owners;
}

function verifiedFinding(finding: Finding, subject: ImageSubject | null): CheckFinding {
  return fromVerify(finding, subject?.index ?? null, layer => subject?.instructionOf(layer) ?? null);
}
