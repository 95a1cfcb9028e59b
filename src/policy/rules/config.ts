import { pathFilter } from '../../containers/path-filter.js';
import { trimSpace } from '../../go/space.js';
import type { Image } from '../../link/graph.js';
import { nameText, rootedPath } from '../../scan/entries/name.js';
import { defineRule, type Needs, option } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { choice, flag, glob, listOf, type Ports, parsePorts, ports } from '../types.js';

const PASSWD = 'etc/passwd';

interface RootUser {
  readonly user: string;
  /**
   * Where the user ID comes from: the setting itself, or the image's own passwd; `unset` if the config has no user. The
   * others are users that an engine refuses or takes for another one.
   */
  readonly by:
    | 'unset'
    | 'number'
    | 'name'
    | 'passwd'
    | 'out-of-range'
    | 'passwd-out-of-range'
    | 'not-in-passwd'
    | 'not-a-number';
}

export const userNotRoot = defineRule({
  code: 'user-not-root',
  subject: 'config',
  severity: 'error',
  what: 'The user of the image is not root: not by name, not by number, and not by a name that has user ID 0 in the image’s own /etc/passwd.',
  why: 'A process that runs as root in a container is root for the kernel too. If it escapes from the container, it has the rights of root on the host, and it can write to all mounted volumes.',
  mend: 'Create a user in the last stage and set it: `RUN adduser -D -u 10001 app` (Alpine) or `RUN useradd -u 10001 app` (Debian), then `USER 10001`. Kubernetes can tell that a user is not root (runAsNonRoot) only by a number: `numeric: true` asks for one.',
  example: 'user-not-root: on\n# or, for runAsNonRoot of Kubernetes\nuser-not-root:\n  numeric: true',
  options: { numeric: option(flag, 'the user is a number, as runAsNonRoot of Kubernetes needs it', false) },
  needs: (_, images) => needsForUser(images),
  *image(subject, { numeric }) {
    const { user } = subject.run;
    const name = userOf(user);
    const by = rootBy(subject, name) ?? (numeric && !/^\d+$/.test(name) ? 'not-a-number' : null);
    if (by === null) return;
    const place = { at: subject.configPlace('User'), instruction: subject.lastInstruction('USER') };
    if (by === 'unknown') {
      const reason = `the user ${JSON.stringify(name)} cannot be looked up in /etc/passwd: ${subject.unread ?? 'the file could not be read'}`;
      yield { unchecked: reason, ...place };
    } else yield { data: { user, by }, ...place };
  },
  message: ({ user, by }: RootUser) => USER_TEXTS[by](JSON.stringify(user)),
  remedy: ({ by }) =>
    by === 'not-a-number'
      ? 'USER with the number of that user, such as USER 10001'
      : 'create a user, and set `USER 10001` in the last stage',
});

/** USER takes a group too: `app:app`, `10001:0`. */
const userOf = (user: string): string => user.split(':')[0]!;

/** As engines parse a user ID, with a sign or without. https://pkg.go.dev/strconv#Atoi */
const NUMBER = /^[+-]?\d+$/;
const LARGEST_USER_ID = 2 ** 31 - 1;

const isName = (user: string): boolean => user !== '' && user !== 'root' && !NUMBER.test(user);

const USER_TEXTS: Readonly<Record<RootUser['by'], (user: string) => string>> = {
  unset: () => 'it runs as root: no USER is set',
  number: user => `it runs as root: the user is ${user}`,
  name: user => `it runs as root: the user is ${user}`,
  passwd: user => `it runs as root: the user is ${user}, which has user ID 0 in the image's /etc/passwd`,
  'out-of-range': user =>
    `the user is ${user}, expected a number up to ${LARGEST_USER_ID}: engines refuse it, or run it as root (CVE-2024-40635)`,
  'passwd-out-of-range': user =>
    `the user is ${user}, whose user ID in the image's /etc/passwd is negative or above ${LARGEST_USER_ID}: engines keep 32 bits of it, which can be those of root`,
  'not-in-passwd': user =>
    `the user is ${user}, which is not in the image's /etc/passwd: containers do not start`,
  'not-a-number': user => `the user is ${user}, and a number is required (runAsNonRoot of Kubernetes)`,
};

/** Only a name has to be looked up. */
export const needsForUser = (images: readonly Image[] | null): Needs =>
  images?.some(({ config }) => isName(userOf(config?.parsed?.run.user ?? ''))) === false
    ? {}
    : { files: true, contents: { keep: [`/${PASSWD}`] } };

