import { parentPort, workerData } from 'node:worker_threads';
import { loadCodecs } from '../../codec/registry.js';
import type { Algorithm } from '../../spec/digest.js';
import { Examiner } from '../blob/examiner.js';
import { Unpacker } from '../blob/unpacker.js';
import { transfersOf } from '../entries/table.js';
import type { FromWorker, Halves, ToWorker, WorkerSetup } from './protocol.js';
import { digestRange, readUnpacked, sha256Of } from './range.js';
import { Ring } from './ring.js';

/**
 * Analyses blobs outside of the main thread: ranges that it reads by itself, or streams that are sent to it. With a
 * partner it only unpacks, and passes the rest through a ring to the partner, which runs this program too.
 */
const port = parentPort!;
const setup = workerData as WorkerSetup;

const open = new Map<number, { readonly unpacker: Unpacker; readonly target: Examiner | Ring }>();
const say = (message: FromWorker) => port.postMessage(message);

function answer(id: number, halves: Halves): void {
  const table = halves.examined?.tar?.table ?? null;
  const message: FromWorker = { kind: 'facts', id, ...halves };
  port.postMessage(message, table === null ? [] : transfersOf(table));
}

/**
 * A message takes as long as hashing a tenth of a chunk, so several chunks are reported in one, or those before a
 * pause.
 */
const TOLD_TOGETHER = 4;
let taken = 0;

function take(): void {
  taken++;
  if (taken === TOLD_TOGETHER) tellTaken();
  else if (taken === 1) setImmediate(tellTaken);
}

function tellTaken(): void {
  if (taken > 0) say({ kind: 'taken', chunks: taken });
  taken = 0;
}

const targetOf = (ring: SharedArrayBuffer | null, algorithms: readonly Algorithm[]): Examiner | Ring =>
  ring === null ? new Examiner(algorithms, setup) : new Ring(ring);

/** The facts examined here, or null if a partner examines; then the end is passed to it. */
function endOf(target: Examiner | Ring) {
  if (target instanceof Examiner) return target.end();
  target.end();
  return null;
}

async function receive(message: ToWorker): Promise<void> {
  const { id } = message;
  switch (message.kind) {
    case 'range': {
      const target = targetOf(message.ring, message.algorithms);
      const onProgress = (bytes: number) => say({ kind: 'progress', bytes });
      const unpacked = await readUnpacked(message.range, setup, target, onProgress);
      return answer(id, { unpacked, examined: endOf(target) });
    }
    case 'digest': {
      const onProgress = (bytes: number) => say({ kind: 'progress', bytes });
      const digests = digestRange(message.range, message.algorithms, setup, onProgress);
      return answer(id, { unpacked: null, examined: null, digests });
    }
    case 'files':
      return answer(id, { unpacked: null, examined: null, files: sha256Of(message.ranges, setup) });
    case 'open': {
      const target = targetOf(message.ring, message.algorithms);
      await loadCodecs([message.compression]);
      open.set(id, { unpacker: new Unpacker(setup, target), target });
      return;
    }
    case 'chunk':
      open.get(id)!.unpacker.write(message.bytes);
      return take();
    case 'end': {
      const { unpacker, target } = open.get(id)!;
      open.delete(id);
      const unpacked = unpacker.end(message.failure);
      return answer(id, { unpacked, examined: endOf(target) });
    }
    case 'examine': {
      const examiner = new Examiner(message.algorithms, setup);
      new Ring(message.ring).read(examiner);
      return answer(id, { unpacked: null, examined: examiner.end() });
    }
  }
}

// Messages are processed one after the other, although a codec may have to be loaded in between.
let last = Promise.resolve();
port.on('message', (message: ToWorker) => {
  last = last.then(() => receive(message));
});
