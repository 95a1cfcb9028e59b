// Changes of manifest.json, and archives of two formats in one.
import { encodedOf, goJson } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { type Draft, type Item, NAME } from './draft.js';
import { evilManifest, named } from './listed.js';
import type { Move } from './move.js';

/** EVIL's item of manifest.json, and its files. */
function evilItem(draft: Draft): Item | null {
  const { items, files } = draft.base.parts(draft.evil, draft.random.oneIn(2));
  for (const [path, bytes] of files) if (!draft.parts.files.has(path)) draft.parts.files.set(path, bytes);
  return items?.[0] ?? null;
}

const item = (
  name: string,
  does: string,
  change: (items: Item[], evil: Item, draft: Draft) => void,
): Move => ({
  name,
  does,
  documents: draft => {
    const { items } = draft.parts;
    const evil = items === null ? null : evilItem(draft);
    if (items === null || evil === null) return;
    // A hybrid archive has only the blobs of index.json.
    for (const { digest, bytes } of evilManifest(draft).blobs)
      if (draft.parts.entries !== null) draft.parts.files.set(layouts.blobPath(digest), bytes);
    change(items, evil, draft);
  },
});

export const itemMoves: readonly Move[] = [
  item('item-second', 'EVIL as a second item of manifest.json.', (items, evil) =>
    items.push({ ...evil, RepoTags: ['evil:1'] }),
  ),
  item('item-first', 'EVIL as the first item, without a name.', (items, evil) =>
    items.unshift({ ...evil, RepoTags: null }),
  ),
  item('item-same-name', 'EVIL under the name of GOOD.', (items, evil, { random }) =>
    random.oneIn(2) ? items.push(evil) : items.unshift(evil),
  ),
  item('item-evil', 'manifest.json lists EVIL alone, index.json GOOD.', (items, evil) =>
    items.splice(0, items.length, evil),
  ),
  item('item-config', "GOOD's layers with EVIL's config.", (items, evil) => {
    items[0]!.Config = evil.Config;
  }),
  item('item-layers', "EVIL's layers with GOOD's config.", (items, evil) => {
    items[0]!.Layers = evil.Layers;
  }),
  item('item-none', 'manifest.json is an empty list.', items => items.splice(0)),
  item('item-path-dot', 'Paths of manifest.json that begin with `./`.', ([first]) => {
    first!.Config = `./${first!.Config}`;
  }),
  item('item-path-dotdot', 'Paths of manifest.json with `..`.', ([first]) => {
    first!.Config = `x/../${first!.Config}`;
    first!.Layers = first!.Layers.map(path => `y/../${path}`);
  }),
  item('item-path-above', 'Paths that lead above the root.', ([first]) => {
    first!.Layers = first!.Layers.map(path => `../${path}`);
  }),
  item('item-path-absolute', 'Paths that begin with a slash.', ([first]) => {
    first!.Config = `/${first!.Config}`;
  }),
  item('item-layer-config', 'The config as a layer.', ([first]) => {
    first!.Layers = [first!.Config];
  }),
  {
    name: 'docker-beside',
    does: 'manifest.json with EVIL in an archive that had none.',
    documents: draft => {
      if (draft.parts.items !== null || draft.parts.top !== null) return;
      const { evil, parts } = draft;
      const paths = evil.layers.map(({ diffId }) => `${encodedOf(diffId)}.tar`);
      for (const [i, { tar }] of evil.layers.entries()) parts.files.set(paths[i]!, tar);
      parts.files.set('evil.json', evil.configBytes);
      parts.items = [{ Config: 'evil.json', RepoTags: [NAME], Layers: paths }];
    },
  },
  {
    name: 'oci-beside',
    does: 'index.json with EVIL in an archive that had none.',
    documents: draft => {
      if (draft.parts.entries !== null) return;
      draft.parts.entries = [named(evilManifest(draft), '1')];
      if (draft.random.oneIn(2)) draft.parts.files.set('oci-layout', layouts.layoutFile().bytes);
    },
  },
  {
    name: 'v1-beside',
    does: 'The folders of the oldest format with EVIL.',
    documents: draft => {
      const files = layouts.dockerV1({ image: draft.evil, tags: [NAME] }).filter(layouts.isFile);
      for (const { path, bytes } of files) draft.parts.files.set(path, bytes);
    },
  },
  {
    name: 'dir-beside',
    does: "skopeo's folder with EVIL in an archive of another kind.",
    documents: draft => {
      const { entries, items, top, files } = draft.parts;
      if (top !== null || items !== null) return;
      files.set('version', Buffer.from('Directory Transport Version: 1.1\n'));
      draft.parts.top = layouts.manifestOf(draft.evil, { docker: entries === null });
    },
  },
  {
    name: 'layout-version',
    does: 'Another version of the image layout, or none.',
    documents: ({ parts, random }) => {
      const text = random.pick([
        '{}',
        '{"imageLayoutVersion":"2.0.0"}',
        '{"imageLayoutVersion":1}',
        '',
        'x',
        '{"imagelayoutversion":"1.0.0"}',
      ]);
      if (parts.files.has('oci-layout')) parts.files.set('oci-layout', Buffer.from(text));
    },
  },
  {
    name: 'layout-absent',
    does: 'No oci-layout.',
    documents: ({ parts }) => {
      parts.files.delete('oci-layout');
    },
  },
  {
    name: 'repositories-evil',
    does: 'A file `repositories` that names EVIL.',
    documents: ({ parts, evil }) => {
      parts.files.set('repositories', Buffer.from(goJson({ app: { 1: encodedOf(evil.diffIds[0]!) } })));
    },
  },
];
