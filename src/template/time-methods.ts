// The methods of time.Time with one result, as far as they need no location.
import { DURATION, MONTH, WEEKDAY } from './duration.js';
import type { Func, Parameter } from './func.js';
import {
  type Clock,
  clockOf,
  formatTime,
  type Moment,
  momentOf,
  timeGoSyntax,
  timeText,
  ZERO_TIME,
} from './time.js';
import { BOOL, INT, INT64, pointerTo, STRING, struct, TIME, type Type, type Value, value } from './types.js';

const MAX_DURATION = 2n ** 63n - 1n;

type Method = (moment: Moment, args: readonly Value[], text: string) => Value;

const method = (parameters: readonly Parameter[], run: Method) => ({ parameters, run });
const ofClock = (type: Type, field: keyof Clock) => method([], moment => value(type, clockOf(moment)[field]));
const since1970 = (perSecond: bigint) =>
  method([], m =>
    value(
      INT64,
      (nanoseconds(m) - modulo(nanoseconds(m), 1_000_000_000n / perSecond)) / (1_000_000_000n / perSecond),
    ),
  );
const compared = (type: Type, tell: (order: number) => unknown) =>
  method([TIME], (moment, [other]) => {
    const difference = nanoseconds(moment) - nanoseconds(momentOf(other!.raw as string));
    return value(type, tell(difference < 0n ? -1 : difference > 0n ? 1 : 0));
  });

const nanoseconds = ({ seconds, nanoseconds: rest }: Moment): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(rest);
const modulo = (a: bigint, n: bigint): bigint => ((a % n) + n) % n;

function momentAt(at: bigint, offset: number): Value {
  const rest = modulo(at, 1_000_000_000n);
  const moment = { seconds: Number((at - rest) / 1_000_000_000n), nanoseconds: Number(rest), offset };
  return value(TIME, formatTime(moment, '2006-01-02T15:04:05.999999999Z07:00'));
}

const METHODS: Readonly<Record<string, { readonly parameters: readonly Parameter[]; readonly run: Method }>> =
  {
    Format: method([STRING], (moment, [layout]) => value(STRING, formatTime(moment, layout!.raw as string))),
    String: method([], (_moment, _args, text) => value(STRING, timeText(text))),
    GoString: method([], (_moment, _args, text) => value(STRING, timeGoSyntax(text))),
    IsZero: method([], moment => value(BOOL, nanoseconds(moment) === nanoseconds(ZERO_TIME))),
    IsDST: method([], () => value(BOOL, false)),
    UTC: method([], moment => momentAt(nanoseconds(moment), 0)),
    Local: method([], moment => momentAt(nanoseconds(moment), 0)),
    Unix: since1970(1n),
    UnixMilli: since1970(1000n),
    UnixMicro: since1970(1_000_000n),
    UnixNano: since1970(1_000_000_000n),
    Year: ofClock(INT, 'year'),
    Month: ofClock(MONTH, 'month'),
    Day: ofClock(INT, 'day'),
    Weekday: ofClock(WEEKDAY, 'weekday'),
    YearDay: ofClock(INT, 'yearDay'),
    Hour: ofClock(INT, 'hour'),
    Minute: ofClock(INT, 'minute'),
    Second: ofClock(INT, 'second'),
    Nanosecond: method([], moment => value(INT, moment.nanoseconds)),
    Equal: compared(BOOL, order => order === 0),
    Before: compared(BOOL, order => order < 0),
    After: compared(BOOL, order => order > 0),
    Compare: compared(INT, order => order),
    Add: method([DURATION], (moment, [duration]) =>
      momentAt(nanoseconds(moment) + BigInt(duration!.raw as number), moment.offset),
    ),
    Sub: method([TIME], (moment, [other]) => {
      const difference = nanoseconds(moment) - nanoseconds(momentOf(other!.raw as string));
      const capped =
        difference > MAX_DURATION
          ? MAX_DURATION
          : difference < -MAX_DURATION
            ? -MAX_DURATION - 1n
            : difference;
      return value(DURATION, capped);
    }),
    AddDate: method([INT, INT, INT], (moment, [years, months, days]) => {
      const date = new Date((moment.seconds + moment.offset) * 1000);
      const whole = (number: Value | undefined) => Number(number!.raw);
      date.setUTCFullYear(
        date.getUTCFullYear() + whole(years),
        date.getUTCMonth() + whole(months),
        date.getUTCDate() + whole(days),
      );
      const seconds = BigInt(date.getTime() / 1000 - moment.offset);
      return momentAt(seconds * 1_000_000_000n + BigInt(moment.nanoseconds), moment.offset);
    }),
  };

/** A method of the time that the text tells, or null. */
export function timeMethod(text: string, name: string): Func | null {
  const found = Object.hasOwn(METHODS, name) ? METHODS[name]! : null;
  if (found === null) return null;
  const call: Func['call'] = args => found.run(momentOf(text), args as readonly Value[], text);
  return { parameters: found.parameters, call };
}

const PARTS = struct('time.Time', [
  { name: 'wall', type: { kind: 'uint', bits: 64 } },
  { name: 'ext', type: INT64 },
  { name: 'loc', type: pointerTo(struct('time.Location', [])) },
]);

/** The struct behind a time, which verbs that are not for text print. */
export function timeParts(text: string): Value {
  const { seconds, nanoseconds: wall, offset } = momentOf(text);
  return value(PARTS, { wall, ext: seconds - ZERO_TIME.seconds, loc: offset === 0 ? null : {} });
}
