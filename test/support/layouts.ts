// Every archive format of FORMATS section 1, from images to members in the order and spelling of its producer.
export { type Builds, buildxOci, dockerContainerd, type MultiPlatform } from './buildkit-layouts.js';
export {
  containerify,
  cranePull,
  jib,
  nixDockerTools,
  podmanDockerArchive,
} from './docker-archives.js';
export { dockerSave, dockerSave25, dockerV1 } from './docker-layouts.js';
export * from './members.js';
export * from './oci.js';
export { cosignSave, orasBackup, regctl, rootfs, rulesOci, skopeoDir, skopeoOci } from './oci-archives.js';
export { blobPath, indexFile, type LayoutOptions, layoutFile, ociLayout } from './oci-layout.js';
export type { Images, Tagged } from './tagged.js';
