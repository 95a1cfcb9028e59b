/** The commands by what they are for: the groups of the help, and the words that a slip may have meant. */
export const COMMAND_GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Reports:', ['show', 'verify', 'ids', 'sizes', 'waste', 'diff', 'report', 'explain']],
  ['Files:', ['files', 'cat', 'extract']],
  [
    "Docker's words:",
    ['images', 'history', 'inspect', 'image', 'imagetools', 'buildx', 'manifest', 'config'],
  ],
  ['This program:', ['completion']],
]);

export const COMMANDS: readonly string[] = [...COMMAND_GROUPS.values()].flat();

/** What other tools call it. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ['ls', 'images'],
  ['list', 'images'],
  ['info', 'show'],
  ['layers', 'show'],
  ['check', 'verify'],
  ['validate', 'verify'],
  ['digest', 'ids'],
  ['du', 'sizes'],
  ['tree', 'files'],
  ['unpack', 'extract'],
  ['size', 'sizes'],
  ['compare', 'diff'],
  ['scan', 'verify'],
  ['copy', 'extract'],
  ['tags', 'images'],
  ['analyze', 'waste'],
  ['efficiency', 'waste'],
]);

/** What a word that is no command may have meant. */
export const habitFor = (word: string): string | undefined => HABITS.get(word);

/** Words of Docker for which waybill has no answer, because a daemon does the work. */
export const DAEMON_WORDS: readonly string[] =
  'attach build commit compose container cp create events exec export import kill load login logout logs network port prune ps pull push rename restart rm rmi run save scout search start stats stop system tag top volume wait'.split(
    ' ',
  );

/** Docker's groups of words: those that a file can answer, and those that need a daemon. */
export const GROUPS: ReadonlyMap<
  string,
  { readonly known: readonly string[]; readonly others: readonly string[] }
> = new Map([
  [
    'image',
    {
      known: ['inspect', 'history', 'ls'],
      others: ['build', 'import', 'load', 'prune', 'pull', 'push', 'rm', 'save', 'tag'],
    },
  ],
  ['manifest', { known: ['inspect', 'create', 'annotate', 'push', 'rm'], others: [] }],
  ['imagetools', { known: ['inspect'], others: ['create'] }],
  [
    'buildx',
    {
      known: ['imagetools inspect'],
      others: ['bake', 'build', 'create', 'dial-stdio', 'du', 'history', 'ls', 'prune', 'rm', 'stop', 'use'],
    },
  ],
]);

/** The help of waybill with its commands in groups. */
export function grouped(help: string): string {
  const [, before = '', list = '', after = ''] =
    /^([\s\S]*?)^Commands:\n([\s\S]*?\n)(\n[\s\S]*)$/m.exec(help) ?? [];
  // An entry, and the lines that continue it.
  const lines = list.split(/^(?= {2}waybill )/m);
  const entries = new Map(lines.map(entry => [entry.trim().split(/\s+/)[1], entry]));
  if (!entries.has('show')) return help;
  const groups = [...COMMAND_GROUPS].map(
    ([title, names]) => `${title}\n${names.map(name => entries.get(name) ?? '').join('')}`,
  );
  return `${before}${groups.join('\n')}${after}`;
}
