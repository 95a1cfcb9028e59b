// The engines as readers of one archive: every way in which each can open it.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../support/digest.js';
import { hasEngine, type Ran, run, runEngine } from './command.js';
import {
  firstParts,
  inDir,
  inLayout,
  inStorage,
  type Loaded,
  type ManifestParts,
  plainParts,
} from './loaded.js';

/** One attempt of one engine. */
export interface Attempt {
  /** Engine and transport, and the requested image. */
  readonly reader: string;
  /** The requested name; null if there was none. */
  readonly asked: string | null;
  readonly loaded: readonly Loaded[];
  /** The end of the engine's error output if it failed. */
  readonly refusal: string | null;
}

interface Subject {
  readonly path: string;
  /** A directory for the output of this archive's readers. */
  readonly work: string;
}

export interface Reader {
  readonly name: string;
  readonly command: string;
  readonly attempts: (subject: Subject) => Promise<Attempt[]>;
}

/** Names and numbers with which an image may be requested. */
const DOCKER_REFERENCES = ['', ':@0', ':@1', ':app:1', ':evil:1'];
const OCI_REFERENCES = ['', ':1', ':app:1', ':docker.io/library/app:1', ':evil', ':both'];

/** skopeo's error if an image must be named. */
const SEVERAL = /more than one image|expected 1 item/;

/** Without times and messages about the machine. */
const wordsOf = ({ stderr }: Ran): string =>
  stderr
    .split('\n')
    .filter(line => !line.includes('level=warning'))
    .map(line => line.replace(/^time="[^"]*" level=\w+ /, ''))
    .join('\n');

/** A policy that accepts every image, so that the machine's policy has no effect. */
function policyIn(work: string): string {
  const path = join(work, 'policy.json');
  writeFileSync(path, '{"default":[{"type":"insecureAcceptAnything"}]}');
  return path;
}

async function copied(transport: string, reference: string, { path, work }: Subject): Promise<Attempt> {
  const source = `${transport}:${path}${reference}`;
  const asked = /^:[^@]/.test(reference) ? reference.slice(1) : null;
  const head = { reader: `skopeo ${transport}${reference}`, asked };
  const out = join(work, 'out');
  rmSync(out, { recursive: true, force: true });
  const ran = await runEngine('skopeo', ['--policy', policyIn(work), 'copy', '-q', source, `dir:${out}`]);
  if (ran.status !== 0) return { ...head, loaded: [], refusal: wordsOf(ran) };
  return {
    ...head,
    loaded: [inDir(out, await partsOf(`dir:${out}`, join(out, 'manifest.json')))],
    refusal: null,
  };
}

async function skopeo(
  subject: Subject,
  transport: string,
  references: readonly string[],
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const reference of references) {
    const attempt = await copied(transport, reference, subject);
    attempts.push(attempt);
    // With one image, or none, a name does not change the result.
    if (reference === '' && !SEVERAL.test(attempt.refusal ?? '')) break;
  }
  return attempts;
}

/** The parts of a manifest; if its keys are ambiguous, the engine reads it, and its interpretation counts. */
async function partsOf(source: string, file: string): Promise<ManifestParts> {
  const text = readFileSync(file, 'utf8');
  const plain = plainParts(text);
  if (plain !== null) return plain;
  const [config, layers] = await Promise.all([
    runEngine('skopeo', ['inspect', '--config', '--raw', source]),
    runEngine('skopeo', ['inspect', '--no-tags', source]),
  ]);
  // umoci reads the first value; skopeo refuses text after it.
  if (config.status !== 0 || layers.status !== 0) return firstParts(text) ?? NO_PARTS;
  const { Layers } = JSON.parse(layers.stdout) as { readonly Layers?: readonly string[] };
  return { config: digestOf(config.stdout), layers: Layers ?? [] };
}

const NO_PARTS: ManifestParts = { config: 'sha256:unknown', layers: [] };

const isDirectory = (path: string) => statSync(path).isDirectory();

