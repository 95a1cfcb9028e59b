/**
 * No report is possible: the file is missing, unreadable, not an image archive, or holds nothing that was asked for.
 * Exit code 2. `what` says what happened, `where` to what, `remedy` what to do about it.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** It may well be an image archive, but for damage, a cut, or being refused. */
  readonly damaged: boolean;
  constructor(
    readonly what: string,
    readonly where: string,
    readonly remedy: string | null = null,
    options?: ErrorOptions & { readonly damaged?: boolean },
  ) {
    super(`${where}: ${what}${remedy === null ? '' : `\n${remedy}`}`, options);
    this.damaged = options?.damaged ?? false;
  }
}

/** The command line makes no sense. Exit code 2, with the usage line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
