// Types of parts of the results of index.ts, so that a program can name them in declarations of its own.
export type { BaseReport } from '../analysis/base.js';
export type { KindCount } from '../analysis/diff/changes.js';
export type { Change } from '../analysis/diff/image.js';
export type { DiveScore } from '../analysis/dive.js';
export type { Sizes } from '../analysis/weigh.js';
export type {
  FileChange,
  FileRef,
  FilesDiff,
  ImageDiff,
  ImageRef,
  LayerDifference,
  LayerRef,
  LayersDiff,
  OnlyIn,
} from '../commands/diff/report.js';
export type { EngineReport } from '../commands/ids/engines.js';
export type { DigestSearch, Match } from '../commands/ids/find.js';
export type { ImageIds } from '../commands/ids/index.js';
export type { BreakdownReport, BreakdownRow } from '../commands/sizes/breakdown.js';
export type { ImageSizes, LayerSizes } from '../commands/sizes/report.js';
export type { ImageWaste, WasteNumbers } from '../commands/waste/index.js';
export type { LayerFault } from '../filesystem/layer-tables.js';
export type { UnloadableKind } from '../filesystem/unloadable.js';
export type { Location } from '../link/graph.js';
export type { RepoDigest } from '../link/names.js';
export type { LinkFault, LockDoubt, LockGrade, Severity, SignatureFailure } from '../link/observation.js';
export type { PackageChange } from '../packages/package.js';
export type { FileReport } from '../report/file-report.js';
export type { Healthcheck } from '../report/image-settings.js';
export type { AbsentReport, ArchiveReport, ArtifactReport } from '../report/report.js';
export type { WasteCause, WastedFileReport } from '../report/waste-causes.js';
export type { EntryType } from '../scan/entries/table.js';
export type { HistoryEntry } from '../spec/config.js';
