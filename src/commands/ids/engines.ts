import { type EngineStop, formatLine, type UnknownCause } from '../../decoding/refused.js';
import type { EngineName, EngineVerdict } from '../../engines/predict.js';
import type { EngineNote, LoadedInstead, OutcomeCode } from '../../engines/verdict.js';
import { limitText } from '../../limits.js';
import { type Doc, type Span, span, type Text, text } from '../../report/doc.js';

/** The outcome of one image in one engine. Exactly one of `id` and `refusal` is null. */
export interface EngineReport {
  readonly engine: EngineName;
  readonly outcome: OutcomeCode;
  /** The ID that the engine will give the image (docker, podman), or the digest that it prints (skopeo, crane). */
  readonly id: string | null;
  /**
   * The reason why the engine does not load the image. For the outcome `refused`, the engine's own words, with
   * temporary paths as DIR or FILE. A text for reports; programs should use `outcome`.
   */
  readonly refusal: string | null;
  /** Other things that a user should know. */
  readonly note: string | null;
}

export function engineReport(verdict: EngineVerdict): EngineReport {
  const { engine, outcome, notes } = verdict;
  return {
    engine,
    outcome,
    id: verdict.outcome === 'accepted' ? verdict.id : null,
    refusal: verdict.outcome === 'accepted' ? null : refusalText(verdict),
    note: notes.map(noteText).join('; ') || null,
  };
}

type NotAccepted = Exclude<EngineVerdict, { readonly outcome: 'accepted' }>;

const refusalText = (verdict: NotAccepted): string =>
  verdict.outcome === 'loads-another' ? insteadText(verdict.loads) : stopText(verdict);

/** The reason why a modelled engine ended early: its own words, or the data that waybill does not know. */
export const stopText = (stop: EngineStop): string =>
  stop.outcome === 'refused' ? stop.message : unknownText(stop.cause);

/** A text for each code of a union, made of the data that comes with it. */
type Texts<Coded extends { readonly code: string }> = {
  readonly [Code in Coded['code']]: (data: Extract<Coded, { readonly code: Code }>) => string;
};

const INSTEAD: Texts<LoadedInstead> = {
  none: () => 'loads no image',
  'empty-list': () => 'loads no image: manifest.json lists none',
  'all-listed': ({ document }) => `loads another image: only those that ${document} lists`,
  'only-listed': () => 'loads another image: the one that index.json lists',
  'directory-manifest': () => 'loads another image: the one that manifest.json describes',
  'v1-folders': () => 'loads another image: only what the folders at the top hold',
  'same-name': ({ item }) =>
    `loads another image: item ${item + 1} of manifest.json, which has the same name`,
  'index-entry': () => 'loads another image: the one that index.json names',
  platform: ({ os, architecture, variant }) =>
    `loads another image: ${[os, architecture, variant].filter(part => part !== '').join('/')}`,
  named: () => 'loads another image: those that have a name in index.json',
  latest: () => 'loads another image: the one that index.json calls latest',
};

const insteadText = (loads: LoadedInstead): string => INSTEAD[loads.code](loads as never);

const CAUSES: Texts<UnknownCause> = {
  'not-read': ({ path }) => `${path} was not read`,
  'unpacked-size-not-read': ({ path }) => `the size of ${path} unpacked was not read`,
  'manifest-not-read': () => 'its manifest was not read',
  unreadable: ({ path, reason }) => `${path} cannot be read: ${reason}`,
  limit: ({ path, reached }) => `${path === null ? '' : `${path}: `}${limitText(reached)}`,
  'not-a-file': ({ path }) => `${path} is no file`,
  'tar-type': ({ path }) => `${path} is of a tar type that waybill does not read`,
  sparse: ({ path }) => `${path} is a sparse file, whose holes waybill does not fill in`,
  'global-header': ({ path }) => `a global PAX header is called ${path}, which is an entry to some engines`,
  'link-chain': ({ path }) => `${path} is a link to a link, on and on`,
  'link-leads-out': ({ path }) => `${path} is behind a link that leads out of the directory`,
  'parent-cycle': ({ folder }) => `the parents of ${folder} are a circle, on which docker never ends`,
  'number-form': ({ path }) => `${path} has numbers that are no plain integers`,
  'index-cycle': ({ digest }) => `${digest} lists itself`,
  fetched: ({ digest, url }) => `it fetches ${digest} from ${url}`,
  'tar-or-zstd': () => 'it takes the file for a tar, and waybill for zstd data',
  'gzip-reserved-flags': () =>
    'reserved flags are set in a gzip header, which engines ignore and waybill does not',
};

