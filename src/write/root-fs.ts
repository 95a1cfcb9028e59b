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

/** Names that are devices in every directory of Windows, with any extension. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:[ .:]|$)/i;
/** What Windows takes for something else than a part of a name: other separators, streams, patterns. */
const SPECIAL = /[\u0000-\u001f\\:*?"<>|]/;

/**
 * Why a path would not name on this system what it names in an image; null where it does.
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 * @param path  relative, its parts divided by `/`
 */
export function misnamed(path: string, platform: NodeJS.Platform): string | null {
  if (path.includes('\0')) return 'no file can have its name';
  if (platform !== 'win32') return null;
  const isWrong = path
    .split('/')
    .some(name => SPECIAL.test(name) || DEVICES.test(name) || name.endsWith('.') || name.endsWith(' '));
  return isWrong ? 'Windows would take its name for another one' : null;
}

/** What is to be written of a file system. All paths are bytes, one per character, relative to the root. */
interface RootPlan {
  /** Above before below. */
  readonly directories: readonly TreeNode[];
  /** The name that a file's content is written to, for each file. */
  readonly files: ReadonlyMap<Inode, TreeNode>;
  /** Symbolic links, devices and named pipes: what is made without content. */
  readonly others: readonly TreeNode[];
  /** Further names, made when everything else is there. */
  readonly hardLinks: readonly { readonly node: TreeNode; readonly first: TreeNode }[];
  /** Hard links to nothing, and files of types that no engine unpacks. */
  readonly unwritable: readonly TreeNode[];
}

/**
 * Says what has to be made so that the names that are wanted are there, with the directories above them. A file gets its
 * content under the first of its names that is wanted.
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
  /** Make devices and named pipes too. */
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
  /** Where the layers lie, in the order of the image; null for one that does not. */
  readonly layers: readonly (Omit<LayerFiles, 'sinks' | 'drain'> | null)[];
}

export interface RootOutcome {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly specials: number;
  /** Bytes of content. */
  readonly bytes: number;
  /** What could not be written, and why. For people. */
  readonly lost: readonly string[];
  /** Devices and named pipes that were left out, because `--devices` was not given. */
  readonly leftOut: number;
  /** Files whose extended attributes were not written: Node has no call for that. */
  readonly withXattrs: number;
}

/**
 * Writes a file system into an empty directory. Everything is made anew in directories that were made here, none of which is
 * a link: symbolic links come after all files, and nothing is ever opened through one. So no name leads out of the directory.
 * Where a directory cannot be made, nothing below it is tried.
 * @param root   a directory that no other user can write to
 * @param shown  what the user knows it by
 * @throws InputError when the archive cannot be read, the disk is full, or owners may not be set
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
  /** Paths of directories that could not be made. */
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

  /** What takes the content of each file, by layer. A layer that an image has twice is read once. */
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
        this.lose(node, 'what it links to is not written');
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

  /** @throws Error where nothing may be made: whatever has the place of a directory was not made here, and may lead anywhere */
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

  /** @returns whether it worked. @throws InputError for what would go wrong with everything else too */
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
