// Writes the pages that are generated from the code: `npm run docs`. A test fails if they are out of date.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ruleOf, rules } from '../src/checks/findings.js';
import type { Verdict } from '../src/checks/rule.js';
import type { FindingCode } from '../src/link/observation.js';
import { securityPage } from './security.js';

const VERDICTS: readonly (readonly [Verdict | null, string])[] = [
  ['intact', 'Intact: every blob in the archive has the digest, size and diff_id that is claimed'],
  ['complete', 'Complete: every blob that an image needs is in the archive'],
  ['conformant', 'Conformant: the documents follow their specification'],
  [null, 'Other findings, which affect no verdict'],
];

/** docs/findings.md */
export function findingsPage(): string {
  const codes = Object.keys(rules).sort() as FindingCode[];
  const sections = VERDICTS.map(([verdict, title]) => {
    const entries = codes.filter(code => ruleOf(code).verdict === verdict);
    const body = entries.map(code => `### ${code}\n\n*${ruleOf(code).severity}* · ${ruleOf(code).explain}\n`);
    return `## ${title}\n\n${body.join('\n')}`;
  });
  return `<!-- Made by docs/make.ts from src/checks/rules-*.ts. -->
# Findings

The findings of \`waybill verify\`, by the verdict that they affect. \`waybill explain CODE\` prints the same texts.

* An **error** makes \`verify\` exit with 1; \`--fail-on warning\` or \`info\` is stricter, \`--fail-on never\` only reports.
* Errors make *intact* and *complete* false; errors and warnings make *conformant* false.
* Codes are never renamed once released.

${sections.join('\n')}`;
}

/**
 * A page in which each `$ …` of its console blocks is followed by the current output of the command, including errors.
 */
export function withOutputs(page: string): string {
  return page.replace(/```console\n(\$ [\s\S]*?)```/g, (_, block: string) => {
    const commands = [...block.matchAll(/^\$ (.*)$/gm)].map(match => match[1]!);
    const outputs = outputsOf(commands);
    const texts = commands.map((command, i) => `$ ${command}\n${outputs[i]}`);
    return `\`\`\`console\n${texts.join('')}\`\`\``;
  });
}

const BETWEEN = '\0';

/**
 * The output of each of several commands in one shell, where `waybill` is this build, and `$?` is the exit code of the
 * command before.
 */
function outputsOf(commands: readonly string[]): string[] {
  const lines = commands.map(command => `(exit $status); ${command}\nstatus=$?; printf '\\0'`);
  const script = ['exec 2>&1', 'waybill() { node bin/waybill.js "$@"; }', 'status=0', ...lines].join('\n');
  const { stdout } = spawnSync('bash', ['-c', script], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1795219200', GITHUB_STEP_SUMMARY: undefined },
  });
  return stdout.split(BETWEEN);
}

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Pages that show commands. */
export const shown = ['README.md', 'docs/tour.md', 'docs/docker.md', 'docs/weigh.md'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'docs/findings.md'), findingsPage());
  writeFileSync(join(root, 'docs/security.md'), securityPage());
  for (const page of shown)
    writeFileSync(join(root, page), withOutputs(readFileSync(join(root, page), 'utf8')));
}
