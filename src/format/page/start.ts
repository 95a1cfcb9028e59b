const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

for (const host of document.querySelectorAll<HTMLElement>('[data-map]')) {
  const embedded = document.getElementById(host.dataset.map!);
  const view = viewIn(host, treeOf(JSON.parse(embedded?.textContent ?? '')));
  listen(view);
  show(view, ROOT);
}

function listen(view: View): void {
  const { host, tree, field, picture, status } = view;
  const describe = ({ target }: Event) => {
    const index = tileAt(target);
    if (index !== null) status.textContent = about(tree, index);
  };
  picture.addEventListener('pointerover', describe);
  // In Chromium, an SVG element with a focusin listener can take the focus itself.
  host.addEventListener('focusin', describe);
  picture.addEventListener('click', ({ target }) => {
    const index = tileAt(target);
    if (index !== null) show(view, index);
  });
  field.addEventListener('input', () => find(view));
  host.addEventListener('keydown', event => {
    if (act(view, event)) event.preventDefault();
  });
  let width = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth === width) return;
    width = host.clientWidth;
    requestAnimationFrame(() => draw(view));
  }).observe(host);
}

/** The file of the tile that an event refers to. */
function tileAt(target: EventTarget | null): number | null {
  if (!(target instanceof SVGElement)) return null;
  const index = target.closest<SVGElement>('.tile')?.dataset.index;
  return index === undefined ? null : Number(index);
}

/** @returns true if the key was handled */
function act(view: View, { key, target }: KeyboardEvent): boolean {
  const { tree, field, shown } = view;
  // In the search field, Escape clears the field.
  const isTyping = target === field && field.value !== '';
  const index = tileAt(target);
  const step = STEPS[key];
  if (key === 'Escape' && !isTyping && shown !== ROOT) show(view, tree.parent(shown));
  else if (index !== null && (key === 'Enter' || key === ' ')) show(view, index);
  else if (index !== null && step !== undefined) focusNext(view, target as SVGElement, step);
  else return false;
  return true;
}

/** Moves the focus with the arrow keys; only one tile at a time can be reached with Tab. */
function focusNext({ picture }: View, from: SVGElement, step: number): void {
  const tiles = [...picture.querySelectorAll<SVGElement>('[role=button]')];
  const next = tiles.at((tiles.indexOf(from) + step) % tiles.length);
  from.setAttribute('tabindex', '-1');
  next?.setAttribute('tabindex', '0');
  next?.focus();
}
