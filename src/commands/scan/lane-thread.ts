import { parentPort, workerData } from 'node:worker_threads';
import { Lane, type LaneSetup, type LaneTask } from './lane.js';

/** A lane in a thread of its own: each message is an item, and is answered before the next one is read. */
const port = parentPort!;
const lane = Lane.open(workerData as LaneSetup);

port.on('message', async (task: LaneTask) => {
  port.postMessage(await (await lane).answer(task));
});
