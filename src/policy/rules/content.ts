import { isLiteralPattern, pathFilter } from '../../containers/path-filter.js';
import { nameText } from '../../scan/entries/name.js';
import type { Entry, EntryType } from '../../scan/entries/table.js';
import { type Capabilities, parseCapabilities } from '../capabilities.js';
import {
  type Extent,
  fileOf,
  goneText,
  type ImageFile,
  imageFiles,
  linkedFiles,
  linkText,
  lstat,
  overlinkedFile,
  stat,
} from '../image-files.js';
import {
  conditionFilter,
  type Deviation,
  deviationsOf,
  deviationText,
  isUnconditional,
  keptFor,
  modeText,
  type PathCondition,
  pathCondition,
} from '../path-condition.js';
import { type Breach, defineRule, option } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { choice, flag, glob, listOf, textLike } from '../types.js';

const extent = option(
  choice('image', 'layers'),
  '`image`: files that can be seen in the image; `layers`: also those that a later layer deletes or replaces',
  'image' as Extent,
);

const allowedPaths = option(
  listOf(glob('a path or pattern such as /usr/bin/ping'), 'a list of paths'),
  'paths that may be so: paths or patterns, with all that lies below them',
  [] as readonly string[],
);

const files = () => ({ files: true });

/** Where a file is, for a finding. */
const placeOf = ({ path, layer, gone, link }: ImageFile) => ({
  path,
  layer,
  // The same path may be hidden in several layers.
  key: gone !== null ? 'hidden' : link === null ? '' : `link ${link}`,
});

/** Why some files may be missing from what was looked at. */
function* unknownFiles(subject: ImageSubject): Generator<Breach<never>> {
  if (subject.unread !== null) yield { unchecked: `not all of its files are known: ${subject.unread}` };
  const path = overlinkedFile(subject);
  if (path !== null)
    yield { unchecked: `hard links give /${path} too many different modes and owners`, path, key: 'links' };
}

/** A description of a file: its type, its mode, its owner. */
interface FileFacts {
  readonly path: string;
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly gone: ImageFile['gone'];
  /** The hard link whose entry says so; null for the file's own entry. */
  readonly link: string | null;
}

function factsOf(file: ImageFile): FileFacts {
  const { path, type, mode, gone, entry, link } = file;
  return { path, type, mode, uid: entry.uid, gid: entry.gid, gone, link };
}

const SETUID = 0o4000;
const SETGID = 0o2000;

/**
 * Programs that base images of distributions ship with setuid or setgid: of util-linux, shadow, PAM, OpenSSH, D-Bus,
 * cron, iputils and BusyBox. sudo, doas and pkexec are none of them: an image has those because its Dockerfile installs
 * them.
 */
const DISTRIBUTED: readonly string[] = [
  '/{,usr/}{bin,sbin}/{su,mount,umount,passwd,chsh,chfn,chage,gpasswd,newgrp,sg,expiry,newuidmap,newgidmap,wall,write,bsd-write}',
  '/{,usr/}{bin,sbin}/{ping,ping6,fusermount,fusermount3,crontab,ssh-agent,unix_chkpwd,pam_extrausers_chkpwd,pam_timestamp_check,bbsuid,utempter,grub2-set-bootflag}',
  '/usr/{lib,libexec,lib64}/{openssh,ssh}/ssh-keysign',
  '/usr/{lib,libexec}/{dbus-1,dbus-1.0,dbus-daemon-launch-helper}/dbus-daemon-launch-helper',
  '/usr/{lib,libexec}/{utempter/utempter,dbus-daemon-launch-helper,ssh-keysign}',
];

export const setuidFiles = defineRule({
  code: 'setuid-files',
  subject: 'content',
  severity: 'error',
  what: 'No file has the setuid or setgid bit, except those of this list and those that distributions ship.',
  why: 'A setuid program runs as its owner, usually root, for every user. A vulnerability in it lets the user of the image become root. A hard link to such a file counts as one more, and the mode in the entry of a hard link counts for its file: Docker, containerd and podman set it there.',
  mend: '`chmod a-s FILE` in the RUN that installs it, or do not install it; start the container with no-new-privileges (`--security-opt no-new-privileges`, `allowPrivilegeEscalation: false`).',
  example:
    'setuid-files: [/usr/bin/ping]\n# or, with none at all and also those that were deleted later\nsetuid-files:\n  distribution: false\n  in: layers',
  options: {
    allowed: allowedPaths,
    distribution: option(
      flag,
      'whether su, passwd, mount and the others that base images ship are allowed too',
      true,
    ),
    in: extent,
  },
  main: 'allowed',
  needs: files,
  *image(subject, { allowed, distribution, in: where }) {
    yield* unknownFiles(subject);
    const isAllowed = pathFilter([...allowed, ...(distribution ? DISTRIBUTED : [])]);
    for (const file of subject.unusualFiles(where)) {
      if ((file.mode & (SETUID | SETGID)) === 0 || (file.type !== 'file' && file.type !== 'hardlink'))
        continue;
      if (!isAllowed(file.path)) yield { data: factsOf(file), ...placeOf(file) };
    }
  },
  message: (data: FileFacts) =>
    `/${data.path} is ${specialBits(data)} (mode ${modeText(data.mode)})${linkText(data)}${goneText(data)}`,
  remedy: ({ path, gone }) =>
    gone === null
      ? `chmod a-s /${path} in the RUN that installs it, or leave it out`
      : 'delete it in the RUN that makes it',
});

