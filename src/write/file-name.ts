/** Names that are devices in every directory of Windows, with any extension. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:[ .:]|$)/i;
/** What Windows takes for something else than a part of a name: other separators, streams, patterns. */
const SPECIAL = /[\u0000-\u001f\\:*?"<>|]/;

/**
 * Why a path would not name on this system what it names in an image; null where it does.
 * https://learn.microsoft.com/windows/win32/fileio/naming-a-file
 * @param path  relative, its parts divided by `/`
 */
export function misnamed(path: string, platform: NodeJS.Platform): string | null {
  if (path.includes('\0')) return 'no file can have its name';
  if (platform !== 'win32') return null;
  const isWrong = path
    .split('/')
    .some(name => SPECIAL.test(name) || DEVICES.test(name) || name.endsWith('.') || name.endsWith(' '));
  return isWrong ? 'Windows would take its name for another one' : null;
}
