const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/**
 * A number of bytes as waybill's own reports write it: `15.4 kB`, three significant digits. Docker's words have their
 * own form.
 */
export const sizeText = (bytes: number): string => inUnits(bytes, 1000, DECIMAL);

/** The same in powers of 1024: `7.5 KiB`. */
export const binarySizeText = (bytes: number): string => inUnits(bytes, 1024, BINARY);

function inUnits(bytes: number, base: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  let shown = rounded(value);
  for (; shown >= base && unit < units.length - 1; unit++) {
    value /= base;
    shown = rounded(value);
  }
  return `${shown} ${units[unit]}`;
}

/** To three digits; to whole numbers where there are more digits before the point, as in 1023 KiB. */
function rounded(value: number): number {
  if (value >= 1000) return Math.round(value);
  return Number.isInteger(value) ? value : Number(value.toPrecision(3));
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BINARY_FACTORS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/**
 * Reads a size: `50M`, `1.5 GiB`, `64MiB`, `1000`. k, M, G and T are powers of 1000, with an i of 1024.
 * @returns bytes; null for anything else
 */
export function parseSize(text: string): number | null {
  const [, digits, letter = '', binary] = /^(\d{1,16}(?:\.\d{1,9})?) ?(?:([kmgt])(i)?)?b?$/i.exec(text) ?? [];
  if (digits === undefined || (letter === '' && digits.includes('.'))) return null;
  const factor = (binary === undefined ? FACTORS : BINARY_FACTORS)[letter.toLowerCase()]!;
  const value = Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(value) ? value : null;
}
