import { parseArgs } from 'node:util';

export interface Options {
  /** Run only the micro benchmarks. */
  readonly micro: boolean;
  readonly only: string | undefined;
  readonly size: string | undefined;
  readonly quick: boolean;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly readme: boolean;
  readonly list: boolean;
  readonly help: boolean;
  /** Paths of additional Node programs. */
  readonly nodes: readonly string[];
}

export const USAGE = `npm run bench [-- OPTIONS]          waybill against its peers, then the micro benchmarks
npm run bench -- micro [OPTIONS]    codecs, hashing, the walk of a tar and documents alone

  --only REGEX   races whose name has this in it
  --size IMAGE   races over this image: small, medium, large, huge (10 GB), many, single, ...
  --quick        one round over small images, to see that all of it works
  --rounds N     how often each contestant runs (5)
  --node PATH    another Node, beside this one; may be repeated
  --json FILE    write the results there
  --readme       write the results into bench/README.md
  --list         only say which races there are
The images are kept in $WAYBILL_BENCH_DIR, or else in the temporary folder.`;

/** @throws Error with a message for the user */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      size: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      readme: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      node: { type: 'string', multiple: true, default: [] },
    },
  });
  const [first, ...others] = positionals;
  if (others.length > 0 || (first !== undefined && first !== 'micro'))
    throw new Error(`"${positionals.join(' ')}" is not known; only "micro" is`);
  const { node, quick, rounds: text, ...rest } = values;
  const rounds = Number(text ?? (quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${text} is no number from 1`);
  return {
    ...rest,
    only: rest.only,
    size: rest.size,
    json: rest.json,
    micro: first === 'micro',
    quick,
    rounds,
    nodes: node,
  };
}