/** Whether an image runs as root, or may: by an engine that wraps user IDs, or if its passwd cannot be read. */
export function mayBeRoot(subject: ImageSubject): boolean {
  const by = rootBy(subject, userOf(subject.run.user));
  return by !== null && by !== 'not-in-passwd';
}

/**
 * Whether a user is root, or none that the image has; `unknown` where its passwd cannot be read, null where it is
 * another.
 */
function rootBy(subject: ImageSubject, user: string): RootUser['by'] | 'unknown' | null {
  if (user === '') return 'unset';
  if (NUMBER.test(user)) return numberedBy(Number(user));
  if (user === 'root') return 'name';
  // A layer that cannot be read may replace the passwd of the layers below it.
  if (subject.unread !== null) return 'unknown';
  const passwd = subject.content(PASSWD);
  if (passwd === null && subject.unpacked.tree.get(PASSWD) !== null) return 'unknown';
  const id = userIdIn(bytesText(passwd ?? new Uint8Array()), bytesText(Buffer.from(user)));
  if (id === null) return 'not-in-passwd';
  if (isOutOfRange(id)) return 'passwd-out-of-range';
  return id === 0 ? 'passwd' : null;
}

/** Bytes, one per character. Hazard: decoded as UTF-8, two names become one, and a byte order mark disappears. */
const bytesText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function numberedBy(id: number): 'number' | 'out-of-range' | null {
  if (id === 0) return 'number';
  return isOutOfRange(id) ? 'out-of-range' : null;
}

/** Engines check the range of a number in the config only, and give its lowest 32 bits to the kernel. */
const isOutOfRange = (id: number): boolean => id < 0 || id > LARGEST_USER_ID;

/**
 * The user ID of the first line of a passwd that has the name; null if there is none. As engines read it: space around
 * a line does not count, and an ID that is missing or not a decimal number is 0.
 * https://pkg.go.dev/github.com/moby/sys/user#ParsePasswdFilter
 *
 * @param passwd, name  bytes, one per character
 */
function userIdIn(passwd: string, name: string): number | null {
  const entry = passwd
    .split('\n')
    .map(line => trimSpace(line).split(':'))
    .find(([first]) => first === name);
  if (entry === undefined) return null;
  const id = entry[2] ?? '';
  return NUMBER.test(id) ? Number(id) : 0;
}

export const healthcheck = defineRule({
  code: 'healthcheck',
  subject: 'config',
  severity: 'error',
  what: 'The image has a HEALTHCHECK, or has none.',
  why: 'Docker and Swarm can find an unhealthy container only if the image has a HEALTHCHECK. Kubernetes ignores it, so a team may forbid it.',
  mend: 'HEALTHCHECK CMD …, with a command that the image has (most small images have no curl). `HEALTHCHECK NONE` removes the one of the base image.',
  example: 'healthcheck: required',
  options: {
    wanted: option(choice('required', 'forbidden'), 'whether there has to be one', 'required' as const),
  },
  main: 'wanted',
  *image(subject, { wanted }) {
    const test = subject.run.healthcheck;
    if ((test !== null) === (wanted === 'required')) return;
    yield {
      data: { wanted, test },
      at: subject.configPlace('Healthcheck'),
      instruction: subject.lastInstruction('HEALTHCHECK'),
    };
  },
  message: ({ test }: { readonly wanted: string; readonly test: readonly string[] | null }) =>
    test === null ? 'it has no HEALTHCHECK' : `it has a HEALTHCHECK: ${test.join(' ')}`,
  remedy: ({ wanted }) => (wanted === 'required' ? 'HEALTHCHECK CMD …' : 'HEALTHCHECK NONE'),
});

interface PortBreach {
  readonly port: string;
  readonly allowed: readonly string[];
  readonly problem: 'not-allowed' | 'missing' | 'invalid';
}

const portsList = listOf(ports, 'a list of ports such as [8080, 53/udp]');

