/**
 * waybill as a library: the same as the command line, typed. Read an archive once, then ask for reports.
 *
 *     import { readArchive, reportOf } from 'waybill';
 *     const report = reportOf(await readArchive('image.tar'));
 *     if (report.verdicts.intact !== true) console.error(report.findings);
 */
export type { Finding } from './checks/findings.js';
export type { Verdict } from './checks/rule.js';
export type { Verdicts } from './checks/verdicts.js';
export type { Compression } from './codec/codec.js';
export type { Answer } from './commands/answer.js';
export { type CatOptions, type CatResult, cat } from './commands/cat.js';
export { type DiffOptions, type DiffSide, diff, diffReadOptions, diffReport } from './commands/diff.js';
export type { DiffReport } from './commands/diff-report.js';
export type { Block, Column, Doc, Result, Span, Style, Text } from './commands/doc.js';
export { documentDepth } from './commands/document.js';
export { type EstimateOptions, estimateSizes } from './commands/estimate.js';
export { explain } from './commands/explain.js';
export { type ExtractFilesOptions, extractFiles } from './commands/extract-files.js';
export { type ExtractOptions, extractLayers } from './commands/extract-layers.js';
export type { FileReport } from './commands/file-report.js';
export { type FilesOptions, type FilesReport, files, filesReport } from './commands/files.js';
export { type HistoryCommandOptions, history, historyDepth } from './commands/history.js';
export { type IdsOptions, type IdsReport, type ImageIds, ids, idsReport } from './commands/ids.js';
export {
  type ImageInspectOptions,
  type InspectSelection,
  imageInspect,
  imageInspectDepth,
} from './commands/image-inspect.js';
export { type ImagesOptions, images, imagesDepth } from './commands/images.js';
export { type ImagetoolsOptions, imagetoolsInspect } from './commands/imagetools.js';
export { type Annotations, manifestAnnotate } from './commands/manifest-annotate.js';
export { type CreateOptions, manifestCreate } from './commands/manifest-create.js';
export { type ManifestInspectOptions, manifestInspect } from './commands/manifest-inspect.js';
export { type ListInspectOptions, manifestListInspect } from './commands/manifest-list.js';
export { manifestPush, type PushOptions } from './commands/manifest-push.js';
export { manifestRm } from './commands/manifest-rm.js';
export {
  type OverviewReport,
  overview,
  overviewReadOptions,
  overviewReport,
} from './commands/overview.js';
export { rawConfig } from './commands/raw.js';
export { type ArchiveReading, type PartReading, type ReadOptions, readArchive } from './commands/read.js';
export {
  type Item,
  type Named,
  type Reader,
  type Readings,
  readEach,
  readMany,
} from './commands/read-many.js';
export { reportOf } from './commands/report.js';
export type {
  AbsentReport,
  ArchiveReport,
  ArtifactReport,
  ImageReport,
  LayerReport,
  Report,
} from './commands/report-types.js';
export { type Selection, selectImages } from './commands/select.js';
export { type ImageShown, type ShowReport, show, showReport } from './commands/show.js';
export { type SizesOptions, sizes, sizesOf, sizesReadOptions } from './commands/sizes.js';
export type { SizesReport } from './commands/sizes-report.js';
export { isStoredList } from './commands/stored-list.js';
export { type VerifyOptions, verify } from './commands/verify.js';
export {
  type WasteOptions,
  type WasteReport,
  waste,
  wasteReadOptions,
  wasteReport,
} from './commands/waste.js';
export { API_VERSIONS, type DialectOptions, type StoreName } from './docker/release.js';
export { InputError, UsageError } from './errors.js';
export { OUTPUT_EXTENSIONS, outputFor } from './format/outputs.js';
export type { Layout, Place } from './image/graph.js';
export type { FindingCode, FindingData, Severity } from './image/observation.js';
export { defaultLimits, type LimitName, type Limits, type Resources } from './limits.js';
export type { Depth } from './scan/scan.js';
export type { Container } from './source/source.js';
export { formatPlatform, type Platform, parsePlatform } from './spec/platform.js';
export { familiarName, fullName, parseReference, type Reference } from './spec/reference.js';
export { renderTemplate, TemplateError } from './template/index.js';
export { version } from './version.js';
export { removeUnfinished } from './write/unfinished.js';
