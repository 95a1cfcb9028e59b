// Loaded before the program (`node --import`), in its main thread and in its workers: makes one call of one function
// fail, and records unhandled errors. It changes nothing else.
import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { isMainThread } from 'node:worker_threads';

/** A fault at the n-th call of one of node's functions. */
export interface Fault {
  /** `fs.readSync`, `fs.promises.readdir`, `handle.read`, `hash.update`, `JSON.parse`, `stdout.write`, `pipe.read` … */
  readonly call: string;
  /** From 1 (default), counted in each thread separately, among the calls that match. */
  readonly nth?: number;
  /** Every call from the n-th on. */
  readonly onwards?: boolean;
  /** Only in the first thread that gets to it. */
  readonly once?: boolean;
  /** Only calls with a path that contains this; a descriptor has the path that it was opened with. */
  readonly path?: string;
  readonly thread?: 'main' | 'worker';
  readonly does: Effect;
}

export type Effect =
  /** Calls are only counted. */
  | { readonly kind: 'nothing' }
  /** The call fails with a system error. */
  | { readonly kind: 'error'; readonly code: string }
  /** The process receives a signal, then the call continues. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** Another process truncates or removes a file; then the call continues. */
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  | { readonly kind: 'remove'; readonly file: string }
  /** Another process replaces a file, or writes into it. */
  | { readonly kind: 'replace'; readonly file: string; readonly by: string }
  | { readonly kind: 'overwrite'; readonly file: string; readonly at: number; readonly text: string }
  /** The thread ends immediately. */
  | { readonly kind: 'exit' }
  /** The thread allocates memory until it runs out. */
  | { readonly kind: 'exhaust' }
  /** An unexpected error: thrown by the call, or outside of any call. */
  | { readonly kind: 'throw' }
  | { readonly kind: 'crash' }
  /** A promise that never settles. */
  | { readonly kind: 'never' };

/** Environment variables of the program: the faults as JSON, the file for the record, and the factor for the clock. */
export const [FAULTS, RECORD, HURRY] = [
  'WAYBILL_TEST_FAULTS',
  'WAYBILL_TEST_RECORD',
  'WAYBILL_TEST_HURRY',
] as const;

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Callable = Record<string, Call>;

const THROWN = 'thrown by a test';

// Opened before anything fails, and before the program uses up its descriptors.
const { openSync, closeSync, writeSync, readlinkSync, truncateSync, unlinkSync, renameSync } = fs;
const file = process.env[RECORD];
const fd = file === undefined ? null : openSync(file, 'a');
const record = (line: string) => void (fd !== null && writeSync(fd, `${line}\n`));

