/** Where a report goes, and how it gets there. */
export {
  fileIdentity,
  type OutputPlace,
  outputPlace,
  saveReport,
  writeOutput,
} from '../write/output-file.js';
