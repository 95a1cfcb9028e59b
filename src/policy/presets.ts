/** A set of rules with a name. What a name with its number means is never changed: a new set gets a new number. */
export interface Preset {
  readonly what: string;
  /** A policy. */
  readonly text: string;
}

/** The preset that applies if neither a policy nor a preset is named. */
export const DEFAULT_PRESET = 'default@1';

/** The rules that are added if there is an image to compare with. */
export const AGAINST_PRESET = 'against@1';

export const PRESETS: ReadonlyMap<string, Preset> = new Map([
  [
    DEFAULT_PRESET,
    {
      what: 'Rules for every image: it can be loaded, it has a command to run, and it has no key, credential or token. An image that runs as root is a warning.',
      text: `rules:
  layer-count: 125          # Docker refuses more
  start-command: warning
  user-not-root: warning
  no-secrets: error         # docs/secrets.md
`,
    },
  ],
  [
    'strict@1',
    {
      what: 'Rules for an image that runs in production.',
      text: `extends: default@1
rules:
  user-not-root: error
  start-command:
    shell-form: forbidden
  no-latest: error
  image-names: error
  history: error
  no-missing-blobs: error
  setuid-files: error
  file-capabilities: error
  world-writable: error
  device-nodes: error
  waste-share:
    deleted: 5%
    overwritten: 5%
    cached: 10%
    from: 1MB
`,
    },
  ],
  [
    AGAINST_PRESET,
    {
      what: 'Rules that apply below every policy if `--against` names an earlier image. Growth by more than 10 %, new ports and a changed command are warnings. New packages and changed variables are listed.',
      text: `rules:
  compared-image: error
  new-setuid: error
  changed-user: error
  growth:
    severity: warning
    unpacked: +10%
  new-ports: warning
  changed-command: warning
  new-packages: info
  changed-env: info
`,
    },
  ],
  ['none@1', { what: 'No rule: the findings of `verify` alone.', text: 'rules: {}\n' }],
]);
