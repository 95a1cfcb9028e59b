/** The file contents to read, in addition to the entries. Plain data. */
export interface ContentWanted {
  /**
   * Compute the digest of every file; `duplicates`: of as many as it takes to tell which files have the same content. A
   * large file of an uncompressed layer then has one only if another file is as long.
   */
  readonly digests?: boolean | 'duplicates';
  /** Keep the content of files whose paths match one of these; see `pathFilter`. */
  readonly keep?: readonly string[];
  /**
   * A file that is longer than this, in bytes, is not kept but missing. Default: as the limit `keptContentBytes`
   * allows.
   */
  readonly keepBytes?: number;
  /** The secrets in all files that can hold one, without their values. */
  readonly secrets?: boolean;
  /** The packages of languages that files state. */
  readonly packages?: boolean;
}

/** The digests that all need together. */
export function digestsTogether(all: readonly (ContentWanted | undefined)[]): Pick<ContentWanted, 'digests'> {
  const wanted = all.map(contents => contents?.digests ?? false);
  if (wanted.includes(true)) return { digests: true };
  return wanted.includes('duplicates') ? { digests: 'duplicates' } : {};
}
