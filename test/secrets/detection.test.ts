// Each kind of secret is found by its bytes, where it stands, and its value is never told.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { secretsIn, secretsInCommand, secretsInVariable, withoutSecrets } from '../../src/secrets/search.js';
import { mannerFor } from '../../src/secrets/searched-files.js';
import { SECRET_KINDS, type Secret } from '../../src/secrets/secret.js';
import { githubToken, PLANTED } from './planted.js';

const search = (path: string, content: string | Uint8Array): Secret[] => {
  const manner = mannerFor(path);
  return manner === null ? [] : secretsIn(Buffer.from(content as string), path, manner);
};

for (const { kind, path, text, value, line = 1, variable } of PLANTED) {
  test(`${kind} in ${path}`, () => {
    const found = search(path, text);
    assert.equal(
      found.map(one => [one.kind, one.line]),
      [[kind, line]],
    );
    assert.match(found[0]!.fingerprint, /^[0-9a-f]{16}$/);
    assert.not.ok(JSON.stringify(found).includes(value));
    assert.equal(search(path, text)[0]!.fingerprint, found[0]!.fingerprint);
  });
  if (variable === undefined) continue;
  const [name, content] = variable;
  test(`${kind} in a variable and in the history`, () => {
    assert.equal(
      secretsInVariable(name, content).map(one => [one.kind, one.name]),
      [[kind, name]],
    );
    for (const command of [
      `ENV ${name}=${content}`,
      `|1 ${name}=${content} /bin/sh -c make`,
      `RUN |2 OTHER=1 ${name}=${content} /bin/sh -c make # buildkit`,
      `/bin/sh -c #(nop)  ARG ${name}=${content}`,
      `/bin/sh -c export ${name}='${content}' && make`,
    ]) {
      assert.equal(
        secretsInCommand(command).map(one => one.kind),
        [kind],
        command,
      );
      const shown = withoutSecrets(command);
      assert.not.ok(shown.includes(content), shown);
      assert.equal(secretsInCommand(shown), []);
    }
  });
}

test('every kind is planted, in a file', () => {
  const planted = new Set(PLANTED.map(({ kind }) => kind));
  const elsewhere = ['authorization-header'];
  assert.equal(
    Object.keys(SECRET_KINDS).filter(kind => !planted.has(kind as never) && !elsewhere.includes(kind)),
    [],
  );
});

test('an authorization header in a command', () => {
  const command = `RUN /bin/sh -c curl -H "Authorization: Bearer ${githubToken('t')}" https://api.local`;
  assert.equal(
    secretsInCommand(command).map(({ kind }) => kind),
    ['authorization-header'],
  );
  assert.is(withoutSecrets(command), 'RUN /bin/sh -c curl -H "Authorization: Bearer ***" https://api.local');
});

test('one secret that several rules know is told once, and by what tells most', () => {
  const token = githubToken();
  assert.equal(
    search('srv/.env', `GITHUB_TOKEN=${token}\nURL=https://x:${token}@github.com/a/b\n`).map(one => [
      one.kind,
      one.line,
    ]),
    [['github-token', 1]],
  );
});

test('the same key in other lines has the same fingerprint', () => {
  const { text } = PLANTED.find(({ path }) => path.endsWith('server.key'))!;
  const fingerprints = [text, text.replaceAll('\n', '\r\n'), JSON.stringify({ text })].map(
    one => search('srv/key.json', one)[0]?.fingerprint,
  );
  assert.is(new Set(fingerprints).size, 1);
});

test('UTF-16 as Windows writes it', () => {
  const token = githubToken();
  const little = Buffer.from(`\ufeffA=1\r\nTOKEN=${token}\r\n`, 'utf16le');
  assert.equal(
    search('srv/settings.ini', little).map(one => [one.kind, one.line]),
    [['github-token', 2]],
  );
  assert.equal(
    search('srv/settings.ini', little.swap16()).map(one => one.kind),
    ['github-token'],
  );
});

