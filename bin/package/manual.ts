// The man page, from the texts that --help prints. man(7)
import { COMMANDS } from '../../src/cli/command-words.js';
import { named } from '../../src/cli/help.js';
import { parser } from '../../src/cli/parser.js';
import type { World } from '../../src/cli/terminal.js';
import { version } from '../../src/version.js';

/** Reading the help needs nothing of the world. */
const NOTHING = {
  exists: () => false,
} as unknown as World;

/** The help of a command, in which each entry is one line however long it is. */
async function helpOf(words: readonly string[]): Promise<string> {
  let help = '';
  const args = [...words, '--help'];
  await parser(args, NOTHING).parseAsync(args, {}, (_error, _given, output) => {
    help = output;
  });
  if (help === '') throw new Error(`no help of ${words.join(' ')}`);
  return named(help);
}

/** Entries of the help under a title, with single spaces but for the two before a description. */
interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

interface Help {
  /** The usage, and the description. */
  readonly head: readonly string[];
  readonly sections: readonly Section[];
  /** The exit codes, which are no entry. */
  readonly codes: string;
}

function partsOf(help: string): Help {
  const [before = '', codes = ''] = help.split(/^Exit codes: /m);
  const [head = '', ...rest] = before.split(/^(?=\S[^\n]*:\n)/m);
  const sections = rest.map(text => {
    const [title = '', ...lines] = text
      .trimEnd()
      .split('\n')
      .filter(line => line !== '');
    return { title: title.replace(/:$/, ''), lines: lines.map(line => line.trim()) };
  });
  return { head: head.split('\n').filter(line => line !== ''), sections, codes: codes.trim() };
}

/** Text for troff: a line that begins with a control character, a backslash and a hyphen have other meanings. */
const troff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1');

/** An entry of the help: what is named, and its description. */
function entry(line: string): string {
  const [name = '', ...description] = line.split('  ');
  return `.TP\n.B ${troff(name)}\n${troff(description.join(' ')) || '\\&'}`;
}

const listed = ({ title, lines }: Section, heading: string): string =>
  `${heading} ${troff(title)}\n${lines.map(entry).join('\n')}`;

/** @param shared  entries that all commands have */
async function commandPart(name: string, shared: ReadonlySet<string>): Promise<string> {
  const { head, sections } = partsOf(await helpOf([name]));
  const [usage = '', ...description] = head;
  const own = sections
    .map(({ title, lines }) => ({ title, lines: lines.filter(line => !shared.has(line)) }))
    .filter(({ lines }) => lines.length > 0);
  return [
    `.SS ${troff(usage)}`,
    troff(description.join(' ')),
    ...own.map(section => listed(section, '.PP\n.I')),
  ].join('\n');
}

/** @param date  of the release */
export async function manualPage(date: Date): Promise<string> {
  const { head, sections, codes } = partsOf(await helpOf([]));
  const common = sections.filter(({ title }) => /^(?:Options|Limits|Examples)$/.test(title));
  const shared = new Set(common.filter(({ title }) => title !== 'Examples').flatMap(({ lines }) => lines));
  const commands: string[] = [];
  for (const name of COMMANDS) commands.push(await commandPart(name, shared));
  const lines = [
    `.TH WAYBILL 1 ${date.toISOString().slice(0, 10)} "waybill ${version}" "User Commands"`,
    '.SH NAME',
    `waybill \\- ${troff(head[0]!.replace(/^waybill: /, ''))}`,
    '.SH SYNOPSIS',
    '.B waybill\n[\\fIcommand\\fR] \\fIarchive\\fR... [\\fIoptions\\fR]',
    '.SH COMMANDS',
    ...commands,
    ...common.map(section => listed({ ...section, title: section.title.toUpperCase() }, '.SH')),
    '.SH EXIT STATUS',
    troff(codes),
  ];
  return `${lines.join('\n')}\n`;
}
