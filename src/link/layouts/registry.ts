import type { ScannedArchive } from '../archive.js';
import { dockerSave } from './docker-save.js';
import { dockerV1 } from './docker-v1.js';
import { hybrid } from './hybrid.js';
import type { LayoutReader } from './layout.js';
import { oci } from './oci.js';
import { skopeoDir } from './skopeo-dir.js';

/** Every layout, in the order in which they are tried. A new layout is one file and one line here. */
export const layouts = [skopeoDir, hybrid, oci, dockerSave, dockerV1] as const;

/** The layout of an archive, as the JSON report names it. */
export type Layout = (typeof layouts)[number]['name'];

export const layoutNames: readonly Layout[] = layouts.map(({ name }) => name);

/** The layout of an archive that has a marker file; what no other layout recognises is Docker's v1 format. */
export function detectLayout(archive: ScannedArchive): LayoutReader<Layout> {
  return layouts.find(layout => layout.detect(archive)) ?? dockerV1;
}

export function layoutNamed(name: Layout): LayoutReader<Layout> {
  return layouts.find(layout => layout.name === name)!;
}
