/** The map of one image, with its search and its list. Data of the archive is only ever inserted as text. */
interface View {
  readonly host: HTMLElement;
  readonly tree: FileTree;
  readonly field: HTMLInputElement;
  readonly crumbs: HTMLElement;
  readonly picture: SVGElement;
  readonly status: HTMLElement;
  readonly list: HTMLElement;
  /** The directory that fills the map. */
  shown: number;
  matches: Matches | null;
}

/** Maximum number of lines in a list, so that the page stays responsive. */
const LINES = 200;
const COLOURS = 8;
/** Approximate width of a letter on a tile, in pixels. */
const LETTER = 6.6;

function viewIn(host: HTMLElement, tree: FileTree): View {
  const field = make('input', 'search');
  field.type = 'search';
  field.placeholder = 'Search names, or paths with a /';
  field.setAttribute('aria-label', 'Search files');
  const crumbs = make('nav', 'crumbs');
  crumbs.setAttribute('aria-label', 'Directories above');
  const picture = shape('svg', { class: 'map', role: 'group' });
  const status = make('output', 'status');
  const keys = 'Click or Enter zooms in, Escape zooms out, arrow keys go from one to the next.';
  const list = make('ol', 'files');
  host.replaceChildren(field, crumbs, picture, status, make('p', 'dim keys', keys), list);
  return { host, tree, field, crumbs, picture, status, list, shown: ROOT, matches: null };
}

/** Fills the map with a directory, or with the directory of a file. */
function show(view: View, index: number): void {
  const { host, tree, status } = view;
  const hadFocus = host.contains(document.activeElement);
  view.shown = index === ROOT || tree.children(index).length > 0 ? index : tree.parent(index);
  status.textContent = about(tree, index);
  drawCrumbs(view);
  draw(view);
  drawList(view);
  // The focused element may have been removed: the focus moves to the map, for users of the keyboard.
  if (hadFocus && !host.contains(document.activeElement)) focusFirst(view);
}

/** Searches for the text in the field. */
function find(view: View): void {
  const { field, tree, status, shown } = view;
  const matches = field.value === '' ? null : search(tree, field.value);
  view.matches = matches;
  status.textContent =
    matches === null ? about(tree, shown) : `${matches.found.length} found, ${sizeText(matches.bytes)}`;
  draw(view);
  drawList(view);
}

function about(tree: FileTree, index: number): string {
  const below = tree.count(index);
  const layer = tree.map.layerNames[tree.map.layers[index] ?? -1];
  const more = below > 0 ? `, ${below} inside` : layer === undefined ? '' : `, ${layer}`;
  return `${tree.path(index)}: ${sizeText(tree.bytes(index))}${more}`;
}

function drawCrumbs(view: View): void {
  const { tree, crumbs, shown } = view;
  const way: number[] = [];
  for (let at = shown; at !== ROOT; at = tree.parent(at)) way.push(at);
  const indexes = [ROOT, ...way.reverse()];
  crumbs.replaceChildren(...indexes.map(index => button(tree.name(index), () => show(view, index))));
  crumbs.lastElementChild?.setAttribute('aria-current', 'true');
}

function draw(view: View): void {
  const { picture, tree, shown } = view;
  const { width, height } = picture.getBoundingClientRect();
  if (width === 0) return;
  const hadFocus = picture.contains(document.activeElement);
  picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
  picture.setAttribute('aria-label', `Files by size, in ${tree.path(shown)}`);
  picture.replaceChildren(...tilesOf(tree, shown, width, height).map(tile => tileShape(view, tile)));
  picture.querySelector('[role=button]')?.setAttribute('tabindex', '0');
  if (hadFocus) focusFirst(view);
}

function focusFirst({ picture, field }: View): void {
  (picture.querySelector<SVGElement>('[tabindex="0"]') ?? field).focus();
}

/** An SVG element with its own coordinates, which clips its content. */
function tileShape({ tree, matches }: View, tile: Tile): SVGElement {
  const { index, label, depth, x, y, width, height, hasTilesInside } = tile;
  const isFile = index !== ROOT;
  const colour = isFile && !hasTilesInside ? `c${tree.map.layers[index]! % COLOURS}` : 'plain';
  const isOut = matches !== null && isFile && !matches.has(index);
  const words = isFile ? about(tree, index) : `${label}, ${sizeText(tile.bytes)}`;
  const box = shape('svg', { x, y, width, height, class: `tile ${colour}${isOut ? ' out' : ''}` });
  if (isFile) box.dataset.index = String(index);
  if (isFile && depth === 1) {
    box.setAttribute('role', 'button');
    box.setAttribute('tabindex', '-1');
    box.setAttribute('aria-label', words);
  }
  box.append(shape('title', {}, words), shape('rect', { width: '100%', height: '100%' }));
  const room = Math.floor((width - 6) / LETTER);
  if (room >= 3 && height >= 14)
    box.append(
      shape('text', { x: 3, y: 12.5 }, label.length > room ? `${label.slice(0, room - 1)}…` : label),
    );
  return box;
}

/** Lists the search results, or without a search the contents of the shown directory. */
function drawList(view: View): void {
  const { tree, matches, shown, list } = view;
  const all = matches === null ? tree.children(shown) : matches.found;
  const items = all.slice(0, LINES).map(index => {
    const item = make('li', '');
    const label = matches === null ? tree.name(index) : tree.path(index);
    const end = tree.children(index).length > 0 ? '/' : '';
    item.append(
      button(label + end, () => show(view, index)),
      make('span', 'dim', sizeText(tree.bytes(index))),
    );
    return item;
  });
  if (all.length > LINES) items.push(make('li', 'dim', `and ${all.length - LINES} more`));
  list.replaceChildren(...items);
}
