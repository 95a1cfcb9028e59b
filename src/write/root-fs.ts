import { InputError, isSystemError, reasonOf } from '../errors.js';
import type { FileTree, Inode, TreeNode } from '../filesystem/file-tree.js';
import type { Limits } from '../limits.js';
import { nameText } from '../scan/entries/name.js';
import type { ContentSink } from '../tar/entry.js';
import { visiblePath } from '../visible.js';
import { type LayerFiles, readLayerFiles } from './layer-files.js';
import {
  type Attributes,
  finishDirectory,
  makeDirectory,
  makeHardLink,
  makeSymbolicLink,
  openNew,
  pathBelow,
} from './root-entry.js';
import { makeSpecialFile } from './special-file.js';
import { isFatal, writing } from './system-error.js';

/** Names that are devices in every directory on Windows, with any extension. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:[ .:]|$)/i;
/** Characters that Windows does not allow in a name or gives another meaning: separators, streams, patterns. */
const SPECIAL = /[\u0000-\u001f\\:*?"<>|]/;

/**
 * The reason why a path would name another file on this system than in an image; null if it names the same.
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 * @param path  relative, with `/` between its segments
 */
export function misnamed(path: string, platform: NodeJS.Platform): string | null {
  if (path.includes('\0')) return 'no file can have its name';
  if (platform !== 'win32') return null;
  const isWrong = path
    .split('/')
    .some(name => SPECIAL.test(name) || DEVICES.test(name) || name.endsWith('.') || name.endsWith(' '));
  return isWrong ? 'Windows would take its name for another one' : null;
}

/** The objects of a file system to write. All paths are bytes, one per character, relative to the root. */
interface RootPlan {
  /** Parents before their children. */
  readonly directories: readonly TreeNode[];
  /** The name under which a file's content is written, for each file. */
  readonly files: ReadonlyMap<Inode, TreeNode>;
  /** Symbolic links, devices and named pipes: objects without content. */
  readonly others: readonly TreeNode[];
  /** Further names, created after everything else. */
  readonly hardLinks: readonly { readonly node: TreeNode; readonly first: TreeNode }[];
  /** Hard links whose target does not exist, and files of types that no engine unpacks. */
  readonly unwritable: readonly TreeNode[];
}

/**
 * Plans the objects to create for the names that are wanted, including their parent directories. A file's content is
 * written under its first wanted name.
 */
function planRoot(tree: FileTree, wanted: (node: TreeNode) => boolean): RootPlan {
  const chosen = tree.nodes.filter(wanted);
  const needed = new Set<TreeNode>();
  for (const node of chosen) addAncestors(tree, node, needed);
  const firsts = new Map<Inode, TreeNode>();
  const others: TreeNode[] = [];
  const hardLinks: { node: TreeNode; first: TreeNode }[] = [];
  const unwritable: TreeNode[] = [];
  for (const node of [...chosen].sort(firstNamesFirst)) {
    const { inode } = node;
    const first = firsts.get(inode);
    if (inode.type === 'directory') needed.add(node);
    else if (inode.type === 'hardlink' || inode.type === 'other') unwritable.push(node);
    else if (first !== undefined) hardLinks.push({ node, first });
    else {
      firsts.set(inode, node);
      if (inode.type !== 'file') others.push(node);
    }
  }
  const files = new Map([...firsts].filter(([{ type }]) => type === 'file'));
  const directories = tree.nodes.filter(node => needed.has(node));
  return { directories, files, others, hardLinks, unwritable };
}

const firstNamesFirst = (a: TreeNode, b: TreeNode) =>
  Number(a.linkedTo !== null) - Number(b.linkedTo !== null);

function addAncestors(tree: FileTree, { path }: TreeNode, needed: Set<TreeNode>): void {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = tree.get(path.slice(0, end))!;
    if (needed.has(above)) return;
    needed.add(above);
  }
}

