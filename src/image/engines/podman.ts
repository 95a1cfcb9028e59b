import type { Outcome } from './answer.js';
import { podmanDockerArchive } from './podman-docker-archive.js';
import { podmanOciArchive } from './podman-oci-archive.js';
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
  const refusal = allWords(oci.refusal, docker.refusal);
  return { verdicts: docker.verdicts, loads: docker.loads, refusal, passed: refusal };
}

function allWords(oci: string, docker: string): string {
  return [
    'payload does not match any of the supported image formats:',
    ' * oci: open FILE/index.json: not a directory',
    ` * oci-archive: ${oci}`,
    ` * docker-archive: ${docker}`,
    ' * dir: open FILE/manifest.json: not a directory',
  ].join('\n');
}
