import type { Finding } from '../checks/findings.js';
import type { Location } from '../link/graph.js';
import type { Severity } from '../link/observation.js';

/** A finding of `check`, by a rule or by `verify`, with the image that it is about and the change to make. */
export interface CheckFinding {
  /** The code of a finding of `verify`, or of a rule. */
  readonly code: string;
  readonly severity: Severity;
  readonly at: Location;
  readonly data: unknown;
  readonly message: string;
  /** See `Finding`. */
  readonly unlisted?: number;
  /** Index into the images of the report; null for the archive as a whole, and for what is about several images. */
  readonly image: number | null;
  /** Index of a layer of that image, base 0. */
  readonly layer: number | null;
  /** A path in the image, without a leading slash. */
  readonly path: string | null;
  /**
   * Every path that it is about, if those are several; null stands for a place that is not a file. An exception has to
   * name all of them.
   */
  readonly paths?: readonly (string | null)[];
  /** The line of a Dockerfile that is to change. */
  readonly instruction: string | null;
  /** The change to make, in one line. null for findings of `verify`, which `explain` describes. */
  readonly remedy: string | null;
  /** The rule of the policy that gave it its severity; null for a finding of `verify` with its own. */
  readonly rule: string | null;
  /** Whether it makes the exit code 1. */
  readonly failing: boolean;
  /** Distinguishes findings with the same code, image and path; empty if that is not needed. */
  readonly key: string;
}

/** A finding that the policy hides. */
export interface Suppressed {
  readonly finding: CheckFinding;
  /** The exception's reason, or that the policy switches the finding off. */
  readonly reason: string;
  /** Where the policy says so: file and line, or a preset. */
  readonly from: string;
}

/**
 * A finding of `verify` as one of `check`. @param image  the only one that it is about; null for the archive or several
 */
export function fromVerify(
  finding: Finding,
  image: number | null,
  instructionOf: (layer: number) => string | null,
): CheckFinding {
  const { code, severity, at, data, message, unlisted } = finding;
  const told = (data as { readonly layer?: unknown }).layer;
  const layer = image !== null && typeof told === 'number' ? told : null;
  return {
    code,
    severity,
    at,
    data,
    message,
    ...(unlisted !== undefined && { unlisted }),
    image,
    layer,
    path: null,
    instruction: layer === null ? null : instructionOf(layer),
    remedy: null,
    rule: null,
    failing: false,
    key: at.pointer ?? '',
  };
}