/** `setuid root`, `setuid 1000 and setgid 12`. */
export function specialBits({ mode, uid, gid }: Pick<FileFacts, 'mode' | 'uid' | 'gid'>): string {
  const nameOf = (id: number) => (id === 0 ? 'root' : String(id));
  return [
    ...((mode & SETUID) === 0 ? [] : [`setuid ${nameOf(uid)}`]),
    ...((mode & SETGID) === 0 ? [] : [`setgid ${nameOf(gid)}`]),
  ].join(' and ');
}

interface CapabilityBreach {
  readonly path: string;
  /** null where the attribute is not one that Linux takes. */
  readonly capabilities: Capabilities | null;
  readonly beyond: readonly string[];
  readonly allowed: readonly string[];
  readonly gone: ImageFile['gone'];
  readonly link: string | null;
}

/** Without its prefix, in lower case. */
const capabilityName = (text: string) => text.toLowerCase().replace(/^cap_/, '');

export const fileCapabilities = defineRule({
  code: 'file-capabilities',
  subject: 'content',
  severity: 'error',
  what: 'No file has capabilities (the extended attribute security.capability), except those of this list.',
  why: 'A program with file capabilities gets powers of root when any user starts it: with cap_setuid, cap_dac_override or cap_sys_admin it is as good as setuid root, and `ls -l` does not show it.',
  mend: '`setcap -r FILE` in the RUN that sets them, or leave the package out.',
  example:
    'file-capabilities: [net_bind_service]\n# or, any for some files\nfile-capabilities:\n  allowed: []\n  paths: [/usr/bin/newuidmap]',
  options: {
    allowed: option(
      listOf(textLike('a capability such as net_bind_service'), 'a list of capabilities'),
      'capabilities that any file may have, with or without cap_',
      ['net_bind_service', 'net_raw'] as readonly string[],
    ),
    paths: option(
      listOf(glob('a path or pattern such as /usr/bin/newuidmap'), 'a list of paths'),
      'files that may have any',
      [] as readonly string[],
    ),
    in: extent,
  },
  main: 'allowed',
  needs: files,
  *image(subject, { allowed, paths, in: where }) {
    yield* unknownFiles(subject);
    const names = new Set(allowed.map(capabilityName));
    const isExempt = paths.length === 0 ? () => false : pathFilter(paths);
    for (const file of subject.unusualFiles(where)) {
      const value = file.hasDetails ? capabilityAttribute(file.entry) : undefined;
      if (value === undefined || isExempt(file.path)) continue;
      const capabilities = parseCapabilities(value);
      const beyond = [...(capabilities?.permitted ?? []), ...(capabilities?.inheritable ?? [])].filter(
        name => !names.has(name),
      );
      if (capabilities !== null && beyond.length === 0) continue;
      const { path, gone, link } = file;
      const data = { path, capabilities, beyond: [...new Set(beyond)], allowed: [...names], gone, link };
      yield { data, ...placeOf(file) };
    }
  },
  message: (data: CapabilityBreach) => {
    const { path, capabilities, beyond, allowed } = data;
    if (capabilities === null)
      return `/${path} has an attribute security.capability that Linux does not read${linkText(data)}${goneText(data)}`;
    const expected = allowed.length === 0 ? 'none' : allowed.map(name => `cap_${name}`).join(', ');
    return `/${path} has ${beyond.map(name => `cap_${name}`).join(', ')}, allowed ${allowed.length === 1 ? 'is' : 'are'} ${expected}${linkText(data)}${goneText(data)}`;
  },
  remedy: ({ path }) => `setcap -r /${path} in the RUN that sets them, or leave the file out`,
});

