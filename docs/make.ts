// Writes the pages that are made from the code: `npm run docs`. A test fails when they are out of date.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ruleOf, rules } from '../src/checks/findings.js';
import type { Verdict } from '../src/checks/rule.js';
import type { FindingCode } from '../src/image/observation.js';
import { securityPage } from './security.js';

const VERDICTS: readonly (readonly [Verdict | null, string])[] = [
  ['intact', 'Intact: every blob that is here is what it claims to be'],
  ['complete', 'Complete: every blob that an image needs is here'],
  ['conformant', 'Conformant: the documents follow their specification'],
  [null, 'Worth knowing: findings that speak against no verdict'],
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

What \`waybill verify\` can say, by the verdict it speaks against. The same texts: \`waybill explain CODE\`.

* An **error** makes \`verify\` exit with 1; \`--fail-on warning\` or \`info\` is stricter, \`--fail-on never\` only reports.
* Only errors speak against *intact* and *complete*; warnings speak against *conformant* too.
* Codes are never renamed once released.

${sections.join('\n')}`;
}

/** A page with the output of each `$ waybill …` in its console blocks as the command prints it now. */
export function withOutputs(page: string): string {
  return page.replace(/```console\n\$ waybill (.*)\n[\s\S]*?```/g, (_, args: string) => {
    const { stdout } = spawnSync(process.execPath, ['bin/waybill.js', ...words(args)], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, SOURCE_DATE_EPOCH: '1795219200' },
    });
    return `\`\`\`console\n$ waybill ${args}\n${stdout}\`\`\``;
  });
}

/** A command line as a shell splits it, single quotes and all. */
const words = (line: string) =>
  (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map(word => word.replaceAll("'", ''));

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Pages that show commands. */
export const shown = ['README.md', 'docs/docker.md', 'docs/weigh.md'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'docs/findings.md'), findingsPage());
  writeFileSync(join(root, 'docs/security.md'), securityPage());
  for (const page of shown)
    writeFileSync(join(root, page), withOutputs(readFileSync(join(root, page), 'utf8')));
}
