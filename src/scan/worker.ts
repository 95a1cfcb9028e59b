import { parentPort, workerData } from 'node:worker_threads';
import { loadCodecs } from '../codec/registry.js';
import { BlobAnalyser } from './analyser.js';
import { transfersOf } from './entry-table.js';
import type { BlobFacts } from './facts.js';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.js';
import { analyseRange } from './range.js';

/** Analyses blobs away from the main thread: ranges that it reads by itself, or streams that are handed to it. */
const port = parentPort!;
const setup = workerData as WorkerSetup;
const open = new Map<number, BlobAnalyser>();
const say = (message: FromWorker) => port.postMessage(message);
const answer = (id: number, facts: BlobFacts) => {
  const table = facts.tar?.table ?? null;
  const message: FromWorker = { kind: 'facts', id, facts };
  port.postMessage(message, table === null ? [] : transfersOf(table));
};

function receive(message: ToWorker): void {
  const { id } = message;
  if (message.kind === 'range') {
    const facts = analyseRange(message.range, message.algorithms, setup, bytes =>
      say({ kind: 'progress', bytes }),
    );
    answer(id, facts);
  } else if (message.kind === 'open') {
    open.set(id, new BlobAnalyser(message.algorithms, setup));
  } else if (message.kind === 'chunk') {
    open.get(id)!.write(message.bytes);
    const parcel = message.bytes.buffer as ArrayBuffer;
    port.postMessage({ kind: 'taken', length: message.bytes.length, parcel } satisfies FromWorker, [parcel]);
  } else {
    const facts = open.get(id)!.end(message.failure);
    open.delete(id);
    answer(id, facts);
  }
}

await loadCodecs();
port.on('message', receive);
