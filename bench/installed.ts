import { spawnSync } from 'node:child_process';

/** Commands whose versions are reported. */
const COMMANDS = 'skopeo umoci podman crane dive openssl gzip pigz igzip zstd tar bash'.split(' ');
/** Commands without `--version`. */
const ASK: Readonly<Record<string, string>> = { crane: 'version', openssl: 'version' };

export const isInstalled = (command: string): boolean =>
  spawnSync('bash', ['-c', 'command -v "$1"', 'bash', command], { stdio: 'ignore' }).status === 0;

export function versions(): Record<string, string> {
  const found = COMMANDS.filter(isInstalled).map(command => [command, versionOf(command)]);
  return Object.fromEntries([['Node', process.versions.node], ...found]);
}

function versionOf(command: string): string {
  const { stdout, stderr } = spawnSync(command, [ASK[command] ?? '--version'], { encoding: 'utf8' });
  return /\d[\w+~-]*\.[\w.+~-]+/.exec(`${stdout}\n${stderr}`)?.[0] ?? 'unknown';
}