const capabilityAttribute = ({ xattrs }: Entry): Uint8Array | undefined =>
  xattrs.find(({ name }) => name === 'security.capability')?.value;

const STICKY = 0o1000;
const OTHERS_WRITE = 0o002;

export const worldWritable = defineRule({
  code: 'world-writable',
  subject: 'content',
  severity: 'error',
  what: 'No file and no directory can be written by all users, except directories with the sticky bit (such as /tmp).',
  why: 'Each process in the container can replace such a file, as whatever user it runs: a program, a library, or a configuration that root reads.',
  mend: '`chmod o-w` in the RUN that makes it, `COPY --chmod=755`, or `chown` to the user of the image. For a directory to which all users have to write: `chmod 1777`.',
  example: 'world-writable: [/var/cache/app]',
  options: { allowed: allowedPaths, in: extent },
  main: 'allowed',
  needs: files,
  *image(subject, { allowed, in: where }) {
    yield* unknownFiles(subject);
    const isAllowed = allowed.length === 0 ? () => false : pathFilter(allowed);
    for (const file of subject.unusualFiles(where)) {
      const { mode, type } = file;
      const isPlain = type === 'file' || type === 'directory' || type === 'hardlink';
      if ((mode & OTHERS_WRITE) === 0 || !isPlain || (type === 'directory' && (mode & STICKY) !== 0))
        continue;
      if (!isAllowed(file.path)) yield { data: factsOf(file), ...placeOf(file) };
    }
  },
  message: (data: FileFacts) =>
    `/${data.path} can be written by any user (${data.type === 'directory' ? 'a directory without the sticky bit, ' : ''}mode ${modeText(data.mode)})${linkText(data)}${goneText(data)}`,
  remedy: ({ path, type, mode }) =>
    type === 'directory'
      ? `chmod ${modeText(mode & ~OTHERS_WRITE)} /${path}, or ${modeText(mode | STICKY)} where all have to write to it`
      : `chmod ${modeText(mode & ~OTHERS_WRITE)} /${path}, or COPY --chmod`,
});

interface DeviceBreach extends FileFacts {
  readonly major: number;
  readonly minor: number;
}

/**
 * The devices of a container's own /dev, which a runtime mounts over that of the image. Runtime spec, config-linux.md,
 * "Default Devices".
 */
const DEFAULT_DEVICES: ReadonlyMap<string, readonly [major: number, minor: number]> = new Map([
  ['dev/console', [5, 1]],
  ['dev/full', [1, 7]],
  ['dev/null', [1, 3]],
  ['dev/ptmx', [5, 2]],
  ['dev/random', [1, 8]],
  ['dev/tty', [5, 0]],
  ['dev/urandom', [1, 9]],
  ['dev/zero', [1, 5]],
]);

export const deviceNodes = defineRule({
  code: 'device-nodes',
  subject: 'content',
  severity: 'error',
  what: 'No layer has a device node, except the usual ones in /dev with their own numbers (null, zero, random, tty …).',
  why: 'A device node gives access to a device of the host: if the container is allowed to use the device, a node of /dev/sda reads the host’s disk. Rootless engines cannot create device nodes and refuse the layer.',
  mend: 'Delete it in the RUN that makes it. Give the container the device with --device.',
  example: 'device-nodes: on\n# or\ndevice-nodes:\n  allowed: [/dev/fuse]\n  usual: false',
  options: {
    allowed: allowedPaths,
    usual: option(flag, 'whether those of any /dev are allowed, with their own numbers', true),
    in: extent,
  },
  main: 'allowed',
  needs: files,
  *image(subject, { allowed, usual, in: where }) {
    yield* unknownFiles(subject);
    const isAllowed = allowed.length === 0 ? () => false : pathFilter(allowed);
    for (const file of subject.unusualFiles(where)) {
      if (file.type !== 'char' && file.type !== 'block') continue;
      const { path, type } = file;
      const { major, minor } = file.entry.device ?? { major: 0, minor: 0 };
      const [ownMajor, ownMinor] = DEFAULT_DEVICES.get(path) ?? [];
      const isUsual = usual && type === 'char' && major === ownMajor && minor === ownMinor;
      if (!isUsual && !isAllowed(path)) yield { data: { ...factsOf(file), major, minor }, ...placeOf(file) };
    }
  },
  message: (data: DeviceBreach) =>
    `/${data.path} is a ${data.type === 'char' ? 'character' : 'block'} device (${data.major}:${data.minor})${goneText(data)}`,
  remedy: ({ path }) => `rm /${path} in the RUN that makes it`,
});

