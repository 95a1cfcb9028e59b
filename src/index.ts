/**
 * waybill as a library: the same features as the command line, with types. Read an archive once, then compute reports:
 *
 *     import { readArchive, reportOf } from 'waybill';
 *     const report = reportOf(await readArchive('image.tar'));
 *     if (report.verdicts.intact !== true) console.error(report.findings);
 */
export type { Finding } from './checks/findings.js';
export type { Verdict } from './checks/rule.js';
export type { Verdicts } from './checks/verdicts.js';
export type { Compression } from './codec/codec.js';
export { type CatOptions, type CatResult, cat } from './commands/cat.js';
export { type DiffOptions, type DiffSide, diff, diffReadOptions, diffReport } from './commands/diff/index.js';
export type { DiffReport } from './commands/diff/report.js';
export { documentDepth } from './commands/document.js';
export { explain } from './commands/explain.js';
export { type ExtractFilesOptions, extractFiles } from './commands/extract/files.js';
export { type ExtractOptions, extractLayers } from './commands/extract/layers.js';
export { type FilesOptions, type FilesReport, files, filesReport } from './commands/files/index.js';
export { type HistoryCommandOptions, history, historyDepth } from './commands/history.js';
export { type IdsOptions, type IdsReport, type ImageIds, ids, idsReport } from './commands/ids/index.js';
export {
  type ImageInspectOptions,
  type InspectSelection,
  imageInspect,
  imageInspectDepth,
  rawConfig,
} from './commands/image-inspect.js';
export { type ImagesOptions, images, imagesDepth } from './commands/images.js';
export { type ImagetoolsOptions, imagetoolsInspect } from './commands/imagetools.js';
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
export {
  type Item,
  type Named,
  type Reader,
  type Readings,
  readEach,
  readMany,
} from './commands/many/read.js';
export {
  type OverviewReport,
  overview,
  overviewReadOptions,
  overviewReport,
} from './commands/report.js';
export { type ImageShown, type ShowReport, show, showReport } from './commands/show.js';
export {
  type EstimateOptions,
  estimateSizes,
  type SizesOptions,
  sizes,
  sizesOf,
  sizesReadOptions,
} from './commands/sizes/index.js';
export type { SizesReport } from './commands/sizes/report.js';
export { type VerifyOptions, verify } from './commands/verify.js';
export {
  type WasteOptions,
  type WasteReport,
  waste,
  wasteReadOptions,
  wasteReport,
} from './commands/waste/index.js';
export type { Container } from './containers/source.js';
export { API_VERSIONS, type DialectOptions, type StoreName } from './docker/release.js';
export { InputError, UsageError } from './errors.js';
export { OUTPUT_EXTENSIONS, outputFor } from './format/outputs.js';
export { renderTemplate, TemplateError } from './go/template/index.js';
export { defaultLimits, type LimitName, type Limits, type Resources } from './limits.js';
export type { Layout, Place } from './link/graph.js';
export type { FindingCode, FindingData, Severity } from './link/observation.js';
export type { Answer, Block, Column, Doc, Result, Span, Style, Text } from './report/doc.js';
export type { FileReport } from './report/file-report.js';
export { type ArchiveReading, type PartReading, type ReadOptions, readArchive } from './report/read.js';
export type {
  AbsentReport,
  ArchiveReport,
  ArtifactReport,
  ImageReport,
  LayerReport,
  Report,
} from './report/report.js';
export { reportOf } from './report/report.js';
export { type Selection, selectImages } from './report/select.js';
export type { Depth } from './scan/scan.js';
export { formatPlatform, type Platform, parsePlatform } from './spec/platform.js';
export { familiarName, fullName, parseReference, type Reference } from './spec/reference.js';
export { version } from './version.js';
export { removeUnfinished } from './write/unfinished.js';
