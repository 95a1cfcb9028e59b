/** Seconds in each of Go's units. https://pkg.go.dev/time#ParseDuration */
const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/** `1h30m` in seconds; null if it is no duration. */
export function goDuration(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const parts = [...body.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== body) return null;
  return sign * parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit!]!, 0);
}

/**
 * What `--filter until=` takes, as seconds since 1970: a duration before now, a date or time (in UTC where it names no
 * zone), or a Unix timestamp. moby api/types/time/timestamp.go
 * @param now  seconds since 1970
 */
export function timestamp(text: string, now: number): number | null {
  const duration = text === '0' ? null : goDuration(text);
  if (duration !== null) return Math.floor(now - duration);
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
    text,
  );
  if (match === null) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
  const [, date, hour = '00', minute = '00', second = '00', zone = 'Z'] = match;
  const milliseconds = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}
