// No secret is found where there is none: in the trees of distributions and packages, and in ordinary images.
import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Check, checkReadOptions } from '../../src/commands/check/index.js';
import { readArchive } from '../../src/commands.js';
import { defaultLimits } from '../../src/limits.js';
import { secretsIn } from '../../src/secrets/search.js';
import { mannerFor } from '../../src/secrets/searched-files.js';
import { corpus, hasCorpus, NO_SHARED_FOLDER, repositoryRoot, testWhen } from '../support/corpus.js';
import { NOW, policyOf } from '../support/policy.js';
import { drawn } from './planted.js';

interface Tree {
  readonly searched: number;
  readonly found: readonly string[];
}

/** Searches files as a layer with them would be, whose paths are those below the root. */
function searchTree(root: string, folders: readonly string[], most = Number.POSITIVE_INFINITY): Tree {
  const found: string[] = [];
  let searched = 0;
  const visit = (path: string, entry: Dirent) => {
    if (searched >= most) return;
    if (entry.isDirectory()) {
      for (const child of readdirSync(join(root, path), { withFileTypes: true }))
        visit(`${path}/${child.name}`, child);
    } else if (entry.isFile()) {
      const manner = mannerFor(path);
      if (manner === null || statSync(join(root, path)).size > 4 * defaultLimits.secretFileBytes) return;
      searched++;
      const bytes = readFileSync(join(root, path)).subarray(0, defaultLimits.secretFileBytes);
      for (const { kind, line } of secretsIn(bytes, path, manner)) found.push(`${path}:${line} ${kind}`);
    }
  };
  for (const folder of folders.filter(each => existsSync(join(root, each))))
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }))
      visit(`${folder}/${entry.name}`, entry);
  return { searched, found };
}

test('a node_modules tree, as it lies in an image and as if it were the application itself', () => {
  const inImage = searchTree(repositoryRoot, ['node_modules']);
  assert.equal(inImage.found, []);
  const asApplication = searchTree(
    join(repositoryRoot, 'node_modules'),
    readdirSync(join(repositoryRoot, 'node_modules')).filter(name => !name.startsWith('.')),
  );
  assert.ok(asApplication.searched > 200, String(asApplication.searched));
  assert.equal(asApplication.found, []);
});

/** Directories that a Debian ships, without this machine's own configuration. */
const DEBIAN = [
  'etc/apt',
  'etc/pam.d',
  'etc/security',
  'etc/ssl/certs',
  'etc/init.d',
  'etc/cron.daily',
  'etc/default',
  'etc/profile.d',
  'etc/python3',
  'etc/perl',
  'etc/dpkg',
  'etc/ld.so.conf.d',
  'usr/bin',
  'usr/sbin',
  'usr/libexec',
  'usr/share/ca-certificates',
  'usr/share/bash-completion',
  'usr/share/doc',
  'usr/share/perl5',
  'usr/share/debconf',
  'usr/lib/python3',
  'usr/lib/systemd',
  'usr/lib/ssl',
  'usr/lib/openssh',
  'usr/share/openssh',
  'usr/share/git-core',
];

testWhen(
  test,
  existsSync('/etc/debian_version'),
  'this is no Debian',
)('the files of a Debian', () => {
  const { searched, found } = searchTree('/', DEBIAN, 20_000);
  assert.ok(searched > 200, String(searched));
  assert.equal(found, []);
});

/** Files as Alpine has them, for machines that are none. */
const ALPINE: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/ash\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  'etc/shadow': `root:*::0:::::\napp:$6$${drawn(16)}$${drawn(86)}:19000:0:99999:7:::\n`,
  'etc/apk/repositories': 'https://dl-cdn.alpinelinux.org/alpine/v3.20/main\n',
  'etc/apk/keys/alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub': `-----BEGIN PUBLIC KEY-----\n${drawn(64)}\n${drawn(64)}\n-----END PUBLIC KEY-----\n`,
  'etc/ssl/certs/ca-certificates.crt': `-----BEGIN CERTIFICATE-----\n${`${drawn(64)}\n`.repeat(20)}-----END CERTIFICATE-----\n`,
  'etc/ssl/openssl.cnf':
    '[ req ]\n# input_password = secret\n# output_password = secret\ndefault_keyfile = privkey.pem\n[ insta ]\nsecret = pass:insta\n',
  'etc/ssl/ct_log_list.cnf': 'key = MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n',
  'etc/udhcpc/udhcpc.conf': '',
  'etc/profile': 'export PATH="/usr/local/sbin:/usr/bin"\nexport PAGER=less\n',
  'etc/wgetrc':
    '#http_proxy = http://proxy.yoyodyne.com:18023/\n#ftp_proxy = http://user:hidden12@proxy.yoyodyne.com\n',
  'etc/nginx/nginx.conf': 'ssl_certificate_key /etc/nginx/key.pem;\nauth_basic_user_file /etc/htpasswd;\n',
  'etc/htpasswd': `admin:$apr1$${drawn(8)}$${drawn(22)}\n`,
  'lib/apk/db/installed': `C:Q1${drawn(27)}=\nP:musl\nV:1.2.5-r0\n`,
  'usr/share/apk/keys/x86_64.pub': `-----BEGIN PUBLIC KEY-----\n${drawn(64)}\n-----END PUBLIC KEY-----\n`,
  'usr/lib/node_modules/npm/docs/content/using-npm/config.md':
    'key="-----BEGIN PRIVATE KEY-----\\nXXXX\\nXXXX\\n-----END PRIVATE KEY-----"\n',
  'usr/share/php83/composer/res/auth.json':
    '{"github-oauth":{"github.com":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}',
  'app/package-lock.json': `{"integrity":"sha512-${drawn(86)}==","resolved":"https://registry.npmjs.org/a/-/a-1.0.0.tgz"}`,
  'app/yarn.lock': `resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#${drawn(40, '0123456789abcdef')}"\n`,
  'app/.env.example': 'DB_PASSWORD=Gh7kWq2mPz4v\n',
  'app/docker-compose.yml':
    'environment:\n  DATABASE_URL: postgres://postgres:postgres@db:5432/app\n  POSTGRES_PASSWORD: postgres\n',
  'app/bundle.js': `var a="${drawn(64, '0123456789abcdef')}",b="sk-button-primary-with-icon-and-label-large",c="npm_config_registry_is_not_set_here_at_all"`,
};

test('the files of an Alpine, and of an application', () => {
  for (const [path, text] of Object.entries(ALPINE)) {
    const manner = mannerFor(path);
    assert.equal(manner === null ? [] : secretsIn(Buffer.from(text), path, manner), [], path);
  }
});

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('no image of the corpus has a secret', async () => {
  const policy = await policyOf('extends: none@1\nrules: { no-secrets: on }\n');
  const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'never' });
  const found: string[] = [];
  let read = 0;
  for (const { id, file } of corpus()) {
    const reading = await readArchive(file, checkReadOptions(policy)).catch(() => null);
    if (reading === null) continue;
    read++;
    const { data } = check.archive(reading, {});
    const { findings } = data as { findings: readonly { code: string; message: string }[] };
    for (const { code, message } of findings) if (code === 'no-secrets') found.push(`${id}: ${message}`);
  }
  assert.ok(read > 100, String(read));
  assert.equal(found, []);
});

test.run();