interface RootOptions extends Attributes {
  /** True to create devices and named pipes too. */
  readonly devices: boolean;
  readonly wanted: (node: TreeNode) => boolean;
  readonly limits: Limits;
  /** Called with the bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

interface RootSource {
  /** The archive's file. */
  readonly archive: string;
  readonly tree: FileTree;
  /** The members that contain the layers, in the order of the image; null for an absent one. */
  readonly layers: readonly (Omit<LayerFiles, 'sinks' | 'drain'> | null)[];
}

export interface RootOutcome {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly specials: number;
  /** Bytes of content written. */
  readonly bytes: number;
  /** Sentences about objects that could not be written, with the reason. */
  readonly lost: readonly string[];
  /** Number of devices and named pipes that were left out, because `--devices` was not given. */
  readonly leftOut: number;
  /** Number of files whose extended attributes were not written: Node has no call for that. */
  readonly withXattrs: number;
}

/**
 * Writes a file system into an empty directory. Everything is created anew in directories that were created here, none
 * of which is a link. Symbolic links are created after all files, and nothing is opened through one, so no name can
 * lead out of the directory. Below a directory that could not be created, nothing is attempted.
 *
 * @param root   a directory that no other user can write to
 * @param shown  the name of the directory in messages
 * @throws InputError if the archive cannot be read, the disk is full, or owners may not be set
 */
export async function writeRoot(
  source: RootSource,
  root: string,
  shown: string,
  options: RootOptions,
): Promise<RootOutcome> {
  const plan = planRoot(source.tree, options.wanted);
  const writer = new RootWriter(root, shown, options);
  writer.makeDirectories(plan.directories);
  await readLayerFiles(source.archive, writer.contents(source, plan), options.limits, options.onProgress);
  writer.makeOthers(plan);
  writer.finishDirectories(plan.directories);
  return writer.outcome();
}

class RootWriter {
  private readonly made = new Set<TreeNode>();
  private readonly lost = new Map<TreeNode, string>();
  /** Paths of directories that could not be created. */
  private readonly unmade = new Set<string>();
  private bytes = 0;
  private leftOut = 0;

  constructor(
    private readonly root: string,
    private readonly shown: string,
    private readonly options: RootOptions,
  ) {}

  makeDirectories(nodes: readonly TreeNode[]): void {
    for (const node of nodes) {
      this.make(node, makeDirectory);
      if (!this.made.has(node)) this.unmade.add(node.path);
    }
  }

  /** The sinks for the contents of all files, by layer. A layer that an image has twice is read once. */
  contents({ layers }: RootSource, { files }: RootPlan): LayerFiles[] {
    const byPath = new Map<string, LayerFiles & { readonly sinks: Map<number, () => ContentSink> }>();
    for (const [inode, node] of files) {
      const place = layers[inode.layer]!;
      const key = JSON.stringify([place.inside, place.path]);
      const known = byPath.get(key) ?? { ...place, sinks: new Map() };
      byPath.set(key, known);
      const others = known.sinks.get(inode.index);
      const open = () => this.fileSink(node);
      known.sinks.set(inode.index, others === undefined ? open : () => both(others(), open()));
    }
    return [...byPath.values()];
  }

  makeOthers({ files, others, hardLinks, unwritable }: RootPlan): void {
    for (const node of files.values()) if (!this.made.has(node)) this.lose(node, NOT_WHOLE);
    for (const node of others) {
      if (node.inode.type === 'symlink') this.make(node, path => makeSymbolicLink(path, node, this.options));
      else if (this.options.devices) this.make(node, path => makeSpecialFile(path, node, this.options));
      else this.leftOut++;
    }
    for (const { node, first } of hardLinks) {
      const target = pathBelow(this.root, first.path);
      if (this.made.has(first)) this.make(node, path => makeHardLink(path, target, node, this.options));
      else if (first.inode.type === 'file' || this.options.devices)
        this.lose(node, 'the target of the hard link was not written');
      else this.leftOut++;
    }
    for (const node of unwritable) {
      const isLink = node.inode.type === 'hardlink';
      this.lose(node, isLink ? 'it is a hard link to what is not there' : 'its type is unknown');
    }
  }

