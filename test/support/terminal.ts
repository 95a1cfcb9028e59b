// Runs the command line without a process, and returns its output.
import { existsSync } from 'node:fs';
import { parser } from '../../src/cli/parser.js';
import type { World } from '../../src/cli/terminal.js';
import { type Answer, InputError, readArchive, UsageError } from '../../src/commands.js';
import { toJson } from '../../src/format/json.js';
import { toText } from '../../src/format/text.js';

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: 0 | 1 | 2;
}

const readings = new Map<string, ReturnType<typeof readArchive>>();

/** @param now  the time from which relative times are computed */
export async function said(args: readonly string[], { now = new Date(), lists = '' } = {}): Promise<Said> {
  let answer: Answer | null = null;
  const put: Uint8Array[] = [];
  const terminal: World = {
    within: async () => {},
    read(archive, options) {
      // A command that lists images discards the rest of a reading, so it cannot be shared.
      const key = JSON.stringify([
        archive,
        options,
        args.some(word => /^(images|ls|list)$/.test(word)) ? args : [],
      ]);
      const reading = readings.get(key) ?? readArchive(archive, options);
      readings.set(key, reading);
      return reading;
    },
    async print(result, { json }) {
      const stdout = json ? toJson(result.data) : toText(result.doc, { width: null, color: false });
      answer = { stdout, notes: [], exitCode: result.exitCode };
    },
    async answer(given) {
      answer = given;
    },
    async put(bytes) {
      put.push(bytes.slice());
    },
    exists: existsSync,
    lists: () => lists,
    now: () => now,
    progress: work => work(() => {}),
    width: () => null,
  };
  try {
    await parser(args, terminal).parseAsync();
  } catch (error) {
    if (!(error instanceof InputError || error instanceof UsageError)) throw error;
    return { stdout: '', stderr: error.message, status: 2 };
  }
  const { stdout, notes, exitCode } = answer!;
  const text = typeof stdout === 'string' ? stdout : Buffer.from(stdout).toString();
  return { stdout: Buffer.concat(put).toString() + text, stderr: notes.join('\n'), status: exitCode };
}
