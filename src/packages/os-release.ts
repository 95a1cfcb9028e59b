/**
 * The distribution of an image, as its os-release has it. https://www.freedesktop.org/software/systemd/man/os-release
 */
export interface Distribution {
  /** `debian`, `alpine`, `rhel`. */
  readonly id: string;
  /** `12`, `3.19.1`; null for a rolling one. */
  readonly versionId: string | null;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly prettyName: string | null;
}

/** Where it lies; the first is nearly always a link to the second. */
export const OS_RELEASE: readonly string[] = ['etc/os-release', 'usr/lib/os-release'];

const LONGEST = 200;

/** @returns null where it names no distribution */
export function distributionOf(bytes: Uint8Array): Distribution | null {
  const fields = new Map<string, string>();
  for (const line of Buffer.from(bytes.subarray(0, 64 * 1024))
    .toString('utf8')
    .split('\n')) {
    const [, key, value] = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined) fields.set(key, unquoted(value!));
  }
  const field = (key: string) => {
    const value = fields.get(key) ?? '';
    return value === '' || value.length > LONGEST ? null : value;
  };
  const id = field('ID');
  if (id === null || !/^[a-z0-9._-]+$/.test(id)) return null;
  return { id, versionId: field('VERSION_ID'), prettyName: field('PRETTY_NAME') };
}

/** As a shell reads an assignment. */
function unquoted(value: string): string {
  const [, double, single] = /^"((?:[^"\\]|\\.)*)"$|^'([^']*)'$/.exec(value) ?? [];
  return single ?? (double ?? value).replace(/\\([$"'\\`])/g, '$1');
}
