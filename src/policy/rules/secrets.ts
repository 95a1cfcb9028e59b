import { shownStep } from '../../analysis/instruction.js';
import type { ImageSecret, SecretPlace } from '../../analysis/secrets.js';
import { pathFilter } from '../../containers/path-filter.js';
import type { Location } from '../../link/graph.js';
import { withoutSecrets } from '../../secrets/search.js';
import { SECRET_KINDS, type SecretKind } from '../../secrets/secret.js';
import { pointer } from '../../spec/json.js';
import { type Breach, defineRule, option } from '../rule.js';
import type { ImageSubject } from '../subject.js';
import { choice, flag, glob, listOf, textLike } from '../types.js';

const kind = choice(...(Object.keys(SECRET_KINDS) as [SecretKind, ...SecretKind[]]));

export const noSecrets = defineRule({
  code: 'no-secrets',
  subject: 'secrets',
  severity: 'error',
  what: 'There is no private key, credential or token in the files of any layer (a later layer may have deleted or replaced them), in environment variables, labels, annotations and build arguments, in the history, or in any other text of the config.',
  why: 'Each user who can pull the image can read all layers and the history. A file that a later instruction deletes is still in its layer, and a build argument is in the history of each RUN after it.',
  mend: 'First revoke the secret: each copy of the image contains it. Then build without it: `RUN --mount=type=secret,id=npmrc …` for what the build needs, `COPY --from=build` of the result alone, a .dockerignore for `.env`, `.git` and keys, and files or variables of the orchestrator for what the container needs. A finding has the fingerprint of the secret (the first 16 digits of its sha256) and never the value; `allow` takes paths of secrets that are there on purpose.',
  example:
    'no-secrets: on\n# or, with what is known\nno-secrets:\n  allow: [/etc/ssl/private/ssl-cert-snakeoil.key]\n  except: [encrypted-private-key]',
  options: {
    files: option(flag, 'search the files of all layers too, and not the config alone', true),
    except: option(listOf(kind, 'kinds of secrets'), 'kinds that are not looked for', []),
    allow: option(listOf(glob('a pattern of paths'), 'patterns of paths'), 'files that may have secrets', []),
    known: option(
      listOf(textLike('a fingerprint'), 'fingerprints'),
      'fingerprints of secrets that may be there',
      [],
    ),
  },
  needs: ({ files }) => (files ? { files: true, contents: { secrets: true } } : {}),
  *image(subject, { files, except, allow, known }) {
    const isAllowed = allow.length === 0 ? () => false : pathFilter(allow);
    for (const secret of subject.secrets) {
      if (except.includes(secret.kind) || known.includes(secret.fingerprint)) continue;
      const places = secret.places.filter(place => place.in !== 'file' || (files && !isAllowed(place.path)));
      if (places.length > 0) yield breachOf(subject, { ...secret, places });
    }
    const { unread } = subject;
    if (files && unread !== null) yield { unchecked: `not all of its files are known: ${unread}` };
    if (files) yield* unsearchedLayers(subject);
  },
  message: secretText,
  remedy: ({ places }) => REMEDIES[places[0]!.in],
});

/**
 * Layers whose search ended early. Hazard: a file that is made to exhaust the search would hide the secrets of the
 * files after it.
 */
function* unsearchedLayers({
  tables,
}: ImageSubject): Generator<{ unchecked: string; layer: number; key: string }> {
  for (const [layer, table] of tables.entries()) {
    const { spent = false, full = false } = table?.contents?.secrets ?? {};
    const reason = spent
      ? 'the text in the layers costs more to search than that of ordinary files'
      : 'it has more secrets than the limit layerSecrets';
    if (spent || full)
      yield { unchecked: `the search of a layer ended early: ${reason}`, layer, key: String(layer) };
  }
}

