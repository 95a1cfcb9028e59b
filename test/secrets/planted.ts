// Secrets to plant, one of each kind at least. They are made here, of parts, so that none stands in the repository.
import { generateKeyPairSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { SecretKind } from '../../src/secrets/secret.js';

const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = UPPER.toLowerCase();
const ALNUM = DIGITS + UPPER + LOWER;
const HEX = `${DIGITS}abcdef`;

let state = 88172645;

/** Characters drawn by a generator with a fixed seed (xorshift). */
export function drawn(length: number, alphabet = ALNUM): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += alphabet[(state >>> 0) % alphabet.length]!;
  }
  return text;
}

const parts = (...pieces: readonly string[]) => pieces.join('');

function base62(value: number): string {
  let text = '';
  for (let left = value; left > 0; left = Math.floor(left / 62))
    text = (DIGITS + UPPER + LOWER)[left % 62]! + text;
  return text.padStart(6, '0');
}

export function githubToken(prefix = parts('gh', 'p_')): string {
  const random = drawn(30);
  return prefix + random + base62(crc32(Buffer.from(random)));
}

export interface Planted {
  readonly kind: SecretKind;
  /** Without a leading slash. */
  readonly path: string;
  /** The file. */
  readonly text: string;
  /** The values that must not be printed. */
  readonly value: string;
  /** The line on which it begins. Default 1. */
  readonly line?: number;
  /** The same as a variable, where it can be one. */
  readonly variable?: readonly [name: string, value: string];
}

const { privateKey: ed25519 } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const ec = (options: { cipher?: string; passphrase?: string } = {}) =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...options } as never,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey as unknown as string;
const { privateKey: rsa } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const bodyOf = (pem: string) => pem.split('\n')[2] ?? pem.split('\n')[1]!;
const wrapped = (text: string) => text.match(/.{1,64}/g)!.join('\n');
const pem = (label: string, body: string, headers = '') =>
  `${'-'.repeat(5)}BEGIN ${label}${'-'.repeat(5)}\n${headers}${wrapped(body)}\n${'-'.repeat(5)}END ${label}${'-'.repeat(5)}\n`;
const PRIVATE = parts('PRIVATE', ' KEY');
const BASE64 = `${ALNUM}+/`;

const sshKey = (cipher: string) => {
  const name = Buffer.alloc(4 + cipher.length);
  name.writeUInt32BE(cipher.length);
  name.write(cipher, 4);
  return Buffer.concat([Buffer.from('openssh-key-v1\0'), name, Buffer.from(drawn(300), 'latin1')]).toString(
    'base64',
  );
};

function token(kind: SecretKind, value: string, path = 'srv/app/config.yml'): Planted {
  return { kind, path, text: `name: x\nkey: "${value}"\n`, value, line: 2, variable: ['SERVICE', value] };
}

function planted(
  kind: SecretKind,
  path: string,
  value: string,
  text: (value: string) => string,
  line = 1,
): Planted {
  return { kind, path, text: text(value), value, line };
}

const encrypted = ec({ cipher: 'aes-256-cbc', passphrase: drawn(12) });
const packed = ec();
const openSsh = sshKey('none');
const openSshEncrypted = sshKey('aes256-ctr');
const legacy = drawn(400, BASE64);
const pgp = drawn(500, BASE64);
const putty = drawn(200, BASE64);
const awsSecret = drawn(39, BASE64) + 'zQ'.slice(0, 1);
const awsId = parts('AK', 'IA') + drawn(16, `${UPPER}234567`);
const account = drawn(86, BASE64);
const registry = drawn(20);
const word = (length = 18) => `${drawn(length - 2)}7k`;