export const exposedPorts = defineRule({
  code: 'exposed-ports',
  subject: 'config',
  severity: 'error',
  what: 'The image exposes only these ports, and all of those that are required.',
  why: '`docker run -P` publishes these ports, and users read them as the interface of the image. Ports such as 22 (SSH) or 2375 (the Docker API) are a risk.',
  mend: 'Remove the EXPOSE. A port that the base image exposes cannot be removed: use another base, or build from scratch with COPY --from.',
  example: 'exposed-ports: [8080/tcp]\n# or\nexposed-ports:\n  allowed: [8000-8999]\n  required: [8080]',
  options: {
    allowed: option(portsList, 'ports that may be exposed; none where it is left out', []),
    required: option(portsList, 'ports that have to be exposed', []),
  },
  main: 'allowed',
  problem: ({ allowed, required }) => {
    const never = required.find(port => allowed.length > 0 && !allowed.some(some => isWithin(port, some)));
    return never === undefined
      ? null
      : `port ${ports.write(never)} is required and is not among those allowed`;
  },
  *image(subject, { allowed, required }) {
    const place = { at: subject.configPlace('ExposedPorts') };
    const instruction = subject.lastInstruction('EXPOSE');
    const texts = allowed.map(port => ports.write(port));
    const breach = (port: string, problem: PortBreach['problem']) => ({
      ...place,
      instruction,
      key: port,
      data: { port, allowed: texts, problem },
    });
    const exposed = subject.run.exposedPorts.map(text => ({ text, port: parsePorts(text) }));
    const permitted = [...allowed, ...required];
    for (const { text, port } of exposed) {
      if (port === null) yield breach(text, 'invalid');
      else if (!permitted.some(some => isWithin(port, some))) yield breach(text, 'not-allowed');
    }
    for (const port of required)
      if (!exposed.some(one => one.port !== null && isWithin(port, one.port)))
        yield breach(ports.write(port), 'missing');
  },
  message: ({ port, allowed, problem }: PortBreach) => {
    if (problem === 'missing') return `it does not expose ${port}, which is required`;
    if (problem === 'invalid') return `it exposes ${JSON.stringify(port)}, which is no port`;
    return `it exposes ${port}, ${allowed.length === 0 ? 'none is allowed' : `allowed are ${allowed.join(', ')}`}`;
  },
  remedy: ({ port, problem }) =>
    problem === 'missing' ? `EXPOSE ${port}` : `remove EXPOSE ${port}, or use a base image without it`,
});

const isWithin = (port: Ports, outer: Ports) =>
  port.protocol === outer.protocol && port.from >= outer.from && port.to <= outer.to;

type StartProblem = 'nothing' | 'no-entrypoint' | 'no-cmd' | 'shell-form';

export const startCommand = defineRule({
  code: 'start-command',
  subject: 'config',
  severity: 'error',
  what: 'The image has an ENTRYPOINT or a CMD.',
  why: 'An image without both starts only if the command is given ("No command specified"). In the shell form a shell starts the process and does not forward SIGTERM, so the process is killed after the grace period.',
  mend: 'Set ENTRYPOINT ["/app"], in the exec form (a JSON list), in the last stage.',
  example: 'start-command: on\n# or\nstart-command:\n  wanted: entrypoint\n  shell-form: forbidden',
  options: {
    wanted: option(choice('either', 'entrypoint', 'cmd', 'both'), 'which of the two', 'either' as const),
    'shell-form': option(
      choice('allowed', 'forbidden'),
      'whether it may be run by a shell (`CMD app` instead of `CMD ["app"]`)',
      'allowed' as const,
    ),
  },
  main: 'wanted',
  *image(subject, options) {
    const { entrypoint, cmd } = subject.run;
    const problem = startProblem(entrypoint.length > 0, cmd.length > 0, options.wanted);
    const at = subject.configPlace();
    if (problem !== null) yield { data: { problem, command: '' }, at };
    const [program = '', option] = entrypoint.length > 0 ? entrypoint : cmd;
    const isShell = /^(?:\/bin\/)?(?:ba|da|a)?sh$/.test(program) && option === '-c';
    if (options['shell-form'] === 'forbidden' && isShell) {
      const which = entrypoint.length > 0 ? 'ENTRYPOINT' : 'CMD';
      const data = {
        problem: 'shell-form' as const,
        command: (entrypoint.length > 0 ? entrypoint : cmd).join(' '),
      };
      yield { data, at, instruction: subject.lastInstruction(which), key: 'shell-form' };
    }
  },
  message: ({ problem, command }: { readonly problem: StartProblem; readonly command: string }) =>
    problem === 'shell-form' ? `it is started by a shell: ${command}` : START_TEXTS[problem],
  remedy: ({ problem }) =>
    problem === 'no-cmd' ? 'CMD ["…"] in the last stage' : 'ENTRYPOINT ["/app"], as a list of words',
});

