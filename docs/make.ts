// Writes the pages that are generated from the code: `npm run docs`. A test fails if they are out of date.
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ruleOf, rules } from '../src/checks/findings.js';
import type { Verdict } from '../src/checks/rule.js';
import { compressions } from '../src/codec/registry.js';
import { layoutNames } from '../src/link/layouts/registry.js';
import type { FindingCode } from '../src/link/observation.js';
import { LOCK_SCHEMA } from '../src/lock/schema.js';
import { policySchema } from '../src/policy/schema.js';
import { apiPage } from './api.js';
import { withExampleOutputs } from './examples.js';
import { wrapped } from './prose.js';
import { rulesPage } from './rules.js';
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
  return wrapped(`<!-- Made by docs/make.ts from src/checks/rules-*.ts. -->
# Findings

The findings of \`waybill verify\`, by the verdict that they affect. \`waybill explain CODE\` prints the same texts.

* An **error** makes \`verify\` exit with 1; \`--fail-on warning\` or \`info\` is stricter, \`--fail-on never\` only reports.
* Errors make *intact* and *complete* false; errors and warnings make *conformant* false.
* Codes are never renamed once released.

${sections.join('\n')}`);
}

/** docs/policy.schema.json */
export const policySchemaText = (): string => `${JSON.stringify(policySchema(), null, 1)}\n`;

/** docs/lock.schema.json */
export const lockSchemaText = (): string => `${JSON.stringify(LOCK_SCHEMA, null, 1)}\n`;

/** Names in docs/schema.json that are listed in the code: by the name of their property, those that it can have. */
const NAMES: Readonly<Record<string, readonly string[]>> = { layout: layoutNames, compression: compressions };

/** docs/schema.json with the layouts and compressions that there are. */
export function schemaText(schema: string): string {
  return schema.replace(
    /("(\w+)": \{\s*"enum": )\[([^\]]*)\]/g,
    (property, before: string, name: string, values: string) => {
      const names = NAMES[name];
      if (names === undefined) return property;
      const listed = [...names, ...(values.endsWith('null') ? [null] : [])].map(one => JSON.stringify(one));
      return `${before}[${listed.join(', ')}]`;
    },
  );
}

/** The folder that pages name for what is carried across the gap: a temporary one while their commands run. */
const DISK = '/media/disk';

/**
 * A page in which each `$ …` of its console blocks is followed by the current output of the command, including errors.
 * The blocks of a page run one after the other, with a home of their own and one folder at `/media/disk`.
 */
export function withOutputs(page: string): string {
  const home = mkdtempSync(join(tmpdir(), 'waybill-page-'));
  mkdirSync(join(home, 'disk'));
  try {
    return page.replace(/```console\n(\$ [\s\S]*?)```/g, (_, block: string) => {
      const commands = [...block.matchAll(/^\$ (.*)$/gm)].map(match => match[1]!);
      const outputs = outputsOf(commands, home);
      const texts = commands.map((command, i) => `$ ${command}\n${outputs[i]}`);
      return `\`\`\`console\n${texts.join('')}\`\`\``;
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const LANGUAGES: Readonly<Record<string, string>> = {
  sh: 'sh',
  sbatch: 'sh',
  mk: 'make',
  yml: 'yaml',
  yaml: 'yaml',
  json: 'json',
  py: 'python',
  bazel: 'python',
};

/** A page in which each line `<!-- recipe FILE -->` is followed by that file of docs/recipes. */
export function withRecipes(page: string): string {
  return page.replace(
    /^(<!-- recipe (\S+) -->)\n(?:```\w+\n[\s\S]*?^```\n)?/gm,
    (_, mark: string, name: string) => {
      const text = readFileSync(join(root, 'docs/recipes', name), 'utf8');
      return `${mark}\n\`\`\`${LANGUAGES[name.slice(name.lastIndexOf('.') + 1)]}\n${text}\`\`\`\n`;
    },
  );
}

const BETWEEN = '\0';

/**
 * The output of each of several commands in one shell, where `waybill` is this build, and `$?` is the exit code of the
 * command before.
 */
function outputsOf(commands: readonly string[], home: string): string[] {
  const disk = join(home, 'disk');
  const lines = commands.map(command => `(exit $status); ${command}\nstatus=$?; printf '\\0'`);
  const script = ['exec 2>&1', 'waybill() { node bin/waybill.js "$@"; }', 'status=0', ...lines].join('\n');
  const { stdout } = spawnSync('bash', ['-c', script.replaceAll(DISK, disk)], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, HOME: home, SOURCE_DATE_EPOCH: '1795219200', GITHUB_STEP_SUMMARY: undefined },
  });
  return stdout.replaceAll(disk, DISK).split(BETWEEN);
}

/** docs/library.md with what its examples print, with this checkout as the installed package. */
export function libraryPage(page: string): string {
  const project = mkdtempSync(join(tmpdir(), 'waybill-examples-'));
  try {
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(root, join(project, 'node_modules/waybill'));
    symlinkSync(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'));
    return withExampleOutputs(page, root, project);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Pages that show commands: the README, and those of docs/ with a console block. */
export const shown: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
].filter(name => /^```console$/m.test(readFileSync(join(root, name), 'utf8')));

/** The page with the files of docs/recipes. */
export const FLEET_PAGE = 'docs/fleet.md';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = join(root, 'docs/schema.json');
  writeFileSync(schema, schemaText(readFileSync(schema, 'utf8')));
  writeFileSync(join(root, 'docs/findings.md'), findingsPage());
  writeFileSync(join(root, 'docs/security.md'), securityPage());
  writeFileSync(join(root, 'docs/rules.md'), rulesPage());
  writeFileSync(join(root, 'docs/policy.schema.json'), policySchemaText());
  writeFileSync(join(root, 'docs/lock.schema.json'), lockSchemaText());
  writeFileSync(join(root, 'docs/api.md'), apiPage(root));
  writeFileSync(
    join(root, 'docs/library.md'),
    libraryPage(readFileSync(join(root, 'docs/library.md'), 'utf8')),
  );
  const fleet = join(root, FLEET_PAGE);
  writeFileSync(fleet, withOutputs(withRecipes(readFileSync(fleet, 'utf8'))));
  for (const page of shown)
    writeFileSync(join(root, page), withOutputs(readFileSync(join(root, page), 'utf8')));
}
