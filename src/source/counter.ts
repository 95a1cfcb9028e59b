/** Counts bytes as they are read. */
export class Counter {
  private bytes = 0;
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
  };
  readonly read = (): number => this.bytes;
}

/** Passes chunks on, and counts them. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  counter: Counter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counter.add(chunk.length);
    yield chunk;
  }
}
