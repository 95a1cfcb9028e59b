import { hash } from 'node:crypto';

/** The kinds of secrets that are searched for, with the noun of each for sentences. */
export const SECRET_KINDS = {
  'private-key': 'private key',
  'encrypted-private-key': 'encrypted private key',
  'truncated-private-key': 'truncated private key',
  'pgp-private-key': 'PGP private key',
  'putty-private-key': 'PuTTY private key',
  'aws-access-key': 'AWS access key with its secret',
  'aws-access-key-id': 'AWS access key ID without its secret',
  'aws-secret-key': 'AWS secret access key',
  'gcp-service-account': 'Google Cloud service account key',
  'gcp-refresh-token': 'Google Cloud refresh token',
  'azure-account-key': 'Azure account key',
  'azure-client-secret': 'Azure client secret',
  'azure-token': 'Azure access token',
  'digitalocean-token': 'DigitalOcean token',
  'registry-credential': 'credential of a container registry',
  'docker-hub-token': 'Docker Hub token',
  'npm-token': 'npm token',
  'npm-credential': 'credential of an npm registry',
  'pypi-token': 'PyPI token',
  'pypi-password': 'password of a Python package index',
  'rubygems-key': 'RubyGems API key',
  'maven-password': 'password in Maven settings',
  'nuget-password': 'password of a NuGet source',
  'cargo-token': 'cargo registry token',
  'composer-credential': 'Composer credential',
  'gradle-password': 'password in Gradle or sbt settings',
  'netrc-password': 'password in .netrc',
  'git-credential': 'stored git credential',
  'kubeconfig-credential': 'credential in a kubeconfig',
  'database-password': 'password of a database client',
  'github-token': 'GitHub token',
  'gitlab-token': 'GitLab token',
  'slack-token': 'Slack token',
  'slack-webhook': 'Slack webhook',
  'stripe-key': 'Stripe live key',
  'sendgrid-key': 'SendGrid API key',
  'twilio-key': 'Twilio API key',
  'openai-key': 'OpenAI API key',
  'anthropic-key': 'Anthropic API key',
  'huggingface-token': 'Hugging Face token',
  'vault-token': 'Vault token',
  'terraform-token': 'Terraform token',
  'url-password': 'password in a URL',
  'authorization-header': 'Authorization header',
  password: 'password',
  token: 'token or key',
} as const;

export type SecretKind = keyof typeof SECRET_KINDS;

/** A secret inside a text. Hazard: it has the value, and must not leave `src/secrets/`. */
export interface Found {
  readonly kind: SecretKind;
  /** Where it begins, in bytes. */
  readonly at: number;
  /** The secret itself, bytes one per character, without what only frames it. */
  readonly value: string;
  /** The name that it is assigned to, where there is one. */
  readonly name?: string;
}

/** A secret without its value. Plain data. */
export interface Secret {
  readonly kind: SecretKind;
  /** The name that it is assigned to, such as `DB_PASSWORD`; null where it stands by itself. */
  readonly name: string | null;
  /** From 1. */
  readonly line: number;
  readonly fingerprint: string;
}

/**
 * Tells whether two secrets are the same: the first 16 hexadecimal digits of the sha256 of the value. Of a private key
 * in PEM the value is its base64 text without line ends, so that the same key in another wrapping has the same
 * fingerprint.
 *
 * Hazard: a short password can be guessed from it, as from any unsalted hash.
 */
export const fingerprintOf = (value: string): string =>
  hash('sha256', Buffer.from(value, 'latin1'), 'hex').slice(0, 16);

/** Hazard: an archive may give the value as the name too. */
export const nameWithout = ({ name, value }: Found): string | null =>
  name === undefined || name.includes(value) ? null : name;

/**
 * The budget of a search, in bytes of settings, which take ten times as long as other text. A place that may hold a key
 * or a token costs `CANDIDATE` of them: a hostile layer consists of such places.
 */
export interface Effort {
  /** @returns false where nothing is left: nothing more is searched then */
  spend(bytes: number): boolean;
}

export const CANDIDATE = 1024;

/** For texts that have a limit of their own. */
export const ANY_EFFORT: Effort = { spend: () => true };
