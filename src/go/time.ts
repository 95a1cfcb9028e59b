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

/** Times as Go prints them, in UTC: a file knows no time zone of its reader. */
const RFC3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/** An RFC 3339 time as Go's RFC3339Nano writes it again: no zeros at the fraction's end, `Z` for UTC. null if it is none. */
export function rfc3339Nano(text: string): string | null {
  const match = RFC3339.exec(text);
  if (match === null || unixSeconds(text) === null) return null;
  const [, date, time, fraction = '', zone] = match;
  const short = fraction.slice(0, 9).replace(/0+$/, '');
  return `${date}T${time}${short === '' ? '' : `.${short}`}${zone === '+00:00' || zone === '-00:00' ? 'Z' : zone}`;
}

/** Whole seconds since 1970, rounded down; null if it is no RFC 3339 time. */
export function unixSeconds(text: string): number | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, date, time, , zone] = match;
  const milliseconds = Date.parse(`${date}T${time}${zone}`);
  // JavaScript takes 30 February for 1 March, and Go refuses it.
  const day = new Date(Date.parse(`${date}T00:00:00Z`));
  if (Number.isNaN(milliseconds) || Number.isNaN(day.getTime())) return null;
  return day.toISOString().slice(0, 10) === date ? Math.floor(milliseconds / 1000) : null;
}

/** Seconds of Go's zero time, the beginning of the year 1. */
export const ZERO_TIME = -62135596800;

/** `2023-11-14T22:13:20Z` */
export const rfc3339 = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** `2023-11-14 22:13:20 +0000 UTC`, as time.Time's String. */
export const timeString = (seconds: number) =>
  `${rfc3339(seconds).replace('T', ' ').replace('Z', '')} +0000 UTC`;