/** Texts that look like a secret and are not. */
const QUIET: readonly (readonly [path: string, text: string])[] = [
  ['etc/app.conf', `key = ${'AKIA'}IOSFODNN7EXAMPLE\nsecret = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n`],
  ['srv/a.txt', `${'ghp'}_${'x'.repeat(36)} ${'ghp'}_${'A1b2C3d4'.repeat(4)}wXyZ`],
  ['srv/a.txt', `${githubToken().slice(0, -1)}!`],
  ['srv/a.txt', `${'npm'}_${'A1b2C3d4'.repeat(4)}wXyZ`],
  [
    'srv/.env',
    'DB_PASSWORD=changeme\nDB_PASSWORD=\u0024{SECRET}\nTOKEN=<your-token>\nAPI_KEY=\nPASSWORD=$1\nSECRET={{ vault }}\n',
  ],
  [
    'srv/.env',
    'PASSWORD_FILE=/run/secrets/db\nTOKEN_URL=https://auth.local/token\nSECRET_NAME=app-db-credentials-2024\n',
  ],
  ['srv/.env.example', 'DB_PASSWORD=Gh7kWq2mPz4v\n'],
  ['root/.npmrc', '//registry.npmjs.org/:_authToken=\u0024{NPM_TOKEN}\n'],
  ['root/.docker/config.json', '{"auths":{"r.io":{}},"credsStore":"desktop"}'],
  [
    'root/.m2/settings.xml',
    '<!-- <password>Gh7kWq2mPz4v</password> --><password>\u0024{env.PASS}</password>',
  ],
  ['root/.netrc', 'machine h login me password me\n'],
  [
    'etc/proxy.conf',
    '# http://user:Gh7kWq2mPz4v@proxy.local\nx = http://user:password@host/\ny = http://user:s3cr3tpw9@example.com\n',
  ],
  ['srv/read-key.py', "if '-----BEGIN PRIVATE KEY-----' in text: pass\nEND = '-----END PRIVATE KEY-----'\n"],
  [
    'srv/cert.pem',
    `-----BEGIN CERTIFICATE-----\n${'MIIBszCCARwCCQ'.repeat(20)}\n-----END CERTIFICATE-----\n`,
  ],
  [
    'srv/pub.pem',
    `-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA${'Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE'}=\n-----END PUBLIC KEY-----\n`,
  ],
  ['srv/empty.pem', '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n'],
  ['srv/sums.txt', `${'da39a3ee5e6b4b0d3255bfef95601890afd80709'}  file\n`],
  ['usr/lib/python3/dist-packages/x/tests/key.pem', PLANTED[1]!.text],
  ['usr/share/doc/openssl/examples/key.pem', PLANTED[1]!.text],
  ['srv/node_modules/x/test/fixtures/server.key', PLANTED[1]!.text],
  ['srv/node_modules/x/index.js', `const a = "${githubToken()}"`],
  ['usr/bin/program', `\x7fELF\x02\x01\x01 ${githubToken()}`],
];

for (const [i, [path, text]] of QUIET.entries())
  test(`no secret: ${i + 1}, ${path}`, () => {
    assert.equal(search(path, text), []);
  });

const NO_VARIABLES: readonly (readonly [string, string])[] = [
  ['GPG_KEY', 'E3FF2839C048B25C084DEBE9B26995E310250568'],
  ['PYTHON_SHA256', 'a30ac3f3e4ea6e5f4f3f4a6c0c2a5c3d8f5f7f2e4b9f2a3d1c0b9a8f7e6d5c4b'],
  ['NODE_VERSION', '20.20.2'],
  ['PWD', '/srv/app-1234567'],
  ['PATH', '/usr/local/sbin:/usr/local/bin'],
  ['KEYCLOAK_PASSWORD', 'password'],
  ['POSTGRES_PASSWORD', 'postgres'],
  ['TOKEN_PATH', '/var/run/secrets/kubernetes.io/serviceaccount/token'],
  ['DB_PASSWORD_FILE', '/run/secrets/db-password-1'],
  ['API_TOKEN', '%API_TOKEN%'],
  ['AUTH_TOKEN', 'my-service-auth-token-name-v2'],
  ['JAVA_OPTS', '-Djavax.net.ssl.trustStorePassword=changeit'],
  ['PUBLIC_KEY', 'Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE'],
  ['CSRF_TOKEN_NAME', 'x1y2z3x1y2z3x1y2z3'],
  ['PIP_INDEX_URL', 'https://pypi.org/simple'],
  ['PASSWORD', 'true'],
  ['SECRET_KEY', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf'],
];

for (const [name, value] of NO_VARIABLES)
  test(`no secret: ${name}=${value}`, () => {
    assert.equal(secretsInVariable(name, value), []);
    assert.equal(secretsInCommand(`ENV ${name}=${value}`), []);
    assert.is(withoutSecrets(`ENV ${name}=${value}`), `ENV ${name}=${value}`);
  });

test.run();
