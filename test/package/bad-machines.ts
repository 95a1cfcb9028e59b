// Machines on which something is missing, full or not writable, and what every delivery does there: its result, or one
// message and the exit code 2.

/** A command line on such a machine. */
export interface BadMachine {
  readonly what: string;
  /** A line of shell (roots.ts). */
  readonly line: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The exit code; 0 by default. */
  readonly status?: number;
  /** Nothing by default. */
  readonly stdout?: RegExp;
  readonly stderr?: string;
  /** The only file that is left. */
  readonly made?: string;
}

const SOUND = /^verdict {2}intact yes {3}complete yes {3}conformant yes/m;

const NOT_WRITTEN = {
  locked: 'permission denied\nChoose a directory that you can write to.\n',
  full: 'no space left on device\nFree some space, or write to another disk.\n',
  large: 'file too large\nRaise the limit on the size of files, or write to another disk.\n',
} as const;

const notWritten = (where: string, why: keyof typeof NOT_WRITTEN): Pick<BadMachine, 'status' | 'stderr'> => ({
  status: 2,
  stderr: `waybill: ${where}: cannot be written: ${NOT_WRITTEN[why]}`,
});

const verified = { line: 'waybill verify "$SAMPLE"', stdout: SOUND };
const stored = { line: 'waybill manifest create a:1 "$SAMPLE"' };
const spooled = { line: 'waybill cat - etc/motd < "$SAMPLE"' };

const setTemporary = (where: string, reason: string): Pick<BadMachine, 'status' | 'stderr'> => ({
  status: 2,
  stderr: `waybill: ${where} (TMPDIR): cannot be written: ${reason}\nChoose a directory that you can write to, and set TMPDIR to it.\n`,
});

const SURROUNDINGS: readonly BadMachine[] = [
  {
    ...verified,
    what: 'an empty home, a dumb terminal of one column, the locale C',
    env: { HOME: '', TERM: 'dumb', COLUMNS: '1', LC_ALL: 'C', LANG: 'C' },
  },
  {
    ...verified,
    what: 'a home, a temporary directory, a locale and a time zone that do not exist',
    env: { HOME: '/no', TMPDIR: '/no', LC_ALL: 'no_NO.X', TZ: 'No/No' },
  },
  {
    ...verified,
    what: 'a home that cannot be written, the locale POSIX',
    env: { HOME: '/locked', LC_ALL: 'POSIX' },
  },
  {
    ...stored,
    what: 'no home, and none in the user database, for a list',
    status: 2,
    stderr:
      'waybill: HOME: expected the home directory of the user, found none\n' +
      'Set HOME, or set WAYBILL_HOME to the directory that is to hold manifest lists.\n',
  },
  {
    ...stored,
    what: 'a home that cannot be written, for a list',
    env: { HOME: '/locked' },
    ...notWritten('/locked/.local/state/waybill/manifests', 'locked'),
  },
];

const TEMPORARY: readonly BadMachine[] = [
  { what: 'no /tmp, for a pipe', line: 'waybill verify - < "$SAMPLE"', stdout: SOUND },
  {
    what: 'no /tmp, for a report of a pipe',
    line: 'waybill report - -o piped.html < "$SAMPLE"',
    stderr: 'waybill: wrote piped.html\n',
    made: 'piped.html',
  },
  { ...spooled, what: 'no /tmp, for a copy', ...setTemporary('/tmp', 'no such file or directory') },
  {
    ...spooled,
    what: 'a temporary directory that cannot be written',
    env: { TMPDIR: '/locked' },
    ...setTemporary('/locked', 'permission denied'),
  },
  {
    what: 'a temporary directory that is full',
    line: 'full 8k cat - etc/motd < "$SAMPLE"',
    env: { TMPDIR: '/disk' },
    ...notWritten('/disk (TMPDIR)', 'full'),
  },
];