function breachOf(subject: ImageSubject, secret: ImageSecret): Breach<ImageSecret> {
  const [first] = secret.places as [SecretPlace];
  const paths = secret.places.map(place => (place.in === 'file' ? place.path : null));
  const breach = { data: secret, key: secret.fingerprint, ...(paths.length > 1 && { paths }) };
  if (first.in === 'file') return { ...breach, layer: first.layer, path: first.path };
  if (first.in === 'annotation') return breach;
  const at = placeOf(subject, first);
  if (first.in === 'history')
    return {
      ...breach,
      at,
      ...(first.layer !== null && { layer: first.layer }),
      instruction: stepOf(subject, first.step),
    };
  if (first.in === 'config') {
    const word = CONFIG_WORDS.find(([key]) => first.pointer.startsWith(`/config/${key}`))?.[1];
    return { ...breach, at, ...(word !== undefined && { instruction: instructionWith(subject, word, '') }) };
  }
  const name = 'name' in first ? first.name : '';
  return { ...breach, at, instruction: instructionWith(subject, WORDS[first.in], name) };
}

const WORDS = { env: 'ENV', label: 'LABEL', entrypoint: 'ENTRYPOINT', cmd: 'CMD' } as const;
const CONFIG_WORDS = [
  ['Healthcheck', 'HEALTHCHECK'],
  ['OnBuild', 'ONBUILD'],
  ['Shell', 'SHELL'],
] as const;

function placeOf(
  subject: ImageSubject,
  place: Exclude<SecretPlace, { in: 'file' | 'annotation' }>,
): Location {
  if (place.in === 'history') return { ...subject.configPlace(), pointer: pointer('/history', place.step) };
  if (place.in === 'config') return { ...subject.configPlace(), pointer: place.pointer };
  if (place.in !== 'label') return subject.configPlace(KEYS[place.in]);
  const { path, pointer: labels } = subject.configPlace(KEYS.label);
  return { path, pointer: pointer(labels ?? '', place.name) };
}

const KEYS = { env: 'Env', label: 'Labels', entrypoint: 'Entrypoint', cmd: 'Cmd' } as const;

const stepOf = ({ image }: ImageSubject, step: number): string | null =>
  shownStep(image.config?.parsed?.history[step]?.createdBy ?? '') || null;

/** The last instruction that sets a variable or label; null where the history does not tell. */
function instructionWith({ image }: ImageSubject, word: string, name: string): string | null {
  const lines = (image.config?.parsed?.history ?? []).map(({ createdBy }) => shownStep(createdBy ?? ''));
  return lines.findLast(line => line.startsWith(`${word} `) && line.includes(name)) ?? null;
}

/** Places that are told; with the rest, a finding fits on a screen. */
const TOLD = 4;

function secretText({ kind: code, name, fingerprint, places }: ImageSecret): string {
  const told = places.slice(0, TOLD).map(placeText);
  const more = places.length > TOLD ? [`${places.length - TOLD} more`] : [];
  // The variable with the URL is named as its place.
  const named = name === null || code === 'url-password' ? '' : ` ${name}`;
  return `${SECRET_KINDS[code]}${named} (fingerprint ${fingerprint}) in ${[...told, ...more].join('; ')}`;
}

function placeText(place: SecretPlace): string {
  if (place.in === 'file') {
    const { path, line, layer, removed } = place;
    const where = `/${path}, line ${line}, layer ${layer + 1}`;
    if (removed === null) return where;
    const verb = removed.how === 'deleted' ? 'deletes' : 'replaces';
    return removed.layer === layer
      ? `${where} (not in the file system)`
      : `${where} (layer ${removed.layer + 1} ${verb} it)`;
  }
  if (place.in === 'history') {
    const made = place.layer === null ? '' : `, layer ${place.layer + 1}`;
    return `the history, step ${place.step + 1}${made}`;
  }
  if (place.in === 'config') return `the config, ${withoutSecrets(place.pointer)}`;
  if (place.in === 'annotation') return `the annotation ${place.name}`;
  return 'name' in place ? `${WORDS[place.in]} ${place.name}` : WORDS[place.in];
}

const REMEDIES: Readonly<Record<SecretPlace['in'], string>> = {
  file: 'revoke it, and build without the file in any layer: RUN --mount=type=secret, COPY --from of the result, .dockerignore',
  env: 'revoke it, and let the container get it when it starts, or the build by RUN --mount=type=secret',
  label: 'revoke it, and leave it out of the labels',
  annotation: 'revoke it, and leave it out of the annotations',
  config: 'revoke it, and leave it out of the instruction that sets this',
  entrypoint: 'revoke it, and let the container get it when it starts',
  cmd: 'revoke it, and let the container get it when it starts',
  history: 'revoke it, and use RUN --mount=type=secret in place of a build argument or the command line',
};

export const secretRules = [noSecrets];