async function podman({ path, work }: Subject): Promise<Attempt[]> {
  const [root, runRoot] = [join(work, 'root'), join(work, 'run')];
  const storage = [
    '--root',
    root,
    '--runroot',
    runRoot,
    '--storage-driver',
    'vfs',
    '--events-backend',
    'none',
  ];
  const load = ['load', '-q', '--signature-policy', policyIn(work), '-i', path];
  const ran = await runEngine('podman', [...storage, '--cgroup-manager', 'cgroupfs', ...load]);
  const loaded = inStorage(root);
  rmSync(root, { recursive: true, force: true });
  return [{ reader: 'podman', asked: null, loaded, refusal: ran.status === 0 ? null : wordsOf(ran) }];
}

interface Walk {
  readonly from_descriptor_path: { readonly descriptor_walk: readonly { readonly digest: string }[] };
}

async function unpacked(folder: string, name: string, work: string): Promise<Attempt> {
  const bundle = join(work, 'bundle');
  rmSync(bundle, { recursive: true, force: true });
  const ran = await runEngine('umoci', ['unpack', '--image', `${folder}:${name}`, bundle]);
  const head = { reader: `umoci ${name}`, asked: name };
  if (ran.status !== 0) return { ...head, loaded: [], refusal: wordsOf(ran) };
  const { from_descriptor_path: path } = JSON.parse(readFileSync(join(bundle, 'umoci.json'), 'utf8')) as Walk;
  const digest = path.descriptor_walk.at(-1)!.digest;
  const parts = await partsOf(`oci:${folder}:${name}`, join(folder, 'blobs', ...digest.split(':')));
  const image = inLayout(folder, digest, parts);
  const who = join(bundle, 'rootfs/who');
  const says = existsSync(who) ? readFileSync(who, 'latin1').trim() : '';
  return { ...head, loaded: [{ ...image, who: says }], refusal: null };
}

/** A directory as it is; a tar as GNU tar unpacks it, as users of umoci do. */
async function umoci({ path, work }: Subject): Promise<Attempt[]> {
  const folder = isDirectory(path) ? path : join(work, 'extracted');
  if (folder !== path) {
    mkdirSync(folder, { recursive: true });
    const { status, stderr } = await run('tar', ['-xf', path, '-C', folder]);
    if (status !== 0)
      return [{ reader: 'umoci', asked: null, loaded: [], refusal: `tar: ${stderr.split('\n')[0]}` }];
  }
  const { stdout, status, stderr } = await runEngine('umoci', ['ls', '--layout', folder]);
  if (status !== 0)
    return [{ reader: 'umoci', asked: null, loaded: [], refusal: stderr.split('\n').at(-1) ?? '' }];
  const names = stdout.split('\n').filter(name => name !== '');
  const attempts: Attempt[] = [];
  for (const name of new Set(names)) attempts.push(await unpacked(folder, name, work));
  return attempts;
}

export const READERS: readonly Reader[] = [
  {
    name: 'skopeo',
    command: 'skopeo',
    attempts: async subject => {
      if (isDirectory(subject.path))
        return [...(await skopeo(subject, 'oci', OCI_REFERENCES)), ...(await skopeo(subject, 'dir', ['']))];
      return [
        ...(await skopeo(subject, 'docker-archive', DOCKER_REFERENCES)),
        ...(await skopeo(subject, 'oci-archive', OCI_REFERENCES)),
      ];
    },
  },
  { name: 'podman', command: 'podman', attempts: podman },
  { name: 'umoci', command: 'umoci', attempts: umoci },
];

const isRoot = process.getuid?.() === 0;

/** podman and umoci set the owners of files, which requires root. */
export const readersHere = (): readonly Reader[] =>
  READERS.filter(({ command }) => hasEngine(command) && (isRoot || command === 'skopeo'));

/** The attempts of all engines for an archive. */
export async function readAll(path: string, work: string, readers: readonly Reader[]): Promise<Attempt[]> {
  mkdirSync(work, { recursive: true });
  const attempts: Attempt[] = [];
  for (const reader of readers) attempts.push(...(await reader.attempts({ path, work })));
  rmSync(work, { recursive: true, force: true });
  return attempts;
}
