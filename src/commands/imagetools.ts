import { imagetoolsTable, loadImages, templateInput } from '../docker/imagetools.js';

import { troubleOf } from '../docker/manifest/store.js';
import type { Dialect, DialectOptions } from '../docker/release.js';
import { UsageError } from '../errors.js';
import { attempt } from '../go/template/errors.js';
import {
  execute,
  type Guard,
  parseTemplate,
  rootFields,
  type Template,
  templateSource,
} from '../go/template/index.js';
import { type Answer, failed } from '../report/doc.js';
import type { ArchiveReading } from '../report/read.js';
import type { Selection } from '../report/select.js';
import { visible } from '../visible.js';
import { exactBytes, notesOn, type SelectedDocument, selectDocument } from './document.js';
import { dialectOf } from './stored-images.js';

export interface ImagetoolsOptions extends Pick<DialectOptions, 'docker'> {
  /** Print the stored bytes. */
  readonly raw?: boolean | undefined;
  /** A Go template over `.Name .Manifest .Image .Provenance .SBOM .BuildInfo`. */
  readonly format?: string | undefined;
  /**
   * True if the output goes to a terminal: hidden characters from the archive are escaped, so that they cannot make
   * lines, columns or colours.
   */
  readonly terminal?: boolean | undefined;
}

/**
 * `docker buildx imagetools inspect`, as the buildx of a release of Docker prints it. Needs documents only.
 * @throws UsageError for `raw` with a format
 * @throws InputError if the selection matches no readable document, or several
 */
export function imagetoolsInspect(
  reading: ArchiveReading,
  selection: Selection,
  { raw = false, format = '', docker, terminal = false }: ImagetoolsOptions = {},
): Answer {
  const { words } = dialectOf({ docker });
  if (raw && format !== '') throw new UsageError('--format and --raw cannot be used together');
  const selected = selectDocument(reading, selection);
  const guard = terminal ? visible : undefined;
  if (raw) return exactBytes(reading, selected);
  const answer = format === '' ? table(selected, guard) : formatted(selected, format, words, guard);
  const exitCode = troubleOf(selected.document) === null ? answer.exitCode : 1;
  return { ...answer, notes: [...notesOn(selected), ...answer.notes], exitCode };
}

const table = ({ document, name }: SelectedDocument, guard?: Guard): Answer => ({
  stdout: imagetoolsTable(name.ref, document, guard),
  notes: [],
  exitCode: 0,
});

function formatted(
  selected: SelectedDocument,
  format: string,
  words: Dialect['words'],
  guard?: Guard,
): Answer {
  const { value: template, error } = attempt(() => parseTemplate(format, 'buildx'));
  if (error !== null) return failed(error.message);
  return isTable(template, words) ? table(selected, guard) : render(selected, template, guard);
}

/** Up to Docker 28 buildx only looked at the beginning of the parsed format. */
function isTable(template: Template, words: Dialect['words']): boolean {
  const source = templateSource(template);
  return words === 29 ? source === '{{.Manifest}}' : source.startsWith('{{.Manifest');
}

/** Fields that need more than the document itself. */
const LOADED = ['Image', 'Provenance', 'SBOM', 'BuildInfo'];

function render(
  { store, document, name, within }: SelectedDocument,
  template: Template,
  guard?: Guard,
): Answer {
  const loaded = loadImages(store, document, within);
  const { data, troubles } = templateInput(store, document, name.name, loaded);
  const { value: stdout, error } = attempt(() => execute(template, data, { guard }));
  const used = rootFields(template);
  const isNeeded = used === null || LOADED.some(field => used.has(field));
  const notes = [...new Set([...(isNeeded ? loaded.troubles : []), ...troubles])];
  // Missing data may be the reason why the template failed.
  if (error !== null) return failed(error.message, ...notes);
  return { stdout, notes, exitCode: notes.length === 0 ? 0 : 1 };
}
