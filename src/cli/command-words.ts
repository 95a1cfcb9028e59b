/** The commands in groups by purpose, for the help and for suggestions. */
const COMMAND_GROUPS = {
  'Reports:': ['show', 'verify', 'check', 'ids', 'sizes', 'waste', 'base', 'diff', 'report', 'explain'],
  'Supply chain:': ['lock', 'signatures', 'attestations', 'packages'],
  'Many archives:': ['scan', 'merge'],
  'Files:': ['files', 'cat', 'extract'],
  "Docker's words:": ['images', 'history', 'inspect', 'image', 'imagetools', 'buildx', 'manifest', 'config'],
  'This program:': ['completion'],
} as const;

export const COMMANDS: readonly string[] = Object.values(COMMAND_GROUPS).flat();

/** Names of similar commands in other tools, and of such tools; with the commands here, separated by spaces. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ['ls', 'images'],
  ['list', 'images'],
  ['info', 'show'],
  ['layers', 'show'],
  ['lint', 'check'],
  ['policy', 'check'],
  ['validate', 'verify'],
  ['digest', 'ids'],
  ['dive', 'waste report'],
  ['du', 'sizes'],
  ['tree', 'files'],
  ['unpack', 'extract'],
  ['size', 'sizes'],
  ['compare', 'diff'],
  ['copy', 'extract'],
  ['tags', 'images'],
  ['analyze', 'waste'],
  ['efficiency', 'waste'],
  ['sbom', 'packages'],
  ['provenance', 'attestations'],
  ['pkgs', 'packages'],
]);

/** The commands that an unknown word of another tool corresponds to. */
export const habitsFor = (word: string): readonly string[] => HABITS.get(word)?.split(' ') ?? [];

/** Docker commands that waybill does not have, because they need a running daemon. */
export const DAEMON_WORDS: readonly string[] =
  'attach build commit compose container cp create events exec export import kill load login logout logs network port prune ps pull push rename restart rm rmi run save scout search start stats stop system tag top volume wait'.split(
    ' ',
  );

/** Docker's command groups, with the subcommands that can be answered from a file and those that need a daemon. */
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

/** Rewrites the help of yargs so that the commands are in groups. */
export function grouped(help: string): string {
  const [, before = '', list = '', after = ''] =
    /^([\s\S]*?)^Commands:\n([\s\S]*?\n)(\n[\s\S]*)$/m.exec(help) ?? [];
  // A command, and the lines that continue its description.
  const lines = list.split(/^(?= {2}waybill )/m);
  const entries = new Map(lines.map(entry => [entry.trim().split(/\s+/)[1], entry]));
  if (!entries.has('show')) return help;
  const groups = Object.entries(COMMAND_GROUPS).map(
    ([title, names]) => `${title}\n${names.map(name => entries.get(name) ?? '').join('')}`,
  );
  return `${before}${groups.join('\n')}${after}`;
}
