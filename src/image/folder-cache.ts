/** Characters of the paths that are remembered: more than an honest layer has folders for, and little to hold. */
const MOST_CHARACTERS = 8 * 1024 * 1024;

/** Where paths lead, for as long as nothing on the way to them has gone. */
export class FolderCache<T> {
  private readonly known = new Map<string, T>();
  private characters = 0;

  get(path: string): T | undefined {
    return this.known.get(path);
  }

  set(path: string, found: T): void {
    this.characters += path.length;
    if (this.characters > MOST_CHARACTERS) {
      this.clear();
      this.characters = path.length;
    }
    this.known.set(path, found);
  }

  clear(): void {
    this.known.clear();
    this.characters = 0;
  }
}