const OUTPUTS: readonly BadMachine[] = [
  { what: 'a closed standard output', line: 'waybill verify broken.tar >&-', status: 1 },
  { what: 'a closed standard error', line: 'waybill verify "$SAMPLE" 2>&-', stdout: SOUND },
  { what: 'nothing open', line: 'waybill verify no.tar <&- >&- 2>&-', status: 2 },
  {
    what: 'a reader that ends after a line',
    line: '{ waybill verify broken.tar; echo "code $?" >&2; } | head -1',
    stdout: /^ {2}archive {2}broken\.tar\n$/,
    stderr: 'code 1\n',
  },
  {
    what: 'a reader that reads nothing',
    line: '{ waybill report "$SAMPLE" --format html; echo "code $?" >&2; } | :',
    stderr: 'code 0\n',
  },
  {
    what: 'a full disk under standard output',
    line: 'waybill verify "$SAMPLE" > /dev/full',
    ...notWritten('standard output', 'full'),
  },
];

const REPORTS: readonly BadMachine[] = [
  {
    what: 'a disk that fills while a report is written',
    line: 'full 8k report "$SAMPLE" -o disk/page.html',
    ...notWritten('disk/page.html', 'full'),
  },
  {
    what: 'a disk that fills while files are extracted',
    line: 'full 16k extract "$SAMPLE" disk/out',
    ...notWritten('disk/out', 'full'),
  },
  {
    what: 'a limit on the size of files',
    line: 'ulimit -f 8; waybill report "$SAMPLE" -o page.html',
    ...notWritten('page.html', 'large'),
  },
  {
    what: 'no directory of an output',
    line: 'waybill report "$SAMPLE" -o no/page.html',
    status: 2,
    stderr:
      'waybill: no/page.html: cannot be written: no such file or directory\nMake its directory first.\n',
  },
  ...[
    ['report "$SAMPLE" -o', 'locked/page.html'],
    ['scan "$SAMPLE" -o', 'locked/out.ndjson'],
    ['extract "$SAMPLE"', 'locked/out'],
  ].map(([command, output]) => ({
    what: 'a directory that cannot be written',
    line: `waybill ${command} ${output}`,
    ...notWritten(output!, 'locked'),
  })),
  {
    what: 'a cache that cannot be written',
    line: 'waybill verify "$SAMPLE" --cache locked/cache',
    stdout: SOUND,
    stderr: 'waybill: the cache locked/cache is not used: permission denied\n',
  },
];

/** A shell that took it apart would make the file `taken`. */
const TRAP = 'o\'d "q" $(touch taken) `touch taken`;\ttouch taken\n*?.tar';
const shown = TRAP.replaceAll('\t', '\\t').replaceAll('\n', '\\n');

/** In the locale C, and in a root without /proc. */
const NAMES: readonly BadMachine[] = [
  {
    what: 'a path with quotes, lines and commands',
    line: 'cp "$SAMPLE" "$TRAP"; waybill verify "$TRAP" -o "$TRAP.json"; code=$?; rm "$TRAP"; exit $code',
    env: { TRAP },
    stderr: `waybill: wrote ${shown}.json\n`,
    made: `${TRAP}.json`,
  },
  {
    what: 'a path with quotes, lines and commands, where there is nothing',
    line: 'waybill verify "$TRAP.no"',
    env: { TRAP },
    status: 2,
    stderr: `waybill: ${shown}.no: no such file or directory\n`,
  },
  {
    what: 'a name in UTF-8, without a locale for it',
    line: 'mount -t tmpfs none disk; cp "$SAMPLE" disk/Größe.tar; waybill verify disk/Größe.tar',
    stdout: /^ {2}archive {2}disk\/Größe\.tar$[\s\S]*^verdict {2}intact yes/m,
  },
  {
    what: 'a name that is not UTF-8, below a folder',
    line: String.raw`mount -t tmpfs none disk; cp "$SAMPLE" "$(printf 'disk/caf\351.tar')"; waybill verify disk/`,
    status: 2,
    stdout: /^no report .*\n {2}If its name is not UTF-8, rename it, or pipe it/m,
  },
  {
    what: 'a name that is not UTF-8, and no /proc to read it by',
    line: String.raw`mount -t tmpfs none disk; cp "$SAMPLE" "$(printf 'disk/caf\351.tar')"; waybill scan disk/`,
    status: 2,
    stdout: /^ {2}caf\\xe9\.tar +2 {2}its name is not UTF-8, and \/proc is not mounted/m,
  },
];

export const BAD_MACHINES: readonly BadMachine[] = [
  ...SURROUNDINGS,
  ...TEMPORARY,
  ...OUTPUTS,
  ...REPORTS,
  ...NAMES.map(machine => ({ ...machine, env: { ...machine.env, LC_ALL: 'C' } })),
];