const conditions = listOf(pathCondition, 'a list of paths');
const noConditions: readonly PathCondition[] = [];
const conditionsProblem = ({ paths }: { readonly paths: readonly PathCondition[] }) =>
  paths.length === 0 ? 'no path is named: expected a list of paths' : null;

interface ForbiddenPath {
  readonly path: string;
  /** The pattern. */
  readonly forbidden: string;
  /** Files and directories below it. */
  readonly below: number;
  readonly gone: ImageFile['gone'];
}

export const pathsForbidden = defineRule({
  code: 'paths-forbidden',
  subject: 'content',
  severity: 'error',
  what: 'None of these paths exists in the image, or none with this type, mode, owner or content.',
  why: 'COPY . copies .git, .env, test data and editor files too. A file that a later layer deletes is still in the image.',
  mend: 'List the path in .dockerignore, or delete it in the RUN that makes it.',
  example:
    'paths-forbidden: [.git, "*.pem", /root/.ssh]\n# or\npaths-forbidden:\n  in: layers\n  paths:\n    - .env\n    - path: /etc/shadow\n      content: "^root::"',
  options: {
    paths: option(
      conditions,
      'paths or patterns; a mapping asks for type, mode, uid, gid or content (a regular expression) besides',
      noConditions,
    ),
    in: extent,
  },
  main: 'paths',
  problem: conditionsProblem,
  needs: ({ paths }) => ({ files: true, contents: { keep: keptFor(paths) } }),
  *image(subject, { paths, in: where }) {
    yield* unknownFiles(subject);
    const isMeant = pathFilter(paths.map(({ path }) => path));
    const files = [...imageFiles(subject, where)].filter(({ path }) => isMeant(path));
    const isLinked = subject.differingLinks.size > 0 && paths.some(asksForAttributes);
    const linked = isLinked ? subject.unpacked.tree.nodes.flatMap(node => linkedFiles(subject, node)) : [];
    for (const condition of paths) {
      const others = asksForAttributes(condition) ? linked : [];
      yield* forbiddenBy(others.length === 0 ? files : [...files, ...others], condition);
      yield* forbiddenBehindLinks(subject, condition);
    }
  },
  message: (data: ForbiddenPath) =>
    `/${data.path} is forbidden (${data.forbidden})${data.below > 0 ? `, with ${data.below} more below it` : ''}${goneText(data)}`,
  remedy: ({ path, gone }) =>
    gone === null
      ? `list ${path} in .dockerignore, or delete it in the RUN that makes it`
      : `list ${path} in .dockerignore: to delete it later does not take it out of the layer`,
});

/** Finds what links lead to from the path of a condition: a program in the image reads it there. */
function* forbiddenBehindLinks(
  subject: ImageSubject,
  condition: PathCondition,
): Generator<Breach<ForbiddenPath>> {
  const { path: forbidden, type } = condition;
  if (!isLiteralPattern(forbidden)) return;
  const isLinkMeant = type === 'symlink' || isUnconditional(condition);
  const node = isLinkMeant ? lstat(subject, forbidden) : stat(subject, forbidden);
  const file = node === null || node === subject.unpacked.tree.root ? null : fileOf(subject, node);
  if (file === null || pathFilter([forbidden])(file.path)) return;
  const deviations = deviationsOf(file, condition);
  const { path, layer, gone } = file;
  const key = `${forbidden} ${path}`;
  if (deviations === 'unknown') yield { unchecked: notKept(path), path, layer, key };
  else if (deviations.length === 0) yield { data: { path, forbidden, below: 0, gone }, path, layer, key };
}

const notKept = (path: string): string =>
  `the content of /${path} was not kept: it is too large, or a link with another name leads to it`;

/** Whether hard links can make a difference, which give a file another mode and owner. */
const asksForAttributes = ({ mode, uid, gid }: PathCondition) =>
  mode !== null || uid !== null || gid !== null;

/** The files that a condition forbids; a directory stands for all files below it. */
function* forbiddenBy(
  files: readonly ImageFile[],
  condition: PathCondition,
): Generator<Breach<ForbiddenPath>> {
  const isMeant = pathFilter([condition.path]);
  let top: { file: ImageFile; below: number } | null = null;
  const found = ({ file, below }: { file: ImageFile; below: number }): Breach<ForbiddenPath> => {
    const { path, gone } = file;
    const place = placeOf(file);
    return {
      data: { path, forbidden: condition.path, below, gone },
      ...place,
      key: `${condition.path} ${place.key}`,
    };
  };
  for (const file of files) {
    if (!isMeant(file.path)) continue;
    const deviations = deviationsOf(file, condition);
    if (deviations === 'unknown') {
      const { path, layer } = file;
      const key = `${condition.path} ${path}`;
      yield { unchecked: notKept(path), path, layer, key };
    } else if (deviations.length > 0) continue;
    else if (top !== null && isBelow(file, top.file)) top.below++;
    else {
      if (top !== null) yield found(top);
      top = { file, below: 0 };
    }
  }
  if (top !== null) yield found(top);
}

