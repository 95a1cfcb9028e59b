declare const d3: typeof import('d3-hierarchy');

/** A rectangle of the map, in pixels. */
interface Tile {
  /** Index of the file; -1 for several files that are too small to be drawn. */
  readonly index: number;
  readonly label: string;
  readonly bytes: number;
  readonly depth: number;
  readonly hasTilesInside: boolean;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Area {
  readonly index: number;
  readonly label: string;
  readonly bytes: number;
  readonly children: readonly Area[] | null;
}

/** Levels of directories below the shown one whose content is drawn; deeper levels are shown by zooming. */
const LEVELS = 4;
/** Least area of a tile, in square pixels; it bounds the number of tiles. */
const LEAST_TILE = 60;
/** Least area of a directory whose content is drawn, in square pixels. */
const LEAST_DIRECTORY = 1500;
/** Height of a directory's title, in pixels. */
const TITLE = 17;

/** The tiles that are visible. The work depends on their number, not on the number of files. */
function tilesOf(tree: FileTree, shown: number, width: number, height: number): Tile[] {
  const pixels = (width * height) / Math.max(1, tree.bytes(shown));
  const root = d3
    .hierarchy(areaOf(tree, shown, pixels, LEVELS), area => area.children)
    .sum(area => (area.children === null ? area.bytes : 0));
  const laidOut = d3
    .treemap<Area>()
    .size([width, height])
    .paddingInner(1)
    .paddingOuter(node => (node.depth === 0 ? 0 : 2))
    .paddingTop(node => (node.depth === 0 ? 0 : TITLE))(root);
  return laidOut
    .descendants()
    .slice(1)
    .map(({ data, depth, children, x0, y0, x1, y1 }) => ({
      index: data.index,
      label: data.label,
      bytes: data.bytes,
      depth,
      hasTilesInside: children !== undefined,
      x: x0,
      y: y0,
      width: x1 - x0,
      height: y1 - y0,
    }))
    .filter(tile => tile.width >= 1 && tile.height >= 1);
}

function areaOf(tree: FileTree, index: number, pixels: number, levels: number): Area {
  const bytes = tree.bytes(index);
  const below = tree.children(index);
  const isOpen = below.length > 0 && levels > 0 && bytes * pixels >= LEAST_DIRECTORY;
  const children = isOpen ? areasIn(tree, below, pixels, levels) : null;
  return { index, label: tree.name(index), bytes, children: children?.length === 0 ? null : children };
}

function areasIn(tree: FileTree, below: readonly number[], pixels: number, levels: number): Area[] {
  const tooSmall = below.findIndex(index => tree.bytes(index) * pixels < LEAST_TILE);
  const large = tooSmall < 0 ? below : below.slice(0, tooSmall);
  const areas = large.map(index => areaOf(tree, index, pixels, levels - 1));
  const rest = below.slice(large.length);
  const bytes = rest.reduce((sum, index) => sum + tree.bytes(index), 0);
  if (bytes === 0) return areas;
  return [...areas, { index: ROOT, label: `${rest.length} smaller`, bytes, children: null }];
}
