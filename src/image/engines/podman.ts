import { isUntold, type Outcome } from './answer.js';
import { podmanDockerArchive } from './podman-docker-archive.js';
import { podmanDir, podmanOci, podmanOciArchive } from './podman-oci-archive.js';
import type { TarFile } from './tar-file.js';

/**
 * `podman load` on linux/amd64: tries the file as one kind of archive after another, and when none will do tells what was
 * wrong with each. The ID is the config's digest. containers/common libimage/load.go
 */
export function podman(file: TarFile): Outcome {
  const oci = podmanOciArchive(file);
  if (oci.refusal === null) return oci;
  const docker = podmanDockerArchive(file);
  if (docker.refusal === null) return docker;
  const untold = [oci, docker].find(({ refusal }) => isUntold(refusal));
  const refusal = untold?.refusal ?? allWords(oci.refusal, docker.refusal);
  return { verdicts: docker.verdicts, loads: docker.loads, refusal, passed: refusal };
}

const NO_FORMAT = 'payload does not match any of the supported image formats:';

function allWords(oci: string, docker: string): string {
  return [
    NO_FORMAT,
    ' * oci: open FILE/index.json: not a directory',
    ` * oci-archive: ${oci}`,
    ` * docker-archive: ${docker}`,
    ' * dir: open FILE/manifest.json: not a directory',
  ].join('\n');
}

/**
 * `podman load -i DIR` on linux/amd64: an OCI layout, or else what `skopeo copy … dir:` wrote. What it makes of them is what
 * `podman pull oci:DIR` and `podman pull dir:DIR` make.
 */
export function podmanDirectory(file: TarFile): Outcome {
  const oci = podmanOci(file);
  if (oci.refusal === null) return oci;
  const dir = podmanDir(file);
  if (dir.refusal === null) return dir;
  const untold = [oci, dir].find(one => isUntold(one.refusal));
  const refusal = untold?.refusal ?? directoryWords(oci.refusal, dir.refusal);
  return { verdicts: new Map(), loads: [...oci.loads, ...dir.loads], refusal, passed: refusal };
}

const directoryWords = (oci: string, dir: string): string =>
  [
    NO_FORMAT,
    ` * oci: ${oci}`,
    ' * oci-archive: creating temp directory: untarring file "FILE": read DIR: is a directory',
    ' * docker-archive: detecting compression for file "DIR": detecting compression: read DIR: is a directory',
    ` * dir: ${dir}`,
  ].join('\n');
