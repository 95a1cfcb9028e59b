import { assignmentsIn, urlPasswordsIn } from './assignments.js';
import type { Found, SecretKind } from './secret.js';
import { isPassword, isPasswordOf, isPlaceholder, isRandom } from './shapes.js';
import { isAwsSecret } from './tokens.js';

/** A file that is known, by its name, to hold credentials, and how they stand in it. */
interface CredentialFile {
  /** Its name in lower case, or the end of its path, with the slash before. */
  readonly names: readonly string[];
  read(text: string): Iterable<Found>;
}

/**
 * Values of fields, by a pattern whose last group is the value. Hazard: the pattern must not backtrack over more than a
 * few bytes.
 */
const fields = (kind: SecretKind, pattern: RegExp, isValue: (value: string) => boolean = isSecret) =>
  function* (text: string): Generator<Found> {
    for (const match of text.matchAll(pattern)) {
      const value = match.at(-1)!;
      if (isValue(value)) yield { kind, at: match.index + match[0].lastIndexOf(value), value };
    }
  };

const isSecret = (value: string) => value.length >= 4 && !isPlaceholder(value);

const all = (...readers: readonly CredentialFile['read'][]) =>
  function* (text: string): Generator<Found> {
    for (const read of readers) yield* read(text);
  };

/**
 * `"auth"` is base64 of `user:password`; Kubernetes takes both as fields too, without it.
 * https://docs.docker.com/reference/cli/docker/login/,
 * https://pkg.go.dev/k8s.io/kubernetes/pkg/credentialprovider#DockerConfigEntry
 */
function* registryAuths(text: string): Generator<Found> {
  for (const match of text.matchAll(/"auth"\s{0,20}:\s{0,20}"([A-Za-z0-9+/=]{4,8192})"?/g)) {
    const pair = Buffer.from(match[1]!, 'base64').toString('latin1');
    const colon = pair.indexOf(':');
    const [user, password] = [pair.slice(0, colon), pair.slice(colon + 1).replace(/\0+$/, '')];
    if (colon > 0 && /^[\x20-\x7e]+$/.test(user) && isPasswordOf(user, password))
      yield { kind: 'registry-credential', at: match.index, value: password };
  }
  yield* fields(
    'registry-credential',
    /"(?:identitytoken|registrytoken)"\s{0,20}:\s{0,20}"([^"\s]{8,8192})/gi,
  )(text);
  yield* fields(
    'registry-credential',
    /"username"\s{0,20}:\s{0,20}"[^"\s]{1,512}"\s{0,20},\s{0,20}"password"\s{0,20}:\s{0,20}"([^"\s]{4,8192})"/g,
  )(text);
}

/** `machine HOST login USER password WORD`, on one line or several. */
function* netrcPasswords(text: string): Generator<Found> {
  const words = /(?<=^|[ \t\n])(login|password)[ \t\r\n]{1,20}([^\s]{1,512})/g;
  let user = '';
  for (const { 0: whole, 1: key, 2: value, index } of text.matchAll(words)) {
    if (key === 'login') user = value!;
    else if (isPasswordOf(user, value!))
      yield { kind: 'netrc-password', at: index + whole.length - value!.length, value: value! };
  }
}

