/**
 * waybill as a library: open an archive, then ask about its images. docs/library.md has an example of every name.
 *
 *     import { openArchive, verifyArchive } from 'waybill';
 *     const archive = await openArchive('image.tar');
 *     const { verdicts, findings } = await verifyArchive(archive);
 *
 * These names follow semantic versioning. What the command line is made of is in `waybill/commands` (commands.ts).
 */
export type { Finding } from './checks/findings.js';
export type { Verdicts } from './checks/verdicts.js';
export type { DiffReport } from './commands/diff/report.js';
export type { IdsReport } from './commands/ids/index.js';
export type { SizesReport } from './commands/sizes/report.js';
export type { WasteReport } from './commands/waste/index.js';
export { InputError, UsageError } from './errors.js';
export { TemplateError } from './go/template/errors.js';
export type {
  Archive,
  ImageDetails,
  ImageSelection,
  OpenOptions,
  ReadingOptions,
  VerifyReport,
} from './library/archive.js';
export {
  compareImages,
  explainFinding,
  findWaste,
  inspectImages,
  type LayerFile,
  type ListedFile,
  listFiles,
  listIds,
  listLayer,
  measureSizes,
  openArchive,
  readFile,
  renderTemplate,
  streamFile,
  verifyArchive,
} from './library/functions.js';
export type {
  AbsentReport,
  ArchiveReport,
  ArtifactReport,
  BaseReport,
  BreakdownReport,
  BreakdownRow,
  Change,
  DigestSearch,
  DiveScore,
  EngineReport,
  EntryType,
  FileChange,
  FileRef,
  FileReport,
  FilesDiff,
  Healthcheck,
  HistoryEntry,
  ImageDiff,
  ImageIds,
  ImageRef,
  ImageSizes,
  ImageWaste,
  KindCount,
  LayerDifference,
  LayerFault,
  LayerRef,
  LayerSizes,
  LayersDiff,
  LinkFault,
  Location,
  LockDoubt,
  LockGrade,
  Match,
  OnlyIn,
  PackageChange,
  RepoDigest,
  Severity,
  SignatureFailure,
  Sizes,
  UnloadableKind,
  WasteCause,
  WastedFileReport,
  WasteNumbers,
} from './library/parts.js';
export { defaultLimits, type Limits } from './limits.js';
export type { FindingCode } from './link/observation.js';
export type { ImageReport, LayerReport, Report } from './report/report.js';
export { version } from './version.js';
