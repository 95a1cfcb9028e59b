// Types of parts of the results of index.ts, so that a program can name them in declarations of its own.
export type { Sizes } from '../analysis/weigh.js';
export type { ImageDiff } from '../commands/diff/report.js';
export type { EngineReport } from '../commands/ids/engines.js';
export type { ImageSizes } from '../commands/sizes/report.js';
export type { UnloadableKind } from '../filesystem/unloadable.js';
export type { Location } from '../link/graph.js';
export type { LinkFault, LockDoubt, LockGrade, SignatureFailure } from '../link/observation.js';
export type { Healthcheck } from '../report/image-settings.js';
export type { AbsentReport, ArchiveReport } from '../report/report.js';
export type { WastedFileReport } from '../report/waste-causes.js';
export type { HistoryEntry } from '../spec/config.js';
