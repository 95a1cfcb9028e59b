import type { Member } from '../containers/source.js';
import type { GoVersion } from '../go/json/faults.js';
import { entriesOf, type Layout, type OciArchive, type Paths } from './oci-archive.js';
import { extracted, fileAt, type TarFile } from './tar-file.js';

/** An OCI layout in a directory (`oci:DIR`), of which nothing is unpacked. containers/image oci/layout/oci_src.go */
export function openFolder(file: TarFile, go: GoVersion): Layout {
  const tree = extracted(file, false);
  return { tree, entries: entriesOf(file, tree, go) };
}

const hexOf = (digest: string) => digest.slice(digest.indexOf(':') + 1);

/** containers/image directory/directory_transport.go: the hex alone, whatever the algorithm. */
const DIRECTORY_PATHS: Paths = {
  manifest: digest => `${hexOf(digest)}.manifest.json`,
  blob: hexOf,
  refusal: '',
};

/** A directory as `skopeo copy … dir:DIR` writes it. No engine looks at its `version`. */
export const openDirectory = (file: TarFile, go: GoVersion): OciArchive => ({
  file,
  tree: extracted(file, false),
  entry: {},
  go,
  paths: DIRECTORY_PATHS,
});

/** Its manifest, or the index of its manifests. */
export const topOfDirectory = ({ file, tree }: OciArchive): Member => fileAt(file, tree, 'manifest.json');
