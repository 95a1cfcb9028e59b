/**
 * Sizes and durations in the words of docker/go-units.
 * https://pkg.go.dev/github.com/docker/go-units
 */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/** `4.56MB`: decimal units, `digits` significant digits, written as Go's `%.*g` does (999 600 is `1e+03kB`). */
export function humanSize(bytes: number, digits = 4): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1000;
  return significant(size, digits) + UNITS[unit];
}

function significant(value: number, digits: number): string {
  if (Number.isInteger(value) && value >= 0 && value < 10 ** digits) return String(value);
  const plain = value.toPrecision(digits);
  if (value >= 1 && !plain.includes('e')) return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string];
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= digits)) {
    const sign = power < 0 ? '-' : '+';
    return `${Number(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return String(Number(value.toPrecision(digits)));
}

const HOUR = 3600;

/** `3 years`, `About an hour`. What lies in the future is less than a second. @param seconds  from then to now */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(seconds / HOUR + 0.5);
  if (whole < 1) return 'Less than a second';
  if (whole === 1) return '1 second';
  if (whole < 60) return `${whole} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(Math.trunc(seconds / HOUR) / 24 / 365)} years`;
}

/** Go's time.Duration ends here, some 292 years: differences beyond are cut to it. Seconds. */
export const LONGEST_DURATION = 2 ** 63 / 1e9;
