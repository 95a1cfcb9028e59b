import { MANY_PACKAGES, PACKAGES_CAP } from './package.js';

/** What a database file keeps under its keys, as far as it can be read. */
export interface Records {
  readonly values: readonly Uint8Array[];
  readonly problems: readonly string[];
}

/** Gathers records, within what their file can truthfully hold. */
export class RecordList {
  readonly values: Uint8Array[] = [];
  readonly problems = new Set<string>();
  private readonly pages = new Set<number>();
  private bytes = 0;

  /** @param capacity  bytes of the file: records that are more than it all together would overlap */
  constructor(private readonly capacity: number) {}

  /** @returns whether there may be more */
  add(value: Uint8Array): boolean {
    this.bytes += value.length;
    if (this.bytes > this.capacity) {
      this.problems.add('its records overlap');
      return false;
    }
    if (this.values.length === PACKAGES_CAP) {
      this.problems.add(MANY_PACKAGES);
      return false;
    }
    this.values.push(value);
    return true;
  }

  /** Says that a page is being read. @returns false, and a problem, where it was read before */
  enter(page: number): boolean {
    if (this.pages.has(page)) {
      this.problems.add('its pages form a circle');
      return false;
    }
    this.pages.add(page);
    return true;
  }

  problem(reason: string): null {
    this.problems.add(reason);
    return null;
  }

  done(): Records {
    return { values: this.values, problems: [...this.problems] };
  }
}
