const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A number of bytes as waybill's own reports write it: `15.4 kB`, three significant digits. Docker's words have their own form. */
export const sizeText = (bytes: number): string => inUnits(bytes, 1000, DECIMAL);

/** The same in powers of 1024: `7.5 KiB`. */
export const binarySizeText = (bytes: number): string => inUnits(bytes, 1024, BINARY);

function inUnits(bytes: number, base: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  for (; rounded(value) >= base && unit < units.length - 1; unit++) value /= base;
  return `${rounded(value)} ${units[unit]}`;
}

/** To three digits; to whole numbers where there are more digits before the point, as in 1023 KiB. */
const rounded = (value: number): number => (value >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
