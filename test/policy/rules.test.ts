// Every rule there is, with an archive that keeps to it and one that does not. A rule without a case here fails the last test.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckFinding } from '../../src/policy/finding.js';
import { RULES } from '../../src/policy/rules.js';
import { digestOf } from '../support/digest.js';
import { type ImageSpec, image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { checked, NOW } from '../support/policy.js';

type Members = readonly layouts.Member[];

interface Case {
  /** The lines below `rules:`. */
  readonly rules: string;
  readonly passes: () => Promise<Members>;
  readonly fails: () => Promise<Members>;
  /** Properties of the finding; others are not compared. */
  readonly finding: Partial<Omit<CheckFinding, 'message' | 'at'>> & {
    readonly message: RegExp;
    readonly at?: string;
  };
  readonly epoch?: number;
}

const covered = new Set<string>();

/** Expects no finding of the rule in one archive, and one in the other that makes the exit code 1. */
function rule(code: string, name: string, { rules, passes, fails, finding, epoch = undefined }: Case): void {
  covered.add(code);
  const policy = `rules:\n  ${rules.trim().split('\n').join('\n  ')}\n`;
  const context = { now: NOW, epoch: epoch ?? null };
  test(`${code}: ${name}`, async () => {
    const good = await checked(await passes(), policy, { context });
    assert.equal(
      good.report.findings.filter(found => isOf(found, code)).map(({ message }) => message),
      [],
    );
    assert.is(good.exitCode, 0, good.report.findings.map(({ message }) => message).join('; '));
    const bad = await checked(await fails(), policy, { context });
    const found = bad.report.findings.filter(one => isOf(one, code));
    assert.ok(found.length > 0, `found only ${bad.report.findings.map(one => one.code).join(', ')}`);
    const { message, at, ...wanted } = finding;
    const [first] = found.filter(one => message.test(one.message));
    assert.ok(first !== undefined, found.map(one => one.message).join('\n'));
    for (const [key, value] of Object.entries(wanted))
      assert.equal(first[key as keyof CheckFinding], value, key);
    if (at !== undefined) assert.is(`${first.at.path}${first.at.pointer ?? ''}`, at);
    assert.is(first.rule, code);
    assert.ok(first.failing);
    assert.is(bad.exitCode, 1);
    for (const one of found) {
      assert.not.match(`${one.message} ${one.remedy}`, /undefined|NaN|\[object/);
      assert.ok(one.remedy !== null && one.remedy !== '', 'what to change');
    }
  });
}

const isOf = (finding: CheckFinding, code: string) => finding.code === code || finding.rule === code;

type Config = Readonly<Record<string, unknown>>;

const RUN = { Cmd: ['/bin/sh'], User: '10001', WorkingDir: '/app' };

async function oci(spec: Partial<ImageSpec> = {}, tags: readonly string[] = ['app:1']): Promise<Members> {
  return layouts.skopeoOci({ image: await image({ layers: [FILES], ...spec }), tags });
}

const FILES: LayerSpec = { files: { 'app/run': 'x'.repeat(1000) }, createdBy: 'COPY run /app/ # buildkit' };

/** An image whose config object is this. */
const withRun = (config: Config, more: readonly LayerSpec[] = []) =>
  oci({ layers: [FILES, ...more], config: { config } });

const layersOf = (...layers: readonly LayerSpec[]) => oci({ layers });
const big = (path: string, bytes: number, createdBy = `COPY ${path} / # buildkit`): LayerSpec => ({
  files: { [path]: 'y'.repeat(bytes) },
  createdBy,
});

rule('image-size', 'the unpacked size by itself', {
  rules: 'image-size: 10kB',
  passes: () => oci(),
  fails: () => layersOf(FILES, big('large', 20_000)),
  finding: {
    image: 0,
    message: /^the unpacked size is 2\d\.?\d? kB, at most 10 kB is allowed/,
    remedy:
      'start with layer 2 (22 kB, COPY large /); layer 1 (3.07 kB, COPY run /app/). `waybill sizes --by directory` shows what is in them',
  },
});

for (const name of ['stored', 'unpacked', 'content', 'docker']) {
  rule('image-size', `the ${name} size`, {
    rules: `image-size: { ${name}: 10kB }`,
    passes: () => oci(),
    fails: () => layersOf(FILES, big('large', 20_000)),
    finding: { message: new RegExp(`^the ${name} size is`) },
  });
}

const gz = (layer: LayerSpec): LayerSpec => ({ ...layer, compression: 'gzip' });
/** Text that compression halves at most. */
const noise = (bytes: number) =>
  Array.from({ length: Math.ceil(bytes / 64) }, (_, i) => digestOf(String(i)).slice('sha256:'.length)).join(
    '',
  );

rule('image-size', 'the compressed size', {
  rules: 'image-size: { compressed: 10kB }',
  passes: () => layersOf(gz(FILES)),
  fails: () => layersOf(gz({ files: { large: noise(40_000) } })),
  finding: { message: /^the compressed size is/ },
});

rule('layer-size', 'of one layer', {
  rules: 'layer-size: 10kB',
  passes: () => layersOf(FILES, FILES, FILES, FILES, FILES),
  fails: () => layersOf(FILES, big('large', 20_000)),
  finding: { layer: 1, instruction: 'COPY large /', message: /^the unpacked size is/ },
});

rule('layer-count', 'one too many', {
  rules: 'layer-count: 2',
  passes: () => layersOf(FILES, FILES),
  fails: () => layersOf(FILES, FILES, FILES),
  finding: { message: /^it has 3 layers, at most 2 are allowed$/ },
});

rule('file-size', 'also where a later layer deletes it', {
  rules: 'file-size: 10kB',
  passes: () => oci(),
  fails: () => layersOf(big('srv/core', 20_000), { files: { 'srv/.wh.core': '' } }),
  finding: { layer: 0, path: 'srv/core', message: /^\/srv\/core has 20 kB, at most 10 kB are allowed$/ },
});

rule('file-size', 'of some files', {
  rules: 'file-size: { most: 10kB, paths: ["*.log"] }',
  passes: () => layersOf(big('large', 20_000)),
  fails: () => layersOf(big('large', 20_000), big('var/a.log', 20_000)),
  finding: { layer: 1, path: 'var/a.log', message: /a\.log/ },
});

const DELETED = [big('large', 20_000), { files: { '.wh.large': '' }, createdBy: 'RUN /bin/sh -c rm large' }];

rule('waste-bytes', 'deleted later', {
  rules: 'waste-bytes: 10kB',
  passes: () => oci(),
  fails: () => layersOf(...DELETED),
  finding: { layer: 0, instruction: 'COPY large /', message: /^20 kB wasted, at most 10 kB are allowed$/ },
});

rule('waste-bytes', 'of one kind', {
  rules: 'waste-bytes: { duplicated: 10kB }',
  passes: () => layersOf(...DELETED),
  fails: () => layersOf(big('a', 20_000), big('b', 20_000)),
  finding: { layer: 1, message: /^20 kB duplicated/ },
});

rule('waste-share', 'of all files', {
  rules: 'waste-share: 10%',
  passes: () => oci(),
  fails: () => layersOf(FILES, ...DELETED),
  finding: { layer: 1, message: /^95\.24% wasted \(20 kB\), at most 10% is allowed$/ },
});

rule('waste-share', 'from some bytes on', {
  rules: 'waste-share: { total: 1%, from: 15kB }',
  passes: () => layersOf(FILES, big('large', 14_000), { files: { '.wh.large': '' } }),
  fails: () => layersOf(FILES, ...DELETED),
  finding: { message: /wasted/ },
});

const TWICE = [FILES, big('large', 20_000), big('large', 20_000)];

rule('dive-efficiency', 'a file that is shipped twice', {
  rules: 'dive-efficiency: 0.9',
  passes: () => oci(),
  fails: () => layersOf(...TWICE),
  finding: { message: /^dive's efficiency is 51\.22%, at least 90% is required$/ },
});

rule('dive-wasted-bytes', 'a file that is shipped twice', {
  rules: 'dive-wasted-bytes: 10kB',
  passes: () => oci(),
  fails: () => layersOf(...TWICE),
  finding: { message: /^dive counts 40 kB wasted, at most 10 kB are allowed$/ },
});

rule('dive-user-wasted', 'a file that is shipped twice', {
  rules: 'dive-user-wasted: 10%',
  passes: () => oci(),
  fails: () => layersOf(...TWICE),
  finding: { message: /^dive counts 40 kB wasted, 100% of what stands above the first layer/ },
});

const PASSWD = {
  files: { 'etc/passwd': 'root:x:0:0::/:/bin/sh\nadmin:x:0:0::/:/bin/sh\napp:x:10001:10001::/:\n' },
};
const USERS: readonly (readonly [user: string, problem: RegExp])[] = [
  ['', /no USER is set/],
  ['root', /the user is "root"/],
  ['root:app', /the user is "root:app"/],
  ['0', /the user is "0"/],
  ['0000:10001', /the user is "0000:10001"/],
  ['admin', /"admin", which has user ID 0 in the image's \/etc\/passwd/],
  ['daemon', /"daemon", which is not in the image's \/etc\/passwd/],
];
for (const [user, message] of USERS) {
  rule('user-not-root', JSON.stringify(user), {
    rules: 'user-not-root: on',
    passes: () => withRun({ ...RUN, User: 'app:app' }, [PASSWD]),
    fails: () => withRun({ ...RUN, User: user }, [PASSWD]),
    finding: { image: 0, message },
  });
}

rule('user-not-root', 'says which instruction', {
  rules: 'user-not-root: on',
  passes: () => withRun(RUN),
  fails: () =>
    oci({
      layers: [FILES, { emptyLayer: true, createdBy: '/bin/sh -c #(nop)  USER root' }],
      config: { config: { ...RUN, User: 'root' } },
    }),
  finding: { instruction: 'USER root', message: /root/ },
});

rule('user-not-root', 'a name is none for runAsNonRoot', {
  rules: 'user-not-root: { numeric: true }',
  passes: () => withRun({ ...RUN, User: '10001:10001' }, [PASSWD]),
  fails: () => withRun({ ...RUN, User: 'app' }, [PASSWD]),
  finding: { message: /a number is required/ },
});

const CHECK = { Test: ['CMD', '/check'] };
rule('healthcheck', 'is required', {
  rules: 'healthcheck: on',
  passes: () => withRun({ ...RUN, Healthcheck: CHECK }),
  fails: () => withRun(RUN),
  finding: { message: /^it has no HEALTHCHECK$/ },
});
rule('healthcheck', 'NONE is none', {
  rules: 'healthcheck: required',
  passes: () => withRun({ ...RUN, Healthcheck: CHECK }),
  fails: () => withRun({ ...RUN, Healthcheck: { Test: ['NONE'] } }),
  finding: { message: /^it has no HEALTHCHECK$/ },
});
rule('healthcheck', 'is forbidden', {
  rules: 'healthcheck: forbidden',
  passes: () => withRun({ ...RUN, Healthcheck: { Test: ['NONE'] } }),
  fails: () => withRun({ ...RUN, Healthcheck: CHECK }),
  finding: { message: /^it has a HEALTHCHECK: CMD \/check$/ },
});

rule('exposed-ports', 'one that is not allowed', {
  rules: 'exposed-ports: [8080, 53/udp, 9000-9010]',
  passes: () => withRun({ ...RUN, ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '9004': {} } }),
  fails: () => withRun({ ...RUN, ExposedPorts: { '8080/tcp': {}, '8080/udp': {} } }),
  finding: { message: /^it exposes 8080\/udp, allowed are 8080\/tcp, 53\/udp, 9000-9010\/tcp$/ },
});
rule('exposed-ports', 'one that is missing', {
  rules: 'exposed-ports: { required: [8080] }',
  passes: () => withRun({ ...RUN, ExposedPorts: { '8080/tcp': {} } }),
  fails: () => withRun(RUN),
  finding: { message: /^it does not expose 8080\/tcp/, remedy: 'EXPOSE 8080/tcp' },
});
rule('exposed-ports', 'none are allowed', {
  rules: 'exposed-ports: []',
  passes: () => withRun(RUN),
  fails: () => withRun({ ...RUN, ExposedPorts: { '22/tcp': {} } }),
  finding: { message: /allowed are none$/ },
});

rule('start-command', 'either', {
  rules: 'start-command: on',
  passes: () => withRun(RUN),
  fails: () => withRun({ User: '1' }),
  finding: { message: /neither ENTRYPOINT nor CMD/ },
});
rule('start-command', 'an entrypoint', {
  rules: 'start-command: entrypoint',
  passes: () => withRun({ Entrypoint: ['/app'] }),
  fails: () => withRun(RUN),
  finding: { message: /^it has no ENTRYPOINT$/ },
});
rule('start-command', 'no shell', {
  rules: 'start-command: { shell-form: forbidden }',
  passes: () => withRun(RUN),
  fails: () => withRun({ Cmd: ['/bin/sh', '-c', 'app --serve'] }),
  finding: { message: /^it is started by a shell: \/bin\/sh -c app --serve$/ },
});

rule('working-directory', 'any but the root', {
  rules: 'working-directory: on',
  passes: () => withRun(RUN),
  fails: () => withRun({ ...RUN, WorkingDir: '/' }),
  finding: { message: /expected an absolute path other than \/, found "\/"$/ },
});
rule('working-directory', 'one of these', {
  rules: 'working-directory: [/srv, /app]',
  passes: () => withRun(RUN),
  fails: () => withRun({ ...RUN, WorkingDir: '' }),
  finding: { message: /expected \/srv or \/app, found none$/ },
});

rule('volumes', 'none', {
  rules: 'volumes: []',
  passes: () => withRun(RUN),
  fails: () => withRun({ ...RUN, Volumes: { '/data': {} } }),
  finding: { message: /^it declares the volume "\/data", allowed are none$/ },
});
rule('volumes', 'some', {
  rules: 'volumes: [/data]',
  passes: () => withRun({ ...RUN, Volumes: { '/data': {} } }),
  fails: () => withRun({ ...RUN, Volumes: { '/data': {}, '/var/cache': {} } }),
  finding: { message: /"\/var\/cache", allowed are \/data$/ },
});

for (const name of ['app:latest', 'app', 'ghcr.io/acme/app:latest']) {
  rule('no-latest', name, {
    rules: 'no-latest: on',
    passes: () => oci(),
    fails: async () => layouts.dockerSave({ image: await image({ layers: [FILES] }), tags: [name] }),
    finding: { message: /whose tag is latest$/ },
  });
}

const named = async (...tags: readonly string[]) =>
  layouts.dockerSave({ image: await image({ layers: [FILES] }), tags });

rule('image-names', 'a pattern', {
  rules: 'image-names: ["ghcr.io/acme/**"]',
  passes: () => named('ghcr.io/acme/team/app:1'),
  fails: () => named('docker.io/acme/app:1'),
  finding: { message: /matches none of ghcr\.io\/acme\/\*\*$/ },
});
rule('image-names', 'a name begins where the pattern does', {
  rules: 'image-names: [app]',
  passes: () => named('app:1'),
  fails: () => named('evil.io/app:1'),
  finding: { message: /evil\.io/ },
});
rule('image-names', 'any', {
  rules: 'image-names: on',
  passes: () => named('app:1'),
  fails: () => named(),
  finding: { message: /^it has no name$/ },
});

rule('image-tags', 'a version', {
  rules: "image-tags: '^v?\\d+\\.\\d+\\.\\d+$'",
  passes: () => named('app:1.2.3'),
  fails: () => named('app:1.2.3', 'app:main'),
  finding: { message: /^the tag "main" of "app:main" matches none of/ },
});

const SOURCE = 'org.opencontainers.image.source';
rule('labels', 'a pattern', {
  rules: `labels:\n  required:\n    ${SOURCE}: ^https://`,
  passes: () => withRun({ ...RUN, Labels: { [SOURCE]: 'https://example.com' } }),
  fails: () => withRun({ ...RUN, Labels: { [SOURCE]: 'git@example.com' } }),
  finding: {
    message: /is "git@example\.com", expected a value that matches \^https:\/\/$/,
    remedy: `LABEL ${SOURCE}=…`,
  },
});
rule('labels', 'any value', {
  rules: `labels: [${SOURCE}]`,
  passes: () => withRun({ ...RUN, Labels: { [SOURCE]: 'x' } }),
  fails: () => withRun(RUN),
  finding: { message: /^the label "org\.opencontainers\.image\.source" is missing$/ },
});
rule('labels', 'forbidden', {
  rules: 'labels: { forbidden: ["com.internal.*"] }',
  passes: () => withRun({ ...RUN, Labels: { a: 'x' } }),
  fails: () => withRun({ ...RUN, Labels: { 'com.internal.host': 'x' } }),
  finding: { message: /is not allowed$/ },
});

async function annotated(annotations: Readonly<Record<string, string>>): Promise<Members> {
  const made = layouts.manifestOf(await image({ layers: [FILES] }));
  return layouts.ociLayout({ manifests: [{ ...made, descriptor: { ...made.descriptor, annotations } }] });
}
rule('annotations', 'of the descriptor', {
  rules: `annotations: [${SOURCE}]`,
  passes: () => annotated({ [SOURCE]: 'x', 'org.opencontainers.image.ref.name': '1' }),
  fails: () => annotated({ 'org.opencontainers.image.ref.name': '1' }),
  finding: { message: /^the annotation .* is missing$/ },
});

rule('image-age', 'too old', {
  rules: 'image-age: 90d',
  passes: () => oci({ created: '2023-12-01T00:00:00Z' }),
  fails: () => oci({ created: '2023-01-01T00:00:00Z' }),
  finding: { message: /365 days ago; at most 90d are allowed$/ },
});
rule('image-age', 'still to come', {
  rules: 'image-age: on',
  passes: () => oci({ created: '2023-12-31T00:00:00Z' }),
  fails: () => oci({ created: '2024-02-01T00:00:00Z' }),
  finding: { message: /still to come$/ },
});
rule('image-age', 'not known', {
  rules: 'image-age: on',
  passes: () => oci({ created: '2023-12-31T00:00:00Z' }),
  fails: () => oci({ config: { created: undefined } }),
  finding: { message: /the config names no time$/ },
});

const ARM = { os: 'linux', architecture: 'arm64' };
rule('platforms-required', 'one is missing', {
  rules: 'platforms-required: [linux/arm64]',
  passes: () => oci({ platform: ARM }),
  fails: () => oci(),
  finding: {
    message: /^"(docker\.io\/library\/)?app:1" has no image for linux\/arm64; there is linux\/amd64$/,
  },
});
rule('platforms-allowed', 'another one', {
  rules: 'platforms-allowed: linux/amd64',
  passes: () => oci(),
  fails: () => oci({ platform: ARM }),
  finding: { message: /^its platform is linux\/arm64, allowed are linux\/amd64$/ },
});

rule('media-types', 'of OCI', {
  rules: 'media-types: oci',
  passes: () => oci(),
  fails: () => named('app:1'),
  finding: { message: /^the media type of its manifest: expected oci, found none$/ },
});

rule('compression', 'of layers', {
  rules: 'compression: [gzip, zstd]',
  passes: () => layersOf(gz(FILES)),
  fails: () => layersOf(gz(FILES), { ...FILES, compression: 'none' }),
  finding: { layer: 1, message: /^its compression: expected gzip or zstd, found none$/ },
});

rule('history', 'a layer without an entry', {
  rules: 'history: on',
  passes: () => oci(),
  fails: () => oci({ history: [] }),
  finding: { layer: 0, message: /^the history has 0 entries for its 1 layers$/ },
});

rule('no-unreferenced-blobs', 'one that nothing refers to', {
  rules: 'no-unreferenced-blobs: on',
  passes: () => oci(),
  fails: async () => {
    const unreferenced = [{ digest: digestOf('a'), bytes: Buffer.from('a') }];
    return layouts.ociLayout({
      manifests: [layouts.manifestOf(await image({ layers: [FILES] }))],
      unreferenced,
    });
  },
  finding: { code: 'unreferenced-blobs', severity: 'error', image: null, message: /referenced by nothing/ },
});

rule('no-missing-blobs', 'a foreign layer', {
  rules: 'no-missing-blobs: on',
  passes: () => oci(),
  fails: () => layersOf(FILES, { files: { a: 'a' }, urls: ['https://example.test/a'], absent: true }),
  finding: {
    code: 'foreign-layer-absent',
    severity: 'error',
    image: 0,
    layer: 1,
    message: /not distributed/,
  },
});

const EPOCH = Date.parse('2023-06-01T00:00:00Z') / 1000;
const OLD = '2023-05-01T00:00:00Z';
/** The members' own times are those of the tar that the tests write. */
const atOld = async (spec: Partial<ImageSpec>) => oci({ created: OLD, ...spec });
rule('reproducible', 'a config', {
  rules: 'reproducible: on',
  epoch: EPOCH,
  passes: () => atOld({}),
  fails: () => atOld({ config: { created: '2023-07-01T00:00:00Z' } }),
  finding: { message: /^the time of config is 2023-07-01T00:00:00Z, after 2023-06-01T00:00:00Z$/ },
});
rule('reproducible', 'a history', {
  rules: 'reproducible: 2023-06-01',
  passes: () => atOld({}),
  fails: () => atOld({ history: [{ created: '2023-07-01T00:00:00Z', created_by: 'COPY a /' }] }),
  finding: { message: /^the time of history entry 1 is/ },
});
rule('reproducible', 'files of a layer', {
  rules: 'reproducible: 2023-06-01',
  passes: () => atOld({}),
  fails: () =>
    atOld({ layers: [{ files: { new: { bytes: 'x', mtime: EPOCH + 1 } }, createdBy: 'COPY new /' }] }),
  finding: { layer: 0, path: 'new', instruction: 'COPY new /', message: /^the time of \/new is/ },
});

rule('reproducible', 'headers of the archive', {
  rules: 'reproducible: 2023-06-01',
  passes: () => atOld({}),
  fails: async () => (await atOld({})).map(member => ({ ...member, mtime: EPOCH + 1 })),
  finding: { at: 'blobs', message: /^the time of member blobs is 2023-06-01T00:00:01Z/ },
});

const KEY = ['DB', 'PASSWORD'].join('_');
rule('no-secrets', 'a file that a later layer deletes', {
  rules: 'no-secrets: on',
  passes: () => layersOf({ files: { 'app/.env': `${KEY}=changeme\n` } }),
  fails: () =>
    layersOf(
      FILES,
      { files: { 'srv/.env': `${KEY}=correct-horse-1\n` }, createdBy: 'COPY . /srv # buildkit' },
      { entries: [{ path: 'srv/.wh..env', bytes: '' }], createdBy: 'RUN rm /srv/.env # buildkit' },
    ),
  finding: {
    layer: 1,
    path: 'srv/.env',
    instruction: 'COPY . /srv',
    message:
      /^password DB_PASSWORD \(fingerprint [0-9a-f]{16}\) in \/srv\/\.env, line 1, layer 2 \(layer 3 deletes it\)$/,
  },
});
rule('no-secrets', 'a variable', {
  rules: 'no-secrets: { files: false }',
  passes: () => withRun({ ...RUN, Env: ['PATH=/bin', `${KEY}_FILE=/run/secrets/db`] }),
  fails: () => withRun({ ...RUN, Env: ['PATH=/bin', `${KEY}=correct-horse-1`] }),
  finding: { layer: null, message: /^password DB_PASSWORD \(fingerprint [0-9a-f]{16}\) in ENV DB_PASSWORD$/ },
});

test('every rule has a case', () => {
  // Findings about the policy itself are provoked in policy.test.ts.
  const own = RULES.filter(({ subject }) => subject !== 'policy').map(({ code }) => code);
  assert.equal(
    own.filter(code => !covered.has(code)),
    [],
  );
});

test.run();
