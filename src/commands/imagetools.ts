import { templateInput } from '../docker/imagetools-input.js';
import { loadImages } from '../docker/imagetools-loader.js';
import { imagetoolsTable } from '../docker/imagetools-table.js';
import { troubleOf } from '../docker/manifest-store.js';
import { UsageError } from '../errors.js';
import { attempt } from '../template/attempt.js';
import { execute, parseTemplate, rootFields, type Template, templateSource } from '../template/index.js';
import { type Answer, failed } from './answer.js';
import { exactBytes, notesOn, type SelectedDocument, selectDocument } from './document.js';
import type { ArchiveReading } from './read.js';
import type { Selection } from './select.js';

export interface ImagetoolsOptions {
  /** The bytes as they are stored. */
  readonly raw?: boolean | undefined;
  /** A Go template over `.Name .Manifest .Image .Provenance .SBOM .BuildInfo`. */
  readonly format?: string | undefined;
}

/**
 * `docker buildx imagetools inspect`, of buildx 0.29. Needs documents only.
 * @throws UsageError for `raw` with a format
 * @throws InputError when the selection means no document that can be read, or several
 */
export function imagetoolsInspect(
  reading: ArchiveReading,
  selection: Selection,
  { raw = false, format = '' }: ImagetoolsOptions = {},
): Answer {
  if (raw && format !== '') throw new UsageError('--format and --raw cannot be used together');
  const selected = selectDocument(reading, selection);
  if (raw) return exactBytes(reading, selected);
  const answer = format === '' ? table(selected) : formatted(selected, format);
  const exitCode = troubleOf(selected.document) === null ? answer.exitCode : 1;
  return { ...answer, notes: [...notesOn(selected), ...answer.notes], exitCode };
}

const table = ({ document, name }: SelectedDocument): Answer => ({
  stdout: imagetoolsTable(name.ref, document),
  notes: [],
  exitCode: 0,
});

function formatted(selected: SelectedDocument, format: string): Answer {
  const { value: template, error } = attempt(() => parseTemplate(format, 'buildx'));
  if (error !== null) return failed(error.message);
  return isTable(template) ? table(selected) : render(selected, template);
}

/** buildx looks at the beginning of the parsed format, whatever follows. */
const isTable = (template: Template) => templateSource(template).startsWith('{{.Manifest');

/** Fields that need more than the document itself. */
const LOADED = ['Image', 'Provenance', 'SBOM', 'BuildInfo'];

function render({ store, document, name, within }: SelectedDocument, template: Template): Answer {
  const loaded = loadImages(store, document, within);
  const { data, troubles } = templateInput(store, document, name.name, loaded);
  const { value: stdout, error } = attempt(() => execute(template, data));
  const used = rootFields(template);
  const isNeeded = used === null || LOADED.some(field => used.has(field));
  const notes = [...new Set([...(isNeeded ? loaded.troubles : []), ...troubles])];
  // What is missing may be why the template failed.
  if (error !== null) return failed(error.message, ...notes);
  return { stdout, notes, exitCode: notes.length === 0 ? 0 : 1 };
}
