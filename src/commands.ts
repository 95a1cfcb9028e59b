/**
 * `waybill/commands`: what the command line is made of. An archive is read once, as deep as a command says that it
 * needs, and a command makes a `Result` (data and a document for `outputFor`) or an `Answer` (text as another tool
 * prints it) of it.
 *
 *     import { outputFor, overview, overviewReadOptions, readArchive } from 'waybill/commands';
 *     const page = outputFor('report.html')!(overview(await readArchive('image.tar', overviewReadOptions)));
 *
 * These names may change in any version; `waybill` (index.ts) is the stable door. docs/library.md
 */
export { type Cache, type CacheStatistics, openCache, readSecret } from './cache/cache.js';
export type { Finding } from './checks/findings.js';
export type { Verdict } from './checks/rule.js';
export type { Verdicts } from './checks/verdicts.js';
export type { Compression } from './codec/registry.js';
export { exportAttestations } from './commands/attestations/export.js';
export { attestations } from './commands/attestations/index.js';
export {
  type AttestationsOptions,
  type AttestationsReport,
  attestationsReadOptions,
  attestationsReport,
} from './commands/attestations/report.js';
export { type AuditOptions, openAudit, saveBaseline } from './commands/audit.js';
export { type BasesFound, baseAnswer, baseReadOptions, basesIn, loadBases } from './commands/base.js';
export { type CatOptions, type CatResult, cat, catFrom } from './commands/cat.js';
export { loadAgainst } from './commands/check/against.js';
export {
  Check,
  type CheckContext,
  type CheckOptions,
  type CheckReport,
  checkReadOptions,
} from './commands/check/index.js';
export { initialPolicy, initReadOptions } from './commands/check/init.js';
export { filesOf, loadBaseLists, loadPolicy, type PolicyOptions, PRESETS } from './commands/check/load.js';
export { type AppliedReport, printedPolicy } from './commands/check/printed.js';
export {
  changedTexts,
  checkIgnored,
  type DiffOptions,
  type DiffSide,
  diff,
  diffReadOptions,
  diffReport,
  textNote,
} from './commands/diff/index.js';
export type { DiffReport } from './commands/diff/report.js';
export { documentDepth } from './commands/document.js';
export { explain } from './commands/explain.js';
export { type ExtractFilesOptions, extractFiles } from './commands/extract/files.js';
export { type ExtractOptions, extractLayers } from './commands/extract/layers.js';
export {
  checkFilesOptions,
  type FilesOptions,
  type FilesReport,
  files,
  filesDepth,
  filesReport,
} from './commands/files/index.js';
export { type HistoryCommandOptions, history, historyDepth } from './commands/history.js';
export { type IdsOptions, type IdsReport, type ImageIds, ids, idsReport } from './commands/ids/index.js';
export {
  type ImageInspectOptions,
  type InspectSelection,
  imageInspect,
  imageInspectDepth,
  rawConfig,
} from './commands/image-inspect.js';
export { type ImagesOptions, images, imagesDepth, sizesOnly } from './commands/images.js';
export { type ImagetoolsOptions, imagetoolsInspect } from './commands/imagetools.js';
export {
  loadLock,
  lockedImages,
  lockReadOptions,
  type MadeLock,
  madeLock,
} from './commands/lock/index.js';
export { type LockOptions, type LockReport, lockRequirement } from './commands/lock/requirement.js';
export {
  type Annotations,
  type CreateOptions,
  manifestAnnotate,
  manifestCreate,
  manifestRm,
} from './commands/manifest/edit.js';
export {
  type ListInspectOptions,
  type ManifestInspectOptions,
  manifestInspect,
  manifestListInspect,
} from './commands/manifest/inspect.js';
export { manifestPush, type PushOptions } from './commands/manifest/push.js';
export { isStoredList } from './commands/manifest/stored-list.js';
export { type Closing, failedResult, remarksOf, reportMany } from './commands/many/index.js';
export {
  type ArchiveReader,
  type ArchiveReadings,
  isOneArchive,
  type Named,
  type ReadResult,
  readEach,
  readMany,
} from './commands/many/read.js';
export {
  attestationsTally,
  checkTally,
  idsTally,
  packagesTally,
  showTally,
  signaturesTally,
  sizesTally,
  type Tally,
  verifyTally,
  wasteTally,
} from './commands/many/tallies.js';
export { type MergeOptions, mergeFiles } from './commands/merge/index.js';
export {
  type PackageReport,
  type PackagesOptions,
  type PackagesReport,
  packages,
  packagesReadOptions,
  packagesReport,
  packageTypes,
} from './commands/packages/index.js';
export {
  type OverviewReport,
  overview,
  overviewReadOptions,
  overviewReport,
} from './commands/report.js';
export {
  type ScanOptions,
  type ScanSurroundings,
  scan,
  type Watched,
} from './commands/scan/index.js';
export type { ScanRequest } from './commands/scan/prepare.js';
export { type ImageShown, type ShowReport, show, showReport } from './commands/show.js';
export {
  loadVerifier,
  type SignaturesListing,
  type SignaturesOptions,
  signatures,
  signaturesReadOptions,
} from './commands/signatures/index.js';
export type { SignatureReport, SignaturesReport } from './commands/signatures/report.js';
export { signatureRequirement } from './commands/signatures/requirement.js';
export type { TrustOptions } from './commands/signatures/trust.js';
export {
  type EstimateOptions,
  estimateSizes,
  type SizesOptions,
  sizes,
  sizesOf,
  sizesReadOptions,
} from './commands/sizes/index.js';
export type { BaseImage, SizesReport } from './commands/sizes/report.js';
export { type VerifyOptions, verify, verifyClosing } from './commands/verify.js';
export {
  type WasteOptions,
  type WasteReport,
  waste,
  wasteReadOptions,
  wasteReport,
} from './commands/waste/index.js';
export { deadlineIn, LONGEST_MS, now } from './containers/deadline.js';
export type { Container } from './containers/source.js';
export {
  API_VERSIONS,
  type DialectOptions,
  dialectFor,
  NEWEST_RELEASE,
  STORE_NAMES,
  type StoreName,
} from './docker/release.js';
export { InputError, isSystemError, reasonOf, UsageError } from './errors.js';
export { jsonLinePieces, jsonPieces } from './format/json.js';
export {
  FINDINGS_EXTENSIONS,
  formatByName,
  OUTPUT_EXTENSIONS,
  type OutputFormat,
  outputFor,
  piecesIn,
} from './format/outputs.js';
export { textPieces } from './format/text.js';
export { renderTemplate, TemplateError } from './go/template/index.js';
export {
  defaultLimits,
  isLimitName,
  type LimitName,
  type Limits,
  limitsOf,
  type Resources,
} from './limits.js';
export type { Location } from './link/graph.js';
export type { Layout } from './link/layouts/registry.js';
export type { FindingCode, FindingData, LockDoubt, LockGrade, Severity } from './link/observation.js';
export type { LockedImage } from './lock/lock.js';
export type { CheckFinding, Suppressed } from './policy/finding.js';
export type { Policy } from './policy/policy.js';
export type { Answer, Block, Column, Doc, Result, Span, Style, Text } from './report/doc.js';
export type { FileReport } from './report/file-report.js';
export {
  type ArchiveReading,
  MIN_MEMORY,
  type PartReading,
  type ReadOptions,
  readArchive,
} from './report/read.js';
export type {
  AbsentReport,
  ArchiveReport,
  ArtifactReport,
  ImageReport,
  LayerReport,
  Report,
} from './report/report.js';
export { reportOf } from './report/report.js';
export { Audit, type ReportingOptions } from './report/reported.js';
export {
  type Judgement,
  type RequiredObservation,
  type Requirement,
  readOptionsFor,
} from './report/requirement.js';
export { choicesIn, requireImages, type Selection, selectImages } from './report/select.js';
export type { Units } from './report/words.js';
export type { Depth } from './scan/scan.js';
export { isArchiveName } from './spec/archive-name.js';
export { didYouMean, nearest } from './spec/nearest.js';
export { formatPlatform, type Platform, parsePlatform } from './spec/platform.js';
export { familiarName, fullName, parseReference, type Reference } from './spec/reference.js';
export { parseSize } from './spec/size-text.js';
export { version } from './version.js';
export { legible, uncommanding, visible } from './visible.js';
export { fileIdentity, type OutputPlace, outputPlace, writeOutput } from './write/output-file.js';
export { unwritable } from './write/system-error.js';
export { removeUnfinished, watchUnfinished } from './write/unfinished.js';