/** A system error as node creates it. */
function systemError(code: string, call: string, path: string | null): Error {
  const [errno, [, message]] = [...getSystemErrorMap()].find(([, [name]]) => name === code)!;
  const syscall = call.slice(call.lastIndexOf('.') + 1).replace(/Sync$/, '');
  const shown = path === null ? '' : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${message}, ${syscall}${shown}`), { errno, code, syscall });
}

/** The path of a call: its first argument, or the path with which that descriptor was opened. */
function pathOf(subject: unknown): string | null {
  if (typeof subject === 'string') return subject;
  if (subject instanceof Uint8Array) return Buffer.from(subject).toString('latin1');
  const descriptor = typeof subject === 'number' ? subject : (subject as { fd?: unknown } | undefined)?.fd;
  if (typeof descriptor !== 'number') return null;
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return null;
  }
}

function overwrite(file: string, at: number, text: string): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, text, at);
  closeSync(fd);
}

/** True if no other thread has reached a fault before. */
function isFirst({ call }: Fault): boolean {
  try {
    openSync(`${file}.${call}`, 'wx');
    return true;
  } catch {
    return false;
  }
}

/** @returns the error with which the call should fail, or null if it should continue */
function happen({ call, does }: Fault, path: string | null): Error | null {
  record(`fault ${call}`);
  if (does.kind === 'error') return systemError(does.code, call, path);
  if (does.kind === 'throw') return new Error(THROWN);
  if (does.kind === 'crash')
    process.nextTick(() => {
      throw new Error(THROWN);
    });
  if (does.kind === 'exit') process.exit(9);
  // In small steps, so that Node can end the thread before V8 ends the process.
  if (does.kind === 'exhaust') for (const all: string[] = []; ; ) all.push(`${all.length}`.padStart(20));
  if (does.kind === 'truncate') truncateSync(does.file, does.size);
  if (does.kind === 'remove') unlinkSync(does.file);
  if (does.kind === 'replace') renameSync(does.by, does.file);
  if (does.kind === 'overwrite') overwrite(does.file, does.at, does.text);
  if (does.kind === 'signal') process.kill(process.pid, does.signal);
  return null;
}

type Manner = 'sync' | 'promise' | 'callback';

/** Replaces a function by one that counts its calls. It fails in the function's own manner. */
function replace(owner: Callable, name: string, fault: Fault, manner: Manner): void {
  const original = owner[name]!;
  const { call, nth = 1, onwards = false } = fault;
  let calls = 0;
  const replaced: Call = function (...args) {
    const subject = call.startsWith('handle.') ? this : args[0];
    const matches = fault.path === undefined || pathOf(subject)?.includes(fault.path) === true;
    if (matches) calls++;
    const isDue = matches && (onwards ? calls >= nth : calls === nth);
    if (!isDue || (fault.once === true && !isFirst(fault))) return original.apply(this, args);
    const error = happen(fault, typeof subject === 'string' ? subject : null);
    if (fault.does.kind === 'never') return new Promise(() => {});
    if (error === null) return original.apply(this, args);
    if (manner === 'promise') return Promise.reject(error);
    if (manner === 'sync') throw error;
    return process.nextTick(args.at(-1) as (error: Error) => void, error);
  };
  // `promisify` finds the function's results by these symbols.
  for (const key of Object.getOwnPropertySymbols(original))
    Object.defineProperty(replaced, key, Object.getOwnPropertyDescriptor(original, key)!);
  owner[name] = replaced;
}

/** Data from a pipe is passed to a callback: the fault occurs before that. */
function replacePipe(fault: Fault): void {
  const calls: Callable = { read: (callback, ...args) => (callback as Call)(...args) };
  net.Socket = new Proxy(net.Socket, {
    construct(socket, [options], newTarget) {
      const { callback } = options.onread ?? {};
      if (callback === undefined) return Reflect.construct(socket, [options], newTarget);
      const read: Call = (...args) => {
        try {
          return calls.read!(callback, ...args);
        } catch (error) {
          made.destroy(error);
          return false;
        }
      };
      const onread = { ...options.onread, callback: read };
      const made = Reflect.construct(socket, [{ ...options, onread }], newTarget);
      return made;
    },
  });
  replace(calls, 'read', fault, 'sync');
}

async function install(fault: Fault): Promise<void> {
  if (fault.call === 'pipe.read') return replacePipe(fault);
  const dot = fault.call.lastIndexOf('.');
  const [place, name] = [fault.call.slice(0, dot), fault.call.slice(dot + 1)];
  const at = async (): Promise<readonly [unknown, Manner]> => {
    if (place === 'fs') return [fs, name.endsWith('Sync') ? 'sync' : 'callback'];
    if (place === 'fs.promises') return [fs.promises, 'promise'];
    if (place === 'JSON') return [JSON, 'sync'];
    if (place === 'Atomics') return [Atomics, 'sync'];
    if (place === 'hash') return [Object.getPrototypeOf(crypto.createHash('sha256')), 'sync'];
    if (place === 'stdout') return [process.stdout, 'sync'];
    const handle = await fs.promises.open(process.execPath);
    await handle.close();
    return [Object.getPrototypeOf(handle), 'promise'];
  };
  const [owner, manner] = await at();
  replace(owner as Callable, name, fault, manner);
}

process.on('uncaughtExceptionMonitor', (error, origin) => {
  // A worker whose file cannot be opened ends in Node's own loader, and its pool reports that.
  const isLoading = !isMainThread && (error as NodeJS.ErrnoException).code === 'EMFILE';
  if (error.message !== THROWN && !isLoading) record(`${origin}: ${error.stack ?? error.message}`);
});
process.on('warning', warning => record(`warning: ${warning.stack ?? warning.message}`));

for (const fault of JSON.parse(process.env[FAULTS] ?? '[]') as readonly Fault[])
  if (fault.thread === undefined || (fault.thread === 'main') === isMainThread) await install(fault);
syncBuiltinESMExports();

const hurry = Number(process.env[HURRY] ?? 0);
if (hurry > 0) {
  const now = Date.now;
  let gone = 0;
  Date.now = () => {
    gone += hurry;
    return now() + gone;
  };
}