const START_TEXTS: Readonly<Record<Exclude<StartProblem, 'shell-form'>, string>> = {
  nothing: 'it does not say what to run: neither ENTRYPOINT nor CMD is set',
  'no-entrypoint': 'it has no ENTRYPOINT',
  'no-cmd': 'it has no CMD',
};

function startProblem(
  hasEntrypoint: boolean,
  hasCmd: boolean,
  wanted: 'either' | 'entrypoint' | 'cmd' | 'both',
): Exclude<StartProblem, 'shell-form'> | null {
  if (wanted === 'either') return hasEntrypoint || hasCmd ? null : 'nothing';
  if (wanted !== 'cmd' && !hasEntrypoint) return 'no-entrypoint';
  return wanted !== 'entrypoint' && !hasCmd ? 'no-cmd' : null;
}

export const workingDirectory = defineRule({
  code: 'working-directory',
  subject: 'config',
  severity: 'error',
  what: 'The image has a working directory. It is absolute, and it is one of these.',
  why: 'Without WORKDIR a process starts in /, and files that it writes to relative paths are among the system’s directories.',
  mend: 'WORKDIR /app in the last stage.',
  example: 'working-directory: /app\n# or\nworking-directory:\n  allowed: [/app, "/srv/**"]',
  options: {
    allowed: option(
      listOf(glob('a path or pattern such as /app'), 'a list of paths'),
      'paths or patterns, one of which it matches; any but / where it is left out',
      [] as readonly string[],
    ),
  },
  main: 'allowed',
  *image(subject, { allowed }) {
    const { workingDir } = subject.run;
    const path = rootedPath(Buffer.from(workingDir).toString('latin1'));
    const isAllowed =
      allowed.length === 0
        ? path !== ''
        : allowed.some(one => (one === '/' ? path === '' : pathFilter([one])(nameText(path))));
    if (workingDir.startsWith('/') && isAllowed) return;
    yield {
      data: { workingDir, allowed },
      at: subject.configPlace('WorkingDir'),
      instruction: subject.lastInstruction('WORKDIR'),
    };
  },
  message: ({
    workingDir,
    allowed,
  }: {
    readonly workingDir: string;
    readonly allowed: readonly string[];
  }) => {
    const expected = allowed.length === 0 ? 'an absolute path other than /' : allowed.join(' or ');
    const found = workingDir === '' ? 'none' : JSON.stringify(workingDir);
    return `the working directory: expected ${expected}, found ${found}`;
  },
  remedy: ({ allowed }) => `WORKDIR ${allowed[0] ?? '/app'} in the last stage`,
});

export const volumes = defineRule({
  code: 'volumes',
  subject: 'config',
  severity: 'error',
  what: 'The image declares only these volumes.',
  why: 'For a VOLUME the engine creates an anonymous volume with each container, which stays when the container is removed. Some builders discard what later instructions write there.',
  mend: 'Remove the VOLUME, and mount a volume when the container is started. A volume that the base image declares cannot be removed: use another base.',
  example: 'volumes: []\n# or\nvolumes: [/var/lib/postgresql/data]',
  options: {
    allowed: option(
      listOf(glob('a path or pattern such as /data'), 'a list of paths'),
      'paths or patterns of volumes; none where it is left out',
      [] as readonly string[],
    ),
  },
  main: 'allowed',
  *image(subject, { allowed }) {
    const isAllowed = allowed.length === 0 ? () => false : pathFilter(allowed);
    for (const volume of subject.run.volumes) {
      // A path such as /data/../etc is another one than it seems.
      if (isAllowed(nameText(rootedPath(Buffer.from(volume).toString('latin1'))))) continue;
      yield {
        data: { volume, allowed },
        at: subject.configPlace('Volumes'),
        instruction: subject.lastInstruction('VOLUME'),
        key: volume,
      };
    }
  },
  message: ({ volume, allowed }: { readonly volume: string; readonly allowed: readonly string[] }) =>
    `it declares the volume ${JSON.stringify(volume)}, ${allowed.length === 0 ? 'none is allowed' : `allowed are ${allowed.join(', ')}`}`,
  remedy: ({ volume }) => `remove VOLUME ${volume}, and mount it where the container is run`,
});

export const configRules = [userNotRoot, startCommand, healthcheck, exposedPorts, workingDirectory, volumes];