const unknownText = (cause: UnknownCause): string => `cannot be told: ${CAUSES[cause.code](cause as never)}`;

const NOTES: Texts<EngineNote> = {
  'stored-all-the-same': ({ id }) => `the image is stored all the same, as ${id}`,
  'stops-at-another': ({ stop }) => `then fails at another image: ${stopText(stop)}`,
  'name-not-found': ({ name }) =>
    `docker keeps it under the name "${name}", by which its commands do not find it`,
  'name-taken': ({ name, by }) => `docker gives the name "${name}" to ${by}, which comes later`,
  'other-driver': ({ driver, message }) => `with ${DRIVERS[driver]} it refuses: ${message}`,
  'unpacking-fails': ({ message }) => `prints \`Error unpacking image\` (${message}) and keeps the ID`,
  'unpacking-unknown': ({ cause }) => `whether it can be unpacked ${unknownText(cause)}`,
  'layers-not-read': () => 'layers were taken at their word, not read',
  'packed-by-crane': () =>
    'the image ID: crane compresses plain layers itself, and the digest that it prints depends on that',
  'empty-store': () =>
    'the ID assumes an empty store: where containerd already holds a layer compressed, it names that one',
  'by-index': ({ index, digest }) => `asked for docker-archive:FILE:@${index} it prints ${digest}`,
  'user-lookup': ({ user }) =>
    `if the image's /etc/passwd and /etc/group have its user ${JSON.stringify(user)}`,
  'no-name-in-index': () => 'index.json gives it no name to ask for',
  'directory-as-tar': () => 'as a tar of this directory',
  'zip-not-read': ({ command }) => `${command} cannot read a zip: unpack it first`,
  'plain-tar-only': () => 'crane reads plain tars alone: decompress it first',
};

const DRIVERS = { vfs: 'the vfs driver', overlay: 'the overlay driver', overlay2: 'overlay2' } as const;

const noteText = (note: EngineNote): string => NOTES[note.code](note as never);

const LABELS: Readonly<Record<EngineName, string>> = {
  'docker-classic': 'docker, classic store',
  'docker-containerd': 'docker, containerd store',
  podman: 'podman',
  'skopeo-docker-archive': 'skopeo docker-archive:',
  'skopeo-oci-archive': 'skopeo oci-archive:',
  crane: 'crane',
  'podman-directory': 'podman load -i DIR',
  'skopeo-oci': 'skopeo oci:',
  'skopeo-dir': 'skopeo dir:',
  umoci: 'umoci',
};

/** The outcomes of one image, or of a file without an image, in every engine. */
export const afterLoading = (verdicts: readonly EngineVerdict[]): Doc => [
  text([span('after loading this file', 'strong')], 2),
  { kind: 'pairs', rows: verdicts.flatMap(engineRows) },
];

/** A refusal of several lines has a row for each. */
function engineRows(verdict: EngineVerdict): [string, Text][] {
  const [first = '', ...more] = linesOf(verdict);
  const { note } = engineReport(verdict);
  const spans: (string | Span)[] = [...OUTCOMES[verdict.outcome](first)];
  return [
    [LABELS[verdict.engine], note === null ? spans : [...spans, span(`  (${note})`, 'dim')]],
    ...more.map((line): [string, Text] => ['', [`  ${line.trim()}`]]),
  ];
}

/** The lines of a refusal, without the error that podman prints for every file, or for every directory. */
function linesOf(verdict: EngineVerdict): string[] {
  if (verdict.outcome === 'accepted') return [verdict.id];
  if (verdict.outcome !== 'refused') return [refusalText(verdict)];
  const { message, formats } = verdict;
  if (formats === undefined) return message.split('\n');
  const { head, errors } = formats;
  const own = errors.filter(({ isConstant }) => !isConstant);
  return [head, ...own.flatMap(error => formatLine(error).split('\n'))];
}

const OUTCOMES: Readonly<Record<OutcomeCode, (line: string) => readonly (string | Span)[]>> = {
  accepted: id => [id],
  refused: message => [span('refuses: ', 'bad'), message],
  'loads-another': line => [span(line, 'warn')],
  unknown: line => [span(line, 'warn')],
};
