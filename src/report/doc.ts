/** The output of a command before it is formatted: blocks of text and tables. Plain data. */
export type Style = 'strong' | 'dim' | 'good' | 'bad' | 'warn';

export interface Span {
  readonly text: string;
  readonly style: Style | null;
}

export type Text = string | readonly (string | Span)[];

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut short, with an ellipsis, where the terminal is too narrow. */
  readonly shrink?: boolean;
  /** May stand on a line of its own, above or below the rest of its row, where the terminal is too narrow. */
  readonly fold?: boolean;
}

export type Block =
  | {
      readonly kind: 'text';
      readonly text: Text;
      readonly indent?: number;
      /** It is the title of what follows, up to the next of its kind: 2 for a chapter, 3 for a section. */
      readonly level?: 2 | 3;
    }
  | { readonly kind: 'pairs'; readonly rows: readonly (readonly [label: string, value: Text])[] }
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Text[])[];
      /** The size of each row in bytes, for a bar beside it where one can be drawn; null for a row without. */
      readonly bars?: readonly (number | null)[];
    }
  /** A table of as many rows as an image has files, a line each. Each iteration makes the rows anew. */
  | {
      readonly kind: 'listing';
      readonly columns: readonly Column[];
      readonly rows: Iterable<readonly Text[]>;
      readonly count: number;
    }
  /**
   * More of what stands before it, which few want to see: a line that says so, and the rest where a format can unfold
   * it. `hint`: how to see it in one that cannot.
   */
  | { readonly kind: 'folded'; readonly summary: string; readonly hint?: string; readonly rest: Doc }
  | { readonly kind: 'map'; readonly map: FileMap }
  | { readonly kind: 'gap' };

/**
 * Files with the room they take, for formats that can draw. A tree in columns: a directory stands before what is in it.
 */
export interface FileMap {
  readonly names: readonly string[];
  /** Indexes of the directories that they are in; -1 for the root. */
  readonly parents: readonly number[];
  /** Bytes of each alone. */
  readonly sizes: readonly number[];
  /** Indexes into `layerNames`. */
  readonly layers: readonly number[];
  readonly layerNames: readonly string[];
}

export type Doc = readonly Block[];

export const span = (text: string, style: Style | null): Span => ({ text, style });
export const gap: Block = { kind: 'gap' };
export const heading = (value: string, level: 2 | 3): Block => ({
  kind: 'text',
  text: [span(value, 'strong')],
  level,
});
export const text = (value: Text, indent = 0): Block => ({ kind: 'text', text: value, indent });

/** The line that stands for what is folded, in a format that cannot unfold it. */
export const foldedText = ({ summary, hint }: Extract<Block, { kind: 'folded' }>): string =>
  hint === undefined ? summary : `${summary}: ${hint}`;

/** Lines of a Dockerfile, from 1. */
export interface DockerfileLines {
  /** The Dockerfile, as the user named it. */
  readonly file: string;
  readonly line: number;
  readonly endLine: number;
}

/** A finding for the formats of CI systems: plain data with complete sentences. */
export interface ReportedFinding {
  /** The code of a finding or of a rule. */
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** True if it makes the exit code 1: `--fail-on`. */
  readonly isFailing: boolean;
  /** One line. */
  readonly message: string;
  /** The explanation of the code, as `waybill explain CODE` prints it. */
  readonly explain: string;
  /** The file as it was named or found; `-` for standard input. */
  readonly archive: string;
  /** First name of the image that the finding is about, or its platform; null if it is about the archive. */
  readonly image: string | null;
  /** The platform of that image, if the archive has several images with this name; null otherwise. */
  readonly platform: string | null;
  /** Member of the archive, or path in the image; null for the archive or the image as a whole. */
  readonly path: string | null;
  /** JSON pointer (RFC 6901) into that member; null for the member as a whole. */
  readonly pointer: string | null;
  /** Index of the layer, base 0; null if the finding is not about a layer. */
  readonly layer: number | null;
  /** The history's `created_by` of that layer or setting, with asterisks for secrets; null if it is unknown. */
  readonly instruction: string | null;
  /** Lines of the instruction in the Dockerfile of `--dockerfile`; null if they are unknown. */
  readonly source: DockerfileLines | null;
  /**
   * Repository and platform of the image, without the tag, which builds change; for the archive those of all its
   * images.
   */
  readonly subject: string;
  /**
   * The place in the subject, without digests, which builds change: the layer's instruction, `config`, `manifest`, or a
   * path.
   */
  readonly place: string;
  /** How many more like it are not listed, and have no fingerprint; see `Finding`. */
  readonly unlisted?: number;
  /** sha256 in hexadecimal digits over code, subject, place and a key. Unique in a run. */
  readonly fingerprint: string;
}

