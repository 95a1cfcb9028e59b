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