  finishDirectories(nodes: readonly TreeNode[]): void {
    for (const node of [...nodes].reverse()) {
      if (!this.made.has(node)) continue;
      this.attempt(node, () => finishDirectory(pathBelow(this.root, node.path), node, this.options));
    }
  }

  outcome(): RootOutcome {
    const made = [...this.made];
    const count = (...types: readonly string[]) => made.filter(({ type }) => types.includes(type)).length;
    return {
      files: count('file'),
      directories: count('directory'),
      links: count('symlink', 'hardlink'),
      specials: count('char', 'block', 'fifo'),
      bytes: this.bytes,
      lost: [...this.lost].map(([node, why]) => `${shownPath(node)} is not written: ${why}`),
      leftOut: this.leftOut,
      withXattrs: new Set(made.filter(({ entry }) => entry.xattrs.length > 0).map(({ inode }) => inode)).size,
    };
  }

  private make(node: TreeNode, step: (path: Buffer) => void): void {
    if (this.attempt(node, () => step(this.pathOf(node)))) this.made.add(node);
  }

  /** @throws Error if the parent directory was not created here: whatever is in its place may lead anywhere */
  private pathOf({ path }: TreeNode): Buffer {
    const wrong = misnamed(path, process.platform);
    if (wrong !== null) throw new Error(wrong);
    for (let end = path.indexOf('/'); this.unmade.size > 0 && end > 0; end = path.indexOf('/', end + 1))
      if (this.unmade.has(path.slice(0, end))) throw new Error('a directory above it is not written');
    return pathBelow(this.root, path);
  }

  private fileSink(node: TreeNode): ContentSink {
    let sink: ContentSink | null = null;
    const whole = (step: () => void) => {
      if (sink !== null && !this.attempt(node, step)) {
        const failed = sink;
        sink = null;
        failed.end(false);
      }
    };
    this.attempt(node, () => {
      sink = openNew(this.pathOf(node), node, this.options);
    });
    return {
      write: bytes => {
        whole(() => sink!.write(bytes));
        if (sink !== null) this.bytes += bytes.length;
      },
      hole: length => whole(() => sink!.hole(length)),
      end: complete => {
        const ended = sink;
        sink = null;
        if (ended !== null && this.attempt(node, () => ended.end(complete)) && complete) this.made.add(node);
      },
    };
  }

  /**
   * @returns true if it worked
   * @throws InputError for an error that every later write would meet too
   */
  private attempt(node: TreeNode, step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      if (isSystemError(error) && isFatal(error)) writing(this.shown, () => fail(error));
      if (this.options.owner && isSystemError(error) && error.code === 'EPERM')
        throw new InputError('owners cannot be set', this.shown, ROOT_ONLY, { cause: error });
      this.lose(node, error instanceof Error ? reasonOf(error) : String(error));
      return false;
    }
  }

  private lose(node: TreeNode, reason: string): void {
    if (!this.lost.has(node)) this.lost.set(node, reason);
  }
}

const NOT_WHOLE = 'it is not all in the archive';
const ROOT_ONLY = 'Only root may do that: be root, or leave the owners out.';

const shownPath = ({ path }: TreeNode) => visiblePath(nameText(path)) || '/';

function fail(error: Error): never {
  throw error;
}

function both(a: ContentSink, b: ContentSink): ContentSink {
  return {
    write(bytes) {
      a.write(bytes);
      b.write(bytes);
    },
    hole(length) {
      a.hole(length);
      b.hole(length);
    },
    end(complete) {
      a.end(complete);
      b.end(complete);
    },
  };
}