/** Whether a file lies below another, and went with it. */
const isBelow = (file: ImageFile, top: ImageFile): boolean =>
  (file.gone === null) === (top.gone === null) &&
  (file.gone === null || file.layer === top.layer) &&
  file.path.startsWith(`${top.path}/`);

interface RequiredPath {
  /** The pattern. */
  readonly required: string;
  /** null where nothing is there. */
  readonly path: string | null;
  readonly deviations: readonly Deviation[];
}

export const pathsRequired = defineRule({
  code: 'paths-required',
  subject: 'content',
  severity: 'error',
  what: 'Each of these paths exists in the image, with this type, mode, owner and content.',
  why: 'After a COPY from the wrong stage, or with a file that .dockerignore excludes, the build succeeds and the container fails. A key that all users can read leaks.',
  mend: 'Copy the file to the path that the policy names, with COPY --chmod and --chown.',
  example:
    'paths-required: [/app/server, /etc/ssl/certs/ca-certificates.crt]\n# or\npaths-required:\n  paths:\n    - path: /etc/shadow\n      mode: "0640"\n      uid: 0\n    - path: /etc/os-release\n      content: "^ID=debian$"',
  options: {
    paths: option(
      conditions,
      'paths or patterns; of a pattern each match has to be so. Links are followed to what they lead to, unless the type is symlink',
      noConditions,
    ),
  },
  main: 'paths',
  problem: conditionsProblem,
  needs: ({ paths }) => ({ files: true, contents: { keep: keptFor(paths) } }),
  *image(subject, { paths }) {
    // A layer that cannot be read may delete or replace what the layers below it have.
    yield* unknownFiles(subject);
    for (const condition of paths) yield* missingBy(subject, condition);
  },
  message: ({ required, path, deviations }: RequiredPath) =>
    path === null
      ? `nothing is at ${rooted(required)}, which is required`
      : `/${path}: ${deviations.map(deviationText).join('; ')}`,
  remedy: ({ required, path, deviations }) =>
    path === null
      ? `copy it to ${rooted(required)}`
      : deviations.map(deviation => mendText(path, deviation)).join('; '),
});

const rooted = (pattern: string) => (isLiteralPattern(pattern) ? `/${pattern.replace(/^\/+/, '')}` : pattern);

function mendText(path: string, { part, expected }: Deviation): string {
  if (part === 'mode') return `chmod ${expected} /${path}`;
  if (part === 'uid') return `chown ${expected} /${path}`;
  if (part === 'gid') return `chgrp ${expected} /${path}`;
  return part === 'type' ? `make /${path} a ${expected}` : `change what /${path} holds`;
}

function* missingBy(subject: ImageSubject, condition: PathCondition): Generator<Breach<RequiredPath>> {
  const { path: required } = condition;
  const found = isLiteralPattern(required)
    ? namedFile(subject, condition)
    : matchingFiles(subject, condition);
  if (found.length === 0 && subject.unread === null)
    yield { data: { required, path: null, deviations: [] }, key: required };
  for (const file of found) {
    const { path, layer, link } = file;
    const deviations = deviationsOf(file, link === null ? condition : { ...condition, content: null });
    if (deviations === 'unknown') {
      yield { unchecked: notKept(path), path, layer, key: required };
    } else if (deviations.length > 0)
      yield { data: { required, path, deviations }, path, layer, key: required };
  }
}

/** The file at a path, links followed; the link itself if the condition is about a link. */
function namedFile(subject: ImageSubject, { path, type }: PathCondition): ImageFile[] {
  const node = type === 'symlink' ? lstat(subject, path) : stat(subject, path);
  return node === null ? [] : [fileOf(subject, node), ...linkedFiles(subject, node)];
}

function matchingFiles(subject: ImageSubject, condition: PathCondition): ImageFile[] {
  const isMeant = conditionFilter(condition);
  return subject.unpacked.tree.nodes
    .filter(({ path }) => isMeant(nameText(path)))
    .flatMap(node => [fileOf(subject, node), ...linkedFiles(subject, node)]);
}

export const contentRules = [
  setuidFiles,
  fileCapabilities,
  worldWritable,
  deviceNodes,
  pathsForbidden,
  pathsRequired,
];
