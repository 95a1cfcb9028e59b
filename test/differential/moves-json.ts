// JSON that decoders read differently: keys, numbers, text before and after the value.
import { textOf } from '../support/digest.js';
import { chosenTwins, type Draft, replace, type Twins, twinsOf } from './draft.js';
import type { Move } from './move.js';
import { filePiece, type Piece } from './piece.js';
import { rewrite } from './rewrite.js';

interface Edited {
  readonly text: string;
  /** The text of EVIL's document in the same place. */
  readonly evil: string;
  readonly draft: Draft;
}

const isJson = ({ body }: Piece) => body[0] === 0x7b || body[0] === 0x5b;

/** Edits a JSON document and updates the digests that refer to it, so that only the edit is odd. */
const edited = (
  name: string,
  does: string,
  edit: (document: Edited) => string | Buffer,
  fits: RegExp = /./,
): Move => ({
  name,
  does,
  pieces: draft => {
    const all = twinsOf(draft).filter(({ target }) => isJson(target) && fits.test(textOf(target.body)));
    if (all.length === 0) return;
    const { target, twin } = draft.random.pick(all);
    addLeaves(draft);
    const made = edit({ text: textOf(target.body), evil: textOf(twin.body), draft });
    rewrite(draft, target, typeof made === 'string' ? Buffer.from(made) : made);
  },
});

/** Adds EVIL's blobs before all others, because an edited document may refer to them. */
function addLeaves(draft: Draft): void {
  const known = new Set(draft.pieces.map(({ path }) => path));
  draft.pieces.unshift(...draft.evilPieces.filter(({ path }) => !known.has(path)));
}

/** The end of the JSON value that begins at `from`. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') at = text.indexOf('"', at + 1);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    if (depth < 0) return at;
    if (depth === 0 && /[}\]",]/.test(char)) return char === ',' ? at : at + 1;
  }
  return text.length;
}

interface Found {
  readonly at: number;
  readonly end: number;
  readonly value: string;
}

function member(text: string, key: string): Found | null {
  const found = new RegExp(`"${key}":\\s*`).exec(text);
  if (found === null) return null;
  const from = found.index + found[0].length;
  const end = valueEnd(text, from);
  return { at: found.index, end, value: text.slice(from, end) };
}

const KEYS = [
  'manifests',
  'config',
  'layers',
  'digest',
  'Config',
  'Layers',
  'rootfs',
  'diff_ids',
  'RepoTags',
  'mediaType',
];

/** A key that both documents have, with its values. */
function bothSay({ text, evil, draft }: Edited): { key: string; mine: Found; theirs: Found } | null {
  const found = KEYS.flatMap(key => {
    const [mine, theirs] = [member(text, key), member(evil, key)];
    return mine !== null && theirs !== null && mine.value !== theirs.value ? [{ key, mine, theirs }] : [];
  });
  return found.length === 0 ? null : draft.random.pick(found);
}

/** Adds EVIL's value under another spelling of the key, before or after GOOD's. */
function beside(
  document: Edited,
  mineAs: (key: string) => string,
  theirsAs: (key: string) => string,
): string {
  const found = bothSay(document);
  if (found === null) return document.text;
  const { key, mine, theirs } = found;
  const own = `"${mineAs(key)}":${mine.value}`;
  const other = `"${theirsAs(key)}":${theirs.value}`;
  const both = document.draft.random.oneIn(2) ? `${other},${own}` : `${own},${other}`;
  return document.text.slice(0, mine.at) + both + document.text.slice(mine.end);
}

const same = (key: string) => key;
const upper = (key: string) => key.toUpperCase();
const turned = (key: string) =>
  key[0] === key[0]!.toUpperCase() ? key.toLowerCase() : key[0]!.toUpperCase() + key.slice(1);
const long = (key: string) => key.replace(/s/, '\u017f');
const escaped = (key: string) => `\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}`;

/** Replaces a number by another spelling of it. */
const number = (name: string, does: string, spell: (digits: string) => string): Move =>
  edited(
    name,
    does,
    ({ text, draft }) => {
      const all = [...text.matchAll(/"(?:size|schemaVersion)":\s*(\d+)/g)];
      if (all.length === 0) return text;
      const [whole, digits] = draft.random.pick(all);
      return text.replace(whole, whole.replace(/\d+$/, spell(digits!)));
    },
    /"(?:size|schemaVersion)":/,
  );