/** `HOST:PORT:DATABASE:USER:PASSWORD`. PostgreSQL manual, "The Password File" */
function* pgpassPasswords(text: string): Generator<Found> {
  for (const match of text.matchAll(
    /^(?!#)[^:\n]{1,255}:[^:\n]{1,10}:[^:\n]{1,128}:([^:\n]{1,128}):([^\r\n]{1,512})$/gm,
  )) {
    const [line, user, value] = match as unknown as [string, string, string];
    if (isPasswordOf(user, value))
      yield { kind: 'database-password', at: match.index + line.length - value.length, value };
  }
}

const gitCredentials = function* (text: string): Generator<Found> {
  for (const found of urlPasswordsIn(text)) yield { ...found, kind: 'git-credential' };
};

const indexPasswords = function* (text: string): Generator<Found> {
  for (const found of urlPasswordsIn(text)) yield { ...found, kind: 'pypi-password' };
};

const MAVEN = fields('maven-password', /<(?:password|passphrase)>([^<\n]{1,4096})</g);

/** XML with spaces for its comments: Maven's own settings.xml explains itself in them. */
function withoutComments(text: string): string {
  const parts: string[] = [];
  let at = 0;
  for (let start = text.indexOf('<!--'); start >= 0; start = text.indexOf('<!--', at)) {
    const close = text.indexOf('-->', start + 4);
    const end = close < 0 ? text.length : close + 3;
    parts.push(text.slice(at, start), ' '.repeat(end - start));
    at = end;
  }
  return parts.join('') + text.slice(at);
}

const npmFields = fields(
  'npm-credential',
  /(?:^|:)_(?:authToken|auth|password)[ \t]{0,8}=[ \t]{0,8}"?([^\s"#;]{4,4096})/gm,
);
const yarnFields = fields(
  'npm-credential',
  /^[ \t]{0,40}npmAuth(?:Token|Ident):[ \t]{0,8}["']?([^\s"'#]{4,4096})/gm,
);

const REGISTRY_FILES = [
  '/.docker/config.json',
  '/containers/auth.json',
  '.dockercfg',
  '.dockerconfigjson',
  '/kaniko/config.json',
];

const FILES: readonly CredentialFile[] = [
  { names: REGISTRY_FILES, read: registryAuths },
  { names: ['.npmrc', 'npmrc', '.pnpmrc', '.yarnrc'], read: npmFields },
  { names: ['.yarnrc.yml'], read: yarnFields },
  {
    names: ['.pypirc'],
    read: all(
      fields('pypi-password', /^[ \t]{0,8}password[ \t]{0,8}[=:][ \t]{0,8}([^\s#;]{1,4096})/gm),
      indexPasswords,
    ),
  },
  { names: ['pip.conf', 'pip.ini', '/pypoetry/auth.toml', 'uv.toml'], read: indexPasswords },
  {
    names: ['/pypoetry/auth.toml'],
    read: fields('pypi-password', /^[ \t]{0,8}password[ \t]{0,8}=[ \t]{0,8}["']([^"'\n]{1,4096})/gm),
  },
  {
    names: ['/.gem/credentials', '/gem/credentials'],
    read: fields(
      'rubygems-key',
      /^[ \t]{0,8}:?[\w.:/-]{1,128}:[ \t]{1,8}["']?([\w-]{20,200})/gm,
      isRandomKey,
    ),
  },
  {
    names: ['settings.xml', 'settings-security.xml'],
    read: text => MAVEN(withoutComments(text)),
  },
  {
    names: ['nuget.config', 'nuget.exe.config'],
    read: fields('nuget-password', /<add\s{1,20}key="ClearTextPassword"\s{1,20}value="([^"\n]{1,4096})/gi),
  },
  {
    names: [
      '/.cargo/credentials',
      '/.cargo/credentials.toml',
      '/cargo/credentials',
      '/cargo/credentials.toml',
    ],
    read: fields('cargo-token', /^[ \t]{0,8}token[ \t]{0,8}=[ \t]{0,8}["']([^"'\n]{8,4096})/gm),
  },
  {
    names: ['auth.json'],
    read: all(
      registryAuths,
      fields('composer-credential', /"password"\s{0,20}:\s{0,20}"([^"\n]{4,4096})/g),
      fields(
        'composer-credential',
        /"(?:github-oauth|gitlab-token|gitlab-oauth|bearer|bitbucket-oauth)"\s{0,20}:\s{0,20}\{\s{0,200}"[^"\n]{1,255}"\s{0,20}:\s{0,20}"([^"\n]{8,4096})/g,
      ),
    ),
  },
  { names: ['.netrc', '_netrc', 'netrc'], read: netrcPasswords },
  { names: ['.git-credentials', '/git/credentials', '/.git/config', '.gitconfig'], read: gitCredentials },
  {
    names: ['/.kube/config', 'kubeconfig', 'admin.conf', 'kubelet.conf'],
    read: fields(
      'kubeconfig-credential',
      /^[ \t-]{0,40}(?:token|password):[ \t]{1,8}["']?([^\s"'#]{6,8192})/gm,
    ),
  },
  {
    names: ['/.aws/credentials', '/.aws/config', '.boto', '.s3cfg', 'credentials.ini'],
    read: all(
      fields(
        'aws-secret-key',
        /^[ \t]{0,8}(?:aws_secret_access_key|secret_key)[ \t]{0,8}[=:][ \t]{0,8}([^\s#;]{1,200})/gim,
        isAwsSecret,
      ),
      fields(
        'gcp-refresh-token',
        /^[ \t]{0,8}gs_oauth2_refresh_token[ \t]{0,8}=[ \t]{0,8}([^\s#;]{16,512})/gm,
        isRandom,
      ),
    ),
  },
  {
    names: ['application_default_credentials.json', '/gcloud/credentials.json', 'adc.json'],
    read: fields('gcp-refresh-token', /"refresh_token"\s{0,20}:\s{0,20}"([^"\n]{16,4096})/g),
  },
  {
    names: [
      '/.azure/accesstokens.json',
      '/.azure/msal_token_cache.json',
      '/.azure/service_principal_entries.json',
    ],
    read: fields(
      'azure-token',
      /"(?:accessToken|refreshToken|secret|client_secret|accessKey)"\s{0,20}:\s{0,20}"([^"\n]{16,8192})/gi,
    ),
  },
  { names: ['.pgpass', 'pgpass.conf'], read: pgpassPasswords },
  {
    names: ['.my.cnf', '.mylogin.cnf'],
    read: fields(
      'database-password',
      /^[ \t]{0,8}password[ \t]{0,8}=[ \t]{0,8}["']?([^\s"'#]{1,512})/gm,
      isPassword,
    ),
  },
  {
    names: ['/.sbt/.credentials', '/.ivy2/.credentials', 'gradle.properties'],
    read: fields(
      'gradle-password',
      /^[ \t]{0,8}[\w.-]{0,64}password[ \t]{0,8}[=:][ \t]{0,8}([^\s#]{1,512})/gim,
      isPassword,
    ),
  },
  {
    names: ['.terraformrc', 'terraform.rc', 'credentials.tfrc.json'],
    read: fields('terraform-token', /"?token"?[ \t]{0,8}[=:][ \t]{0,8}"([^"\n]{16,512})/g),
  },
  { names: ['.vault-token'], read: fields('vault-token', /^((?:hv[sbr]|s)\.[\w-]{20,200})\s{0,4}$/g) },
];

function isRandomKey(value: string): boolean {
  return isRandom(value) || (/^[0-9a-f]{32}$/.test(value) && !isPlaceholder(value));
}

const BY_BASE = new Map<string, CredentialFile['read'][]>();
const BY_END: (readonly [end: string, read: CredentialFile['read']])[] = [];
for (const { names, read } of FILES)
  for (const name of names) {
    if (name.startsWith('/')) BY_END.push([name, read]);
    else BY_BASE.set(name, [...(BY_BASE.get(name) ?? []), read]);
  }
/** The last parts of the names with a slash, so that most paths are compared with none of them. */
const END_BASES = new Set(BY_END.map(([end]) => end.slice(end.lastIndexOf('/') + 1)));

/** `.env`, `.env.production`, `app.env`; not the ones that show how to write one. */
const DOTENV = /^(?:\.env(?:\.[\w.-]+)?|[\w.-]+\.env|\.envrc)$/;
const TEMPLATE = /\.(?:example|sample|template|tmpl|dist|defaults?|test|schema)$/;

export const isDotenv = (base: string): boolean => DOTENV.test(base) && !TEMPLATE.test(base);

/**
 * How the credentials of a file are read that is known by its name; none for all others.
 * @param path  in lower case, without a leading slash
 */
export function readersOf(path: string, base: string): readonly CredentialFile['read'][] {
  const named = BY_BASE.get(base) ?? [];
  const ends = END_BASES.has(base)
    ? BY_END.filter(([end]) => `/${path}`.endsWith(end)).map(([, read]) => read)
    : [];
  const dotenv = isDotenv(base) ? [dotenvSecrets] : [];
  return [...named, ...ends, ...dotenv];
}

/** As assignments are in a shell; a name and a value may have spaces beside the sign. */
function* dotenvSecrets(text: string): Generator<Found> {
  yield* assignmentsIn(
    text.replace(/^([ \t]{0,8}(?:export[ \t]{1,8})?[A-Za-z_][\w.-]{0,127})[ \t]{1,8}=[ \t]{0,8}/gm, '$1='),
  );
}

const ACCOUNT_KEY = /\b(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,100}={0,2})/gi;
const SERVICE_ACCOUNT = /"type"\s{0,20}:\s{0,20}"service_account"/;

/** Connection strings of Azure. https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string */
export const azureKeysIn = fields('azure-account-key', ACCOUNT_KEY, isRandomBase64);

function isRandomBase64(value: string): boolean {
  return new Set(value).size >= 12 && !isPlaceholder(value.replace(/=+$/, ''));
}

/** `auths` in any other file: a Kubernetes secret, a CI variable, a copy under another name. */
export const authsIn = function* (text: string): Generator<Found> {
  if (text.includes('"auths"')) yield* registryAuths(text);
};

/** Whether a JSON is the key file of a Google Cloud service account. */
export const isServiceAccount = (text: string): boolean => SERVICE_ACCOUNT.test(text);