export const PLANTED: readonly Planted[] = [
  {
    ...planted('private-key', 'root/.ssh/id_ed25519', bodyOf(ed25519).slice(0, 40), () => ed25519),
    variable: ['KEY', ed25519],
  },
  planted('private-key', 'etc/ssl/private/server.key', bodyOf(rsa), () => `# server\n${rsa}`, 2),
  planted(
    'private-key',
    'srv/app/server.js',
    bodyOf(packed),
    () => `const key = ${JSON.stringify(packed)};\n`,
  ),
  planted('private-key', 'srv/app/windows.pem', bodyOf(rsa), () => rsa.replaceAll('\n', '\r\n')),
  planted('private-key', 'root/.ssh/id_rsa', openSsh.slice(64, 128), () =>
    pem(`OPENSSH ${PRIVATE}`, openSsh),
  ),
  planted(
    'private-key',
    'srv/k8s/secret.yaml',
    Buffer.from(packed).toString('base64').slice(0, 60),
    () => `data:\n  key: ${Buffer.from(packed).toString('base64')}\n`,
    2,
  ),
  // Longer than any token, and without any other character.
  planted(
    'private-key',
    'srv/k8s/rsa.yaml',
    Buffer.from(rsa).toString('base64').slice(0, 60),
    () => `data:\n  key: ${Buffer.from(rsa).toString('base64')}\n`,
    2,
  ),
  planted(
    'private-key',
    'srv/app/key.b64',
    Buffer.from(rsa).toString('base64').slice(0, 60),
    () => `${Buffer.from(rsa).toString('base64').replace(/.{76}/g, '$&\n')}\n`,
  ),
  planted('truncated-private-key', 'srv/app/cut.pem', bodyOf(rsa), () => rsa.slice(0, 700)),
  planted('encrypted-private-key', 'srv/app/locked.pem', bodyOf(encrypted), () => encrypted),
  planted('encrypted-private-key', 'root/.ssh/id_ecdsa', openSshEncrypted.slice(64, 128), () =>
    pem(`OPENSSH ${PRIVATE}`, openSshEncrypted),
  ),
  planted('encrypted-private-key', 'srv/app/old.pem', legacy.slice(0, 64), () =>
    pem(
      `RSA ${PRIVATE}`,
      legacy,
      'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n',
    ),
  ),
  planted('pgp-private-key', 'root/signing.asc', pgp.slice(0, 64), () =>
    pem(`PGP ${PRIVATE} BLOCK`, pgp, 'Version: GnuPG v2\n\n'),
  ),
  planted(
    'putty-private-key',
    'root/key.ppk',
    putty.slice(0, 64),
    () =>
      `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 1\n${drawn(60)}\nPrivate-Lines: 4\n${wrapped(putty)}\nPrivate-MAC: ${drawn(64, HEX)}\n`,
    6,
  ),
  {
    ...planted(
      'aws-access-key',
      'root/.aws/credentials',
      awsSecret,
      secret => `[default]\naws_access_key_id = ${awsId}\naws_secret_access_key = ${secret}\n`,
      2,
    ),
  },
  {
    ...planted(
      'aws-secret-key',
      'srv/other/.aws/credentials',
      awsSecret,
      secret => `aws_secret_access_key=${secret}\n`,
    ),
    variable: ['AWS_SECRET_ACCESS_KEY', awsSecret],
  },
  token('aws-access-key-id', awsId),
  planted(
    'gcp-service-account',
    'srv/app/sa.json',
    bodyOf(packed),
    () => JSON.stringify({ type: 'service_account', project_id: 'p', private_key: packed }, null, 2),
    4,
  ),
  planted(
    'gcp-refresh-token',
    'root/.config/gcloud/application_default_credentials.json',
    `1//${drawn(60)}`,
    value => JSON.stringify({ client_id: 'x', refresh_token: value }),
  ),
  {
    ...planted(
      'azure-account-key',
      'srv/app/appsettings.json',
      account,
      value =>
        `{"c": "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=${value}==;EndpointSuffix=core.windows.net"}`,
    ),
    variable: ['STORAGE', `AccountName=me;AccountKey=${account}==`],
  },
  token('azure-client-secret', `${drawn(3)}8Q~${drawn(34)}`),
  planted('azure-token', 'root/.azure/msal_token_cache.json', drawn(80), value =>
    JSON.stringify({ secret: value }),
  ),
  token('digitalocean-token', parts('dop', '_v1_') + drawn(64, HEX)),
  planted('registry-credential', 'root/.docker/config.json', registry, value =>
    JSON.stringify({
      auths: { 'registry.local:5000': { auth: Buffer.from(`me:${value}`).toString('base64') } },
    }),
  ),
  planted(
    'registry-credential',
    'run/containers/0/auth.json',
    registry,
    value =>
      JSON.stringify(
        { auths: { 'quay.io': { auth: Buffer.from(`me:${value}`).toString('base64') } } },
        null,
        2,
      ),
    4,
  ),
  planted('registry-credential', 'root/.dockercfg', registry, value =>
    JSON.stringify({
      'https://index.docker.io/v1/': { auth: Buffer.from(`me:${value}`).toString('base64') },
    }),
  ),
  planted('registry-credential', 'srv/k8s/.dockerconfigjson', registry, value =>
    JSON.stringify({ auths: { 'quay.io': { username: 'me', password: value, email: 'me@quay.io' } } }),
  ),
  token('docker-hub-token', parts('dckr', '_pat_') + drawn(27)),
  token('npm-token', githubToken(parts('np', 'm_'))),
  planted(
    'npm-credential',
    'root/.npmrc',
    word(36),
    value => `registry=https://npm.local/\n//npm.local/:_authToken=${value}\n`,
    2,
  ),
  token('pypi-token', parts('pypi-', 'AgEIcHlwaS5vcmc') + drawn(150)),
  planted(
    'pypi-password',
    'root/.pypirc',
    word(),
    value => `[pypi]\nusername = me\npassword = ${value}\n`,
    3,
  ),
  planted(
    'pypi-password',
    'etc/pip.conf',
    word(),
    value => `[global]\nindex-url = https://me:${value}@pypi.local/simple\n`,
    2,
  ),
  token('rubygems-key', parts('ruby', 'gems_') + drawn(48, HEX)),
  planted(
    'rubygems-key',
    'root/.gem/credentials',
    drawn(32, HEX),
    value => `---\n:rubygems_api_key: ${value}\n`,
    2,
  ),
  planted(
    'maven-password',
    'root/.m2/settings.xml',
    word(),
    value =>
      `<settings><servers><server><id>x</id><password>${value}</password></server></servers></settings>`,
  ),
  planted(
    'nuget-password',
    'root/.nuget/NuGet/NuGet.Config',
    word(),
    value => `<configuration>\n<add key="ClearTextPassword" value="${value}" />\n</configuration>`,
    2,
  ),
  planted(
    'cargo-token',
    'usr/local/cargo/credentials.toml',
    word(32),
    value => `[registry]\ntoken = "${value}"\n`,
    2,
  ),
  planted('composer-credential', 'root/.composer/auth.json', word(40), value =>
    JSON.stringify({ 'github-oauth': { 'github.com': value } }),
  ),
  planted('gradle-password', 'root/.gradle/gradle.properties', word(), value => `nexusPassword=${value}\n`),
  planted(
    'netrc-password',
    'root/.netrc',
    word(),
    value => `machine git.local\n  login me\n  password ${value}\n`,
    3,
  ),
  planted('git-credential', 'root/.git-credentials', word(), value => `https://me:${value}@git.local\n`),
  planted(
    'kubeconfig-credential',
    'root/.kube/config',
    word(40),
    value => `users:\n- user:\n    token: ${value}\n`,
    3,
  ),
  planted('database-password', 'root/.pgpass', word(), value => `db.local:5432:shop:me:${value}\n`),
  token('github-token', githubToken()),
  token('github-token', githubToken(parts('gh', 's_'))),
  token('github-token', `${parts('github', '_pat_')}${drawn(22)}_${drawn(59)}`),
  token('gitlab-token', parts('gl', 'pat-') + drawn(20)),
  token('slack-token', `${parts('xo', 'xb-')}${drawn(12, DIGITS)}-${drawn(12, DIGITS)}-${drawn(24)}`),
  token(
    'slack-webhook',
    `https://hooks.slack.com/services/T${drawn(9, UPPER)}/B${drawn(9, UPPER)}/${drawn(24)}`,
  ),
  token('stripe-key', parts('sk', '_live_') + drawn(24)),
  token('sendgrid-key', `${parts('S', 'G.')}${drawn(22)}.${drawn(43)}`),
  {
    ...planted(
      'twilio-key',
      'srv/app/settings.ini',
      parts('S', 'K') + drawn(32, HEX),
      value => `TWILIO_API_KEY=${value}\n`,
    ),
    variable: ['TWILIO_AUTH_TOKEN', drawn(32, HEX)],
  },
  token('openai-key', `${parts('sk-', 'proj-')}${drawn(74)}${parts('T3Blbk', 'FJ')}${drawn(74)}`),
  token('openai-key', `${parts('sk', '-')}${drawn(20)}${parts('T3Blbk', 'FJ')}${drawn(20)}`),
  token('anthropic-key', `${parts('sk-', 'ant-')}api03-${drawn(93)}AA`),
  token('huggingface-token', parts('h', 'f_') + drawn(34)),
  token('vault-token', `${parts('hv', 's.')}${drawn(90)}`),
  token('terraform-token', `${drawn(14)}.${parts('atlas', 'v1.')}${drawn(67)}`),
  {
    ...planted(
      'url-password',
      'srv/app/database.yml',
      word(),
      value => `url: postgres://me:${value}@db.local/shop\n`,
    ),
    variable: ['DATABASE_URL', 'postgres://me:Vq7rTz2kWm@db.local/shop'],
  },
  {
    ...planted('password', 'srv/app/.env', word(), value => `# shop\nexport DB_PASSWORD="${value}"\n`, 2),
    variable: ['DB_PASSWORD', word()],
  },
  {
    ...planted('token', 'srv/app/.env.production', word(32), value => `SESSION_SECRET=${value}\n`),
    variable: ['SESSION_SECRET', word(32)],
  },
];