const without = (name: string, does: string, pattern: RegExp, by = ''): Move =>
  edited(name, does, ({ text }) => text.replace(pattern, by), pattern);

/** Changes a document with a fixed name as a whole. */
const whole = (
  name: string,
  does: string,
  change: (twins: Twins, draft: Draft) => string | Buffer,
): Move => ({
  name,
  does,
  pieces: draft => {
    const twins = chosenTwins(draft);
    if (twins === null || !isJson(twins.target)) return;
    addLeaves(draft);
    const made = change(twins, draft);
    replace(draft, twins.target, filePiece(twins.target.path, Buffer.from(made)));
  },
});

export const jsonMoves: readonly Move[] = [
  edited('key-repeated', 'A key twice: the last one counts for Go.', document =>
    beside(document, same, same),
  ),
  edited('key-upper', 'A repeated key in capitals, which Go regards as the same.', document =>
    beside(document, same, upper),
  ),
  edited('key-turned', 'A key once more with another first letter.', document =>
    beside(document, same, turned),
  ),
  edited('key-none-exact', 'Two keys that fold to one, neither of them exact.', document =>
    beside(document, turned, upper),
  ),
  edited('key-long-s', 'A key with the long s of Unicode, which Go folds to s.', document =>
    beside(document, same, long),
  ),
  edited('key-escaped', 'A key written with an escape.', document => beside(document, same, escaped)),
  edited('key-only-folded', 'A key only in another spelling.', document => {
    const found = bothSay(document);
    if (found === null) return document.text;
    const { key, mine } = found;
    const own = `"${turned(key)}":${mine.value}`;
    return [document.text.slice(0, mine.at), own, document.text.slice(mine.end)].join('');
  }),
  edited('key-null', 'A key twice, the second time with null.', document => {
    const found = bothSay(document);
    if (found === null) return document.text;
    const { key, mine } = found;
    return `${document.text.slice(0, mine.end)},"${key}":null${document.text.slice(mine.end)}`;
  }),
  edited(
    'list-merged',
    'A list twice: Go decodes the second one into the elements of the first.',
    document => {
      const { text, draft } = document;
      const found = member(text, draft.random.pick(['manifests', 'layers', 'Layers']));
      if (found === null) return text;
      const key = text.slice(found.at, found.end);
      return `${text.slice(0, found.end)},${key.replace(/:\s*\[.*/s, ':[{}]')}${text.slice(found.end)}`;
    },
  ),
  number('number-float', 'A number with a fraction of zero, which Go refuses for an integer.', n => `${n}.0`),
  number('number-exponent', 'A number with an exponent.', n => `${n}e0`),
  number('number-string', 'A number as a string.', n => `"${n}"`),
  number('number-null', 'null in place of a number.', () => 'null'),
  number('number-negative', 'A negative number.', n => `-${n}`),
  number('number-large', 'A number that no int64 holds.', () => '92233720368547758080'),
  number('number-other', 'Another number.', n => String(Number(n) + 1)),
  number('number-one', 'One in place of a number: schemaVersion 1 is a manifest of another kind.', () => '1'),
  number('number-zero', 'Zero in place of a number.', () => '0'),
  without('schema-missing', 'No schemaVersion.', /"schemaVersion":\s*2,\s*/),
  without(
    'media-type-missing',
    'No media type in the document itself.',
    /(?<="schemaVersion":\s*2,\s*)"mediaType":\s*"[^"]*",\s*/,
  ),
  without('size-missing', 'A descriptor without a size.', /,\s*"size":\s*\d+/),
  without('layers-null', 'null in place of a list.', /("[lL]ayers"|"manifests"):\s*\[[^\]]*\]/, '$1:null'),
  without('digest-upper', 'A digest in capitals.', /sha256:[0-9a-f]{64}/, 'SHA256:'),
  edited('digest-capitals', 'The hex of a digest in capitals.', ({ text }) =>
    text.replace(/sha256:([0-9a-f]{64})/, (_, hex: string) => `sha256:${hex.toUpperCase()}`),
  ),
  edited('digest-path', 'A digest with a path in it.', ({ text }) =>
    text.replace(/sha256:(?=[0-9a-f]{64})/, 'sha256:../sha256/'),
  ),
  edited(
    'second-value',
    'A second JSON value after the first: a stream decoder stops before it.',
    ({ text, evil }) => text + evil,
  ),
  edited('second-value-first', 'EVIL first, followed by GOOD.', ({ text, evil }) => evil + text),
  edited('trailing-bytes', 'Bytes after the document.', ({ text }) => `${text}\nx`),
  edited('trailing-nul', 'NULs after the document.', ({ text }) => `${text}\0\0`),
  edited('bom', 'A byte order mark in front.', ({ text }) => `\ufeff${text}`),
  edited('utf-16', 'The document in UTF-16.', ({ text }) => Buffer.from(`\ufeff${text}`, 'utf16le')),
  edited('white-space', 'White space that Unicode knows and JSON does not.', ({ text }) => `\u00a0${text}`),
  edited('bad-utf8', 'A byte that is not UTF-8 in a text: Go replaces it by U+FFFD.', ({ text }) =>
    Buffer.from(text.replace(/"1"|"app:1"|"amd64"/, '"a\xff"'), 'latin1'),
  ),
  edited(
    'comment',
    'A comment, which JSON has not.',
    ({ text }) => `${text.slice(0, 1)}/* x */${text.slice(1)}`,
  ),
  edited('deep', 'Ten thousand lists in each other under a key that is not known.', ({ text }) =>
    text.replace(/\{/, `{"x":${'['.repeat(9000)}${']'.repeat(9000)},`),
  ),
  without(
    'descriptor-type-missing',
    'A descriptor without a media type.',
    /(?<=\{)"mediaType":\s*"[^"]*",\s*(?="digest"|"size")/,
  ),
  without('platform-null', 'null in place of a platform.', /"platform":\{[^}]*\}/, '"platform":null'),
  without('diff-ids-missing', 'A config without diff_ids.', /"diff_ids":\s*\[[^\]]*\]/, '"diff_ids":[]'),
  without(
    'diff-ids-more',
    'A config with a diff_id more than there are layers.',
    /("diff_ids":\s*\[("[^"]*"))/,
    '$1,$2',
  ),
  without('rootfs-missing', 'A config without rootfs.', /,"rootfs":\{[^}]*\}/),
  without('rootfs-type', 'A rootfs of another type.', /"type":"layers"/, '"type":"layers+base"'),
  without('config-os', 'A config for another system.', /"os":"linux"/, '"os":"windows"'),
  without(
    'config-architecture',
    'A config for another machine.',
    /"architecture":"amd64"/,
    '"architecture":"arm64"',
  ),
  without(
    'config-created',
    'A config with an invalid time.',
    /"created":"2023[^"]*","(?=history)/,
    '"created":"once","',
  ),
  without(
    'history-more',
    'A history with a layer more than there are.',
    /("history":\s*\[)/,
    '$1{"created_by":"x"},',
  ),
  edited(
    'diff-ids-evil',
    "GOOD's config with EVIL's diff_ids.",
    ({ text, evil }) => {
      const [mine, theirs] = [member(text, 'diff_ids'), member(evil, 'diff_ids')];
      return mine === null || theirs === null ? text : text.replace(mine.value, theirs.value);
    },
    /"diff_ids"/,
  ),
  edited(
    'name-other',
    'A name that is not a reference, or has another form.',
    ({ text, draft }) =>
      text.replace(
        /"(1|app:1)"/,
        `"${draft.random.pick(['', 'App:1', 'app', 'app@sha256:1', 'a b', 'docker.io/library/app:1'])}"`,
      ),
    /"(1|app:1)"/,
  ),
  whole('blob-swapped', "EVIL's bytes under GOOD's name.", ({ twin }) => Buffer.from(twin.body)),
  whole('item-list', 'A list where an object should be, or the other way round.', ({ target }) => {
    const text = textOf(target.body);
    return text.startsWith('[') ? text.slice(1, -1) : `[${text}]`;
  }),
];