/** An archive that a result is about. */
export interface ReportedArchive {
  /** The file as it was named or found; `-` for standard input. */
  readonly archive: string;
  /** The exit code for this archive alone. */
  readonly exitCode: 0 | 1 | 2;
  /** Why there is no report of it; null if there is one. */
  readonly error: string | null;
  /** Findings that `--baseline` hides. */
  readonly hidden: number;
}

/** An archive with its findings. */
export interface ArchiveFindings {
  readonly archive: ReportedArchive;
  readonly findings: readonly ReportedFinding[];
}

/** A table of plain values for other programs: the same columns in every row. */
export interface FlatTable {
  readonly columns: readonly string[];
  /** Each iteration makes the rows anew. */
  readonly rows: Iterable<readonly FlatValue[]>;
}

export type FlatValue = string | number | boolean | null;

/** An SPDX expression, or other text. */
export type BillLicense = { readonly expression: string } | { readonly name: string };

/** The packages of one image, for formats of bills of materials: plain data. */
export interface BillOfMaterials {
  /** Version of waybill. */
  readonly tool: string;
  /** A UUID that is the same for the same image and list. */
  readonly id: string;
  /** RFC 3339, whole seconds; null if no time is known. */
  readonly created: string | null;
  /** First name of the image, or its ID. */
  readonly name: string;
  readonly platform: string | null;
  readonly imageId: string | null;
  readonly manifestDigest: string | null;
  /** `pkg:oci/…`; null for an image without a name or a manifest. */
  readonly purl: string | null;
  readonly distribution: {
    readonly id: string;
    readonly versionId: string | null;
    readonly prettyName: string | null;
  } | null;
  /** False where filters leave packages out, or some could not be read. */
  readonly isWhole: boolean;
  readonly packages: readonly BillPackage[];
}

export interface BillPackage {
  /** As in its package URL. */
  readonly type: string;
  /** Maven's groupId. */
  readonly group: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly purl: string | null;
  readonly license: BillLicense | null;
  /** The layer that brings it, from 1. */
  readonly layer: number;
  readonly diffId: string | null;
  /** The line of a Dockerfile that made the layer, with asterisks for secrets; empty if unknown. */
  readonly instruction: string;
  /** Whether it is above the base; null if no base is known. */
  readonly ours: boolean | null;
  /** The files in the image that state it. */
  readonly paths: readonly string[];
}

/** The result of a command: the same result as data and for people, and whether the archive passed. */
export interface Result {
  readonly data: unknown;
  readonly doc: Doc;
  /** 2 where of several archives one gave no report. */
  readonly exitCode: 0 | 1 | 2;
  /** True if the exit code depends on findings, as that of `verify`: a summary begins with the verdict. */
  readonly isVerdict?: boolean;
  /** Absent for commands without findings, such as `diff`. Findings that a baseline hides are left out. */
  readonly findings?: readonly ReportedFinding[];
  readonly archives?: readonly ReportedArchive[];
  /**
   * In place of `findings`, where there are more than memory should hold: each iteration reads them anew, archive by
   * archive.
   */
  readonly archiveFindings?: Iterable<ArchiveFindings>;
  /** Only of `merge`: a row for each image. */
  readonly table?: FlatTable;
  /** Only of `merge`: the lines of the merged results, with their line breaks. */
  readonly resultLines?: Iterable<string>;
  /** Only of `packages`, and of one image. */
  readonly bill?: BillOfMaterials;
  /** About the run as a whole, such as entries of a baseline that no longer match. One line each. */
  readonly notes?: readonly string[];
}

/** A heading inside a report. */
export const section = (title: string): Block[] => [gap, text([span(title, 'strong')], 2)];

/** A table of which only the first rows are shown, and how many more there are. */
export function limitedTable(
  columns: readonly Column[],
  rows: readonly (readonly Text[])[],
  limit: number,
): Doc {
  const table: Block = { kind: 'table', columns, rows: rows.slice(0, limit) };
  const left = rows.length - limit;
  return left <= 0
    ? [table]
    : [table, text([span(`and ${left} more: --top ${rows.length} shows all`, 'dim')], 4)];
}

/** The result of a command that prints exactly what another tool prints. */
export interface Answer {
  /** Text, or bytes where they are the archive's own (`--raw`). */
  readonly stdout: string | Uint8Array;
  /** It has colours of its own, and what it has of the archive has been made visible. */
  readonly painted?: boolean;
  /** Whether these are wanted, where the command line says so. */
  readonly color?: boolean | undefined;
  /** For standard error: what is not known, and why. */
  readonly notes: readonly string[];
  readonly exitCode: 0 | 1 | 2;
}

export const failed = (...notes: readonly string[]): Answer => ({ stdout: '', notes, exitCode: 1 });
