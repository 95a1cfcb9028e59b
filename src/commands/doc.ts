/** What a command has to show, before any format: blocks of text and tables. Plain data. */
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
}

export type Block =
  | { readonly kind: 'text'; readonly text: Text; readonly indent?: number }
  | { readonly kind: 'pairs'; readonly rows: readonly (readonly [label: string, value: Text])[] }
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Text[])[];
    }
  | { readonly kind: 'gap' };

export type Doc = readonly Block[];

export const span = (text: string, style: Style | null): Span => ({ text, style });
export const gap: Block = { kind: 'gap' };
export const text = (value: Text, indent = 0): Block => ({ kind: 'text', text: value, indent });

/** What a command gives back: the same result as data and for people, and whether the archive passed. */
export interface Result {
  readonly data: unknown;
  readonly doc: Doc;
  readonly exitCode: 0 | 1;
}
