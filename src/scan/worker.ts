import { parentPort, workerData } from 'node:worker_threads';
import { loadCodecs } from '../codec/registry.js';
import { BlobAnalyser } from './analyser.js';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.js';
import { analyseRange } from './range.js';

/** Analyses blobs away from the main thread: ranges that it reads by itself, or streams that are handed to it. */
const port = parentPort!;
const { limits } = workerData as WorkerSetup;
const open = new Map<number, BlobAnalyser>();
const say = (message: FromWorker) => port.postMessage(message);

function receive(message: ToWorker): void {
  const { id } = message;
  if (message.kind === 'range') {
    const facts = analyseRange(message.range, message.algorithms, limits, bytes =>
      say({ kind: 'progress', bytes }),
    );
    say({ kind: 'facts', id, facts });
  } else if (message.kind === 'open') {
    open.set(id, new BlobAnalyser(message.algorithms, limits));
  } else if (message.kind === 'chunk') {
    open.get(id)!.write(message.bytes);
    const parcel = message.bytes.buffer as ArrayBuffer;
    port.postMessage({ kind: 'taken', length: message.bytes.length, parcel } satisfies FromWorker, [parcel]);
  } else {
    const facts = open.get(id)!.end(message.failure);
    open.delete(id);
    say({ kind: 'facts', id, facts });
  }
}

await loadCodecs();
port.on('message', receive);
