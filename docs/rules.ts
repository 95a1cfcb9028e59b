// docs/rules.md: the policy, the presets, and a section for each rule.
import { ofRule } from '../src/commands/explain.js';
import { PRESETS } from '../src/policy/presets.js';
import { type PolicyRule, type RuleSubject, SUBJECTS } from '../src/policy/rule.js';
import { RULES } from '../src/policy/rules.js';
import { wrapped } from './prose.js';

export function rulesPage(): string {
  const subjects = (Object.keys(SUBJECTS) as RuleSubject[]).filter(subject => rulesOf(subject).length > 0);
  const list = subjects.map(subject => {
    const links = rulesOf(subject).map(({ code }) => `[${code}](#${code})`);
    return `| ${SUBJECTS[subject]} | ${links.join(', ')} |`;
  });
  const sections = subjects.map(
    subject => `## ${SUBJECTS[subject]}\n\n${rulesOf(subject).map(ruleSection).join('\n')}`,
  );
  const table = `| subject | rules |\n|---|---|\n${list.join('\n')}`;
  return wrapped(
    `${INTRODUCTION}\n## Presets\n\n${presets()}\n## All rules\n\n${table}\n\n${sections.join('\n')}`,
  );
}

const rulesOf = (subject: RuleSubject) => RULES.filter(rule => rule.subject === subject);

const fenced = (yaml: string) => `\`\`\`yaml\n${yaml.trimEnd()}\n\`\`\`\n`;
const cell = (text: string) => text.replaceAll('|', '\\|');

function ruleSection(rule: PolicyRule): string {
  const { code, severity, explanation, rule: told } = ofRule(rule);
  const { why, mend, example, options } = told!;
  const rows = options.map(({ name, what, expected, default: fallback, main }) => {
    const shown = main ? `**\`${name}\`**` : `\`${name}\``;
    return `| ${shown} | ${cell(expected)} | ${fallback === null ? '' : `\`${cell(fallback)}\``} | ${cell(what)} |`;
  });
  const table =
    rows.length === 0
      ? ''
      : `| option | value | default | what it sets |\n|---|---|---|---|\n${rows.join('\n')}\n\n`;
  const body = example.split('\n').map(line => (line === '' ? '' : `  ${line}`));
  return `### ${code}

*${severity}* · ${explanation}

${why}

${table}**How to mend it.** ${mend}

${fenced(alternatives(body))}`;
}

/** An example may show a rule in two ways, and a policy has each once: the second stands in a comment. */
function alternatives(lines: readonly string[]): string {
  const or = lines.findIndex(line => line.trim().startsWith('# or'));
  const shown = or < 0 ? lines : lines.map((line, i) => (i > or ? line.replace(/^ {2}/, '  # ') : line));
  return `rules:\n${shown.join('\n')}`;
}

const presets = () =>
  [...PRESETS].map(([name, { what, text }]) => `### ${name}\n\n${what}\n\n${fenced(text)}`).join('\n');

const INTRODUCTION = `<!-- Made by docs/make.ts from src/policy. -->
# Rules and policies

\`waybill check ARCHIVE…\` finds everything that \`verify\` finds ([findings](findings.md)), and what the rules of a policy ask for, in one
read of the archive. \`waybill explain RULE\` prints the description of a rule.

* Without a policy, a preset, a .dive-ci file and a structure test the preset \`default@1\` applies. A policy has its rules only if it says
  \`extends: default@1\`: without that line files are **not** searched for secrets. \`--preset NAME\` takes another preset, \`--policy FILE\` a
  file (\`-\` for standard input).
* \`waybill check image.tar --init -o waybill.yaml\` writes a policy from an archive: what the image is today becomes the budget.
* \`--print-policy\` shows what applies, and in which file and line each part was written.
* The exit code is 1 for findings of \`--fail-on\` severity (\`error\`) or worse, 2 where an archive or the policy cannot be read.

## The policy

The common case is five lines of YAML; JSON will do too.

\`\`\`yaml
extends: default@1
rules:
  image-size: 250MB
  user-not-root: error
  no-latest: on
\`\`\`

**\`rules\`** are named by their codes. A rule is set

* by \`on\`, \`off\`, or a severity (\`error\`, \`warning\`, \`info\`), which keeps the options that it has in what the policy extends;
* by a value for its main option, printed in bold below: \`layer-count: 30\`;
* by its options, and a \`severity\`, \`images\` and \`platforms\` to apply to: names as patterns (\`ghcr.io/acme/*\`; \`*\` stops at a slash,
  \`**\` does not; with or without a tag), and platforms such as \`linux/arm64\`;
* by a list of such settings, each with another scope. The first whose scope an image is in is the one that applies to it, and one
  without a scope comes last. Where an image has several names, this holds for each name: all settings that result apply.

\`\`\`yaml
rules:
  image-size:
    - unpacked: 1.5GB
      images: ["ghcr.io/acme/ml/**"]
    - unpacked: 250MB
  unreferenced-blobs: error    # findings of \`verify\` take a severity, or off
\`\`\`

**\`extends\`** names policies below this one: files, relative to it, and presets. A rule that a policy sets replaces that rule of what it
extends as a whole. Where two files that it extends set a rule differently it has to say which: that is an error otherwise, as is a
circle.

**\`dive-ci\`** names a \`.dive-ci\` file, whose three thresholds apply as dive applies them (also \`--dive-ci FILE\`).

**Files of container-structure-test** are read as they are: \`structure-test: tests.yaml\` among the rules, or \`--structure-test FILE\`.
Its file and metadata tests give the verdicts that it gives; what needs a container (\`commandTests\`, \`licenseTests\`) is reported as not
run, and keys that it does not have are reported.

**Bases.** \`waybill base ARCHIVE… > bases.json\` makes a list of base images. With \`--base bases.json\` (or an archive) \`check\`, \`sizes\` and
\`waste\` tell what is above the base apart from what is in it; the rules \`base-image\` and \`base-age\` take such a list in the policy too.

**Comparing with what was.** \`waybill check NEW --against OLD\` compares with an earlier archive, or with the report of an earlier run
(\`waybill check OLD --json > old.json\`), by layer, directory and package. The preset \`against@1\` applies then, below all others: a policy
sets its rules as any others.

**\`exceptions\`** are findings that the policy accepts. Each has a reason, and a last day (in UTC) where it has one. An expired one hides
nothing and is a finding, and so is one that hides nothing. \`--all\` lists what is hidden. An exception with \`images\` is about an image
if all names of the image match; one with \`paths\` is about a finding if all paths of the finding match (a secret may be in several files).

\`\`\`yaml
exceptions:
  - rule: user-not-root
    images: legacy/*
    reason: needs port 25 until the move to the new relay (OPS-1234)
    expires: 2027-03-31
  - rule: [setuid-files, world-writable]
    paths: [/opt/vendor]
    reason: the installer of the vendor sets these modes (OPS-1240)
\`\`\`

**Regular expressions** have the syntax of [RE2](https://github.com/google/re2/wiki/Syntax) and match anywhere, unless \`^\` and \`$\` say
otherwise: none of them takes longer than the text is long.

Editors complete a policy by its schema: \`# yaml-language-server: $schema=…/policy.schema.json\` in the first line, which is
\`waybill/policy.schema.json\` of the package.
`;
