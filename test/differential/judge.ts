// Compares waybill's report of an archive with what engines load.
import { InputError, idsReport, readArchive, reportOf, verify } from '../../src/commands.js';
import type { Loaded } from './loaded.js';
import type { Attempt } from './readers.js';

export interface Shown {
  readonly imageId: string | null;
  readonly diffIds: readonly (string | null)[];
  readonly names: readonly string[];
}

export interface Prediction {
  readonly engine: string;
  readonly outcome: 'accepted' | 'refused' | 'loads-another' | 'unknown';
  readonly imageId: string | null;
  readonly id: string | null;
  readonly refusal: string | null;
}

/** The results of `verify` and `ids`. */
export interface Said {
  readonly exitCode: number;
  readonly images: readonly Shown[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly predictions: readonly Prediction[];
}

export async function saidOf(path: string): Promise<Said> {
  try {
    const reading = await readArchive(path, {});
    const { images, findings } = reportOf(reading);
    const codes = (wanted: string) =>
      findings.filter(({ severity }) => severity === wanted).map(({ code }) => code);
    return {
      exitCode: verify(reading, { failOn: 'error' }).exitCode,
      images: images.map(({ imageId, layers, names }) => ({
        imageId,
        diffIds: layers.map(({ diffId }) => diffId),
        names,
      })),
      errors: codes('error'),
      warnings: codes('warning'),
      predictions: idsReport(reading).images.flatMap(({ imageId, engines }) =>
        engines.map(answer => ({ ...answer, imageId })),
      ),
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { exitCode: 2, images: [], errors: [error.message], warnings: [], predictions: [] };
  }
}

const isShown = ({ imageId, diffIds }: Loaded, images: readonly Shown[]): boolean =>
  images.some(
    image =>
      image.imageId === imageId &&
      image.diffIds.length === diffIds.length &&
      diffIds.every((diffId, i) => diffId === null || diffId === image.diffIds[i]),
  );

export interface Disagreement {
  readonly reader: string;
  readonly loaded: Loaded;
}

/** Images that an engine loads and waybill does not show, without an error that would stop the user. */
export function unnoticed(said: Said, attempts: readonly Attempt[]): Disagreement[] {
  if (said.exitCode !== 0) return [];
  return attempts.flatMap(({ reader, loaded }) =>
    loaded.filter(image => !isShown(image, said.images)).map(image => ({ reader, loaded: image })),
  );
}

/** Names without the prefixes that engines add to short ones. */
const short = (name: string): string =>
  name.replace(/^(docker\.io\/(library\/)?|localhost\/)/, '').replace(/:latest$/, '');

const shownAs = (name: string, images: readonly Shown[]): readonly Shown[] =>
  images.filter(({ names }) => names.some(other => short(other) === short(name)));

/** Images that an engine loads under a name that waybill shows only for another image, without an error. */
export function misnamed(said: Said, attempts: readonly Attempt[]): Disagreement[] {
  if (said.exitCode !== 0 || said.warnings.length > 0) return [];
  return attempts.flatMap(({ reader, asked, loaded }) =>
    loaded.flatMap(image => {
      const names = asked === null ? image.names : [asked];
      const others = names.map(name => shownAs(name, said.images)).filter(found => found.length > 0);
      return others.some(found => !isShown(image, found)) ? [{ reader, loaded: image }] : [];
    }),
  );
}

/** Engines that failed to load an archive in which nothing was planted. */
export function refused(readers: readonly string[], attempts: readonly Attempt[]): string[] {
  const ran = (reader: string) => attempts.filter(attempt => attempt.reader.startsWith(reader));
  return readers.filter(
    reader => ran(reader).length > 0 && ran(reader).every(({ loaded }) => loaded.length === 0),
  );
}
