// Every rule there is, with an archive that keeps to it and one that does not. A rule without a case here fails the
// last test.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BaseImage } from '../../src/analysis/base.js';
import { inventoryReadOptions, loadAgainst } from '../../src/commands/check/against.js';
import type { Against } from '../../src/policy/comparison.js';
import type { CheckFinding } from '../../src/policy/finding.js';
import { RULES } from '../../src/policy/rules.js';
import type { CheckContext } from '../../src/policy/subject.js';
import { digestOf } from '../support/digest.js';
import { type ImageSpec, image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { checked, type Files, NOW, policyOf } from '../support/policy.js';
import { readMembers } from '../support/reading.js';
import { spdx2 } from '../support/sboms.js';
import type { TarEntry } from '../support/tar.js';
import { padded, rawHeader } from '../support/tar-blocks.js';

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
  /** Files that the rule names. */
  readonly files?: Files;
  /** Further inputs of the rule. */
  readonly context?: () => Promise<Partial<CheckContext>>;
}

const covered = new Set<string>();

/** Expects no finding of the rule in one archive, and one in the other that makes the exit code 1. */
function rule(
  code: string,
  name: string,
  { rules, passes, fails, finding, epoch, files, context: more }: Case,
): void {
  covered.add(code);
  const text = `rules:\n  ${rules.trim().split('\n').join('\n  ')}\n`;
  test(`${code}: ${name}`, async () => {
    const context = { now: NOW, epoch: epoch ?? null, ...(await more?.()) };
    const policy = await policyOf(text, files);
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
  finding: { message: /^dive counts 40 kB wasted, 100% of the bytes above the first layer/ },
});

const PASSWD = {
  files: {
    'etc/passwd':
      'root:x:0:0::/:/bin/sh\nadmin:x:0:0::/:/bin/sh\napp:x:10001:10001::/:\n \tspaced:x:0:0::/:\nspaced:x:1000:1000::/:\nhex:x:0x3e8:1000::/:\nnone:x\r\nwrapped:x:4294967296:1000::/:\nunder:x:-9223372036854775809:1::/:\n\u0085next:x:0:0\nnext:x:1000:1\n\ufeffmarked:x:1000:1\nmarked:x:0:0\n',
  },
};
const USERS: readonly (readonly [user: string, problem: RegExp])[] = [
  ['', /no USER is set/],
  ['root', /the user is "root"/],
  ['root:app', /the user is "root:app"/],
  ['0', /the user is "0"/],
  ['0000:10001', /the user is "0000:10001"/],
  ['admin', /"admin", which has user ID 0 in the image's \/etc\/passwd/],
  // As engines read a passwd: the first line counts, space around it does not, and a user ID that is no number is 0.
  ['spaced', /"spaced", which has user ID 0/],
  ['hex', /"hex", which has user ID 0/],
  ['none', /"none", which has user ID 0/],
  ['wrapped', /"wrapped", whose user ID in the image's \/etc\/passwd is negative or above 2147483647/],
  ['under', /"under", whose user ID/],
  ['next', /"next", which has user ID 0/],
  ['marked', /"marked", which has user ID 0/],
  ['+0', /the user is "\+0"$/],
  ['-0:5', /the user is "-0:5"$/],
  ['2147483648', /the user is "2147483648", expected a number up to 2147483647/],
  ['4294967296', /or run it as root/],
  ['-1', /the user is "-1", expected a number/],
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
  finding: { message: /none is allowed$/ },
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

rule('volumes', 'a path that leads out of one that is allowed', {
  rules: 'volumes: [/data]',
  passes: () => withRun({ ...RUN, Volumes: { '/data/./a': {} } }),
  fails: () => withRun({ ...RUN, Volumes: { '/data/../etc': {} } }),
  finding: { message: /"\/data\/\.\.\/etc"/ },
});
rule('volumes', 'none', {
  rules: 'volumes: []',
  passes: () => withRun(RUN),
  fails: () => withRun({ ...RUN, Volumes: { '/data': {} } }),
  finding: { message: /^it declares the volume "\/data", none is allowed$/ },
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

rule('no-latest', 'of a layout whose names are tags', {
  rules: 'no-latest: on',
  passes: () => oci({}, ['1.0']),
  fails: () => oci({}, ['latest']),
  finding: { message: /^it is called "latest", whose tag is latest$/ },
});

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

rule('image-tags', 'of a layout whose names are tags', {
  rules: "image-tags: '^v?\\d+\\.\\d+\\.\\d+$'",
  passes: () => oci({}, ['v1.2.3', `app@sha256:${'a'.repeat(64)}`]),
  fails: () => oci({}, ['main']),
  finding: { message: /^the tag "main" of "main" matches none of/ },
});

rule('image-tags', 'of a name that no engine takes', {
  rules: "image-tags: '^\\d+$'",
  passes: () => oci({}, ['APP:1']),
  fails: () => oci({}, ['APP:main']),
  finding: { message: /^the tag "main" of "APP:main" matches none of/ },
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
  finding: { message: /in the future$/ },
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

const DPKG: LayerSpec = {
  files: { 'var/lib/dpkg/status': 'Package: libc6\nStatus: install ok installed\nVersion: 2.36\n\n' },
};
const sbomOf = async (version: string | null, about?: LayerSpec): Promise<Members> => {
  const own = layouts.platformManifest(await image({ layers: [DPKG] }));
  const subject = about === undefined ? own : layouts.platformManifest(await image({ layers: [about] }));
  const predicate = spdx2([{ name: 'libc6', purl: `pkg:deb/debian/libc6@${version}` }]);
  const made = layouts.attestation(subject, { predicateType: 'https://spdx.dev/Document', predicate });
  const placed = layouts.described(made, {
    annotations: {
      'vnd.docker.reference.digest': own.descriptor.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  });
  return layouts.ociLayout({ manifests: [own, ...(version === null ? [] : [placed])] });
};
rule('sbom-matches', 'another version', {
  rules: 'sbom-matches: on',
  passes: () => sbomOf('2.36'),
  fails: () => sbomOf('2.35'),
  finding: {
    message:
      /^the SBOM \(SPDX\) is not that of the image: packages 1 in another version: libc6 2\.36 \(the SBOM says 2\.35\)$/,
  },
});
rule('sbom-matches', 'the SBOM of another image', {
  rules: 'sbom-matches: on',
  passes: () => sbomOf('2.36'),
  fails: () => sbomOf('2.36', FILES),
  finding: {
    message: /^the SBOM \(SPDX\) that is attached to the image is about another one: sha256:[0-9a-f]{64}$/,
  },
});
rule('sbom-matches', 'none', {
  rules: 'sbom-matches: { required: true }',
  passes: () => sbomOf('2.36'),
  fails: () => sbomOf(null),
  finding: { message: /^no SBOM is attached to the image$/ },
});
rule('sbom-matches', 'other types, and packages that may differ', {
  rules: 'sbom-matches: { types: [deb], allow: [libx*] }',
  passes: () => sbomOf('2.36'),
  fails: () => sbomOf('3'),
  finding: { message: /libc6 2\.36/ },
});

const mode = (path: string, bits: number, more: Partial<TarEntry> = {}): LayerSpec => ({
  entries: [{ path, bytes: 'x', mode: bits, ...more }],
  createdBy: `RUN /bin/sh -c install -m ${bits.toString(8)} x /${path} # buildkit`,
});
const gone = (path: string): LayerSpec => ({
  files: { [path.replace(/([^/]*)$/, '.wh.$1')]: '' },
  createdBy: `RUN /bin/sh -c rm /${path} # buildkit`,
});

rule('setuid-files', 'one that no distribution ships', {
  rules: 'setuid-files: on',
  passes: () => layersOf(mode('bin/su', 0o4755), mode('usr/bin/wall', 0o2755), mode('var/mail/', 0o2775)),
  fails: () => layersOf(FILES, mode('usr/bin/helper', 0o4755)),
  finding: {
    layer: 1,
    path: 'usr/bin/helper',
    instruction: 'RUN install -m 4755 x /usr/bin/helper',
    message: /^\/usr\/bin\/helper is setuid root \(mode 4755\)$/,
  },
});
rule('setuid-files', 'a hard link to one that is allowed', {
  rules: 'setuid-files: { allowed: [/usr/bin/su], distribution: false }',
  passes: () => layersOf(mode('usr/bin/su', 0o4755)),
  fails: () =>
    layersOf(mode('usr/bin/su', 0o4755), {
      entries: [{ path: 'tmp/x', type: 'link', link: 'usr/bin/su', mode: 0o755 }],
    }),
  finding: { layer: 1, path: 'tmp/x', message: /^\/tmp\/x is setuid root/ },
});
/** Docker, containerd and podman set mode, owner and attributes of a hard link's entry on the file that it leads to. */
const linkTo = (target: string, path: string, more: Partial<TarEntry>): LayerSpec => ({
  entries: [{ path, type: 'link', link: target, ...more }],
  createdBy: `RUN ln ${target} ${path}`,
});
rule('setuid-files', 'a bit that only the entry of a hard link has', {
  rules: 'setuid-files: on',
  passes: () => layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/y', { mode: 0o700 })),
  fails: () => layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/su', { mode: 0o4755 })),
  finding: {
    layer: 1,
    path: 'bin/x',
    message: /^\/bin\/x is setuid root \(mode 4755\), by the entry of the hard link \/bin\/su$/,
  },
});
rule('setuid-files', 'a hard link that a later layer deletes', {
  rules: 'setuid-files: on',
  passes: () => layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/y', { mode: 0o700 })),
  fails: () => layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/y', { mode: 0o4755 }), gone('bin/y')),
  finding: { layer: 1, path: 'bin/x', message: /setuid root/ },
});
test('setuid-files: hard links that give a file more modes and owners than are looked at', async () => {
  const others = Array.from({ length: 12 }, (_, i) => linkTo('bin/x', `bin/y${i}`, { mode: 0o644, uid: i }));
  const last = linkTo('bin/x', 'bin/z', { mode: 0o4755 });
  const { report, exitCode } = await checked(
    await layersOf(mode('bin/x', 0o755), ...others, last),
    'rules: { setuid-files: on }',
  );
  assert.match(report.findings[0]!.message, 'hard links give /bin/x too many different modes and owners');
  assert.is(exitCode, 1);
});

test('setuid-files: a file with more names than are looked at with other attributes is not checked', async () => {
  const entries = Array.from({ length: 10_001 }, (_, i) => ({
    path: `bin/y${i}`,
    type: 'link' as const,
    link: 'bin/x',
    mode: 0o4755,
  }));
  const { report } = await checked(
    await layersOf({ entries: [{ path: 'bin/x', bytes: 'x', mode: 0o755 }, ...entries] }),
    'rules: { setuid-files: on }',
  );
  assert.equal(
    report.findings.map(({ code }) => code),
    ['rule-not-checked'],
  );
});
rule('setuid-files', 'deleted later, where layers count', {
  rules: 'setuid-files: { in: layers }',
  passes: () => layersOf(FILES, mode('bin/su', 0o4755), gone('bin/su')),
  fails: () => layersOf(mode('bin/helper', 0o6755, { uid: 5, gid: 7 }), gone('bin/helper')),
  finding: {
    layer: 0,
    path: 'bin/helper',
    message: /setuid 5 and setgid 7 \(mode 6755\), deleted by layer 2 and still shipped$/,
  },
});
rule('setuid-files', 'deleted later is none by default', {
  rules: 'setuid-files: []',
  passes: () => layersOf(mode('bin/helper', 0o4755), gone('bin/helper')),
  fails: () =>
    layersOf(mode('bin/helper', 0o4755), { files: { 'bin/.wh..wh..opq': '' } }, mode('bin/helper', 0o4755)),
  finding: { layer: 2, path: 'bin/helper', message: /setuid root/ },
});
rule('setuid-files', 'in a directory that a later layer makes opaque', {
  rules: 'setuid-files: { in: layers }',
  passes: () => oci(),
  fails: () => layersOf(mode('opt/helper', 0o4755), { files: { 'opt/.wh..wh..opq': '' } }),
  finding: { layer: 0, path: 'opt/helper', message: /deleted by layer 2/ },
});
rule('setuid-files', 'a name that is not UTF-8', {
  rules: 'setuid-files: on',
  passes: () => oci(),
  fails: () => {
    const header = rawHeader({ name: 'bin/s\xff', mode: '0004755\0' }, 1);
    return layersOf({ tar: new Uint8Array(Buffer.concat([header, padded('x'), Buffer.alloc(1024)])) });
  },
  finding: { layer: 0, path: 'bin/s\udcff', message: /setuid root/ },
});

/** security.capability, revision 2, effective. */
const capabilities = (...bits: readonly number[]) => {
  const value = Buffer.alloc(20);
  value.writeUInt32LE(0x02000001);
  for (const bit of bits)
    value.writeUInt32LE(
      (value.readUInt32LE(4 + 8 * (bit >> 5)) | (1 << (bit & 31))) >>> 0,
      4 + 8 * (bit >> 5),
    );
  return { pax: { 'SCHILY.xattr.security.capability': value.toString('latin1') } };
};
rule('file-capabilities', 'one that is not in the list', {
  rules: 'file-capabilities: on',
  passes: () => layersOf(mode('bin/web', 0o755, capabilities(10))),
  fails: () => layersOf(mode('bin/web', 0o755, capabilities(6, 38))),
  finding: {
    layer: 0,
    path: 'bin/web',
    message: /^\/bin\/web has cap_setgid, cap_perfmon, allowed are cap_net_bind_service, cap_net_raw$/,
  },
});
rule('file-capabilities', 'a value that Linux does not take', {
  rules: 'file-capabilities: { allowed: [CAP_SETGID], paths: [/opt] }',
  passes: () => layersOf(mode('bin/web', 0o755, capabilities(6)), mode('opt/x', 0o755, capabilities(21))),
  fails: () => layersOf(mode('bin/web', 0o755, { pax: { 'SCHILY.xattr.security.capability': 'abc' } })),
  finding: { path: 'bin/web', message: /that Linux does not read$/ },
});

rule('file-capabilities', 'of the entry of a hard link', {
  rules: 'file-capabilities: on',
  passes: () =>
    layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/y', { mode: 0o755, ...capabilities(10) })),
  fails: () => layersOf(mode('bin/x', 0o755), linkTo('bin/x', 'bin/y', { mode: 0o755, ...capabilities(21) })),
  finding: {
    path: 'bin/x',
    message: /^\/bin\/x has cap_sys_admin, .*by the entry of the hard link \/bin\/y$/,
  },
});

rule('world-writable', 'a mode that only the entry of a hard link has', {
  rules: 'world-writable: on',
  passes: () => layersOf(mode('a', 0o644), linkTo('a', 'b', { mode: 0o600 })),
  fails: () => layersOf(mode('a', 0o644), linkTo('a', 'b', { mode: 0o666 })),
  finding: { path: 'a', message: /\(mode 0666\), by the entry of the hard link \/b$/ },
});
rule('world-writable', 'a file', {
  rules: 'world-writable: on',
  passes: () =>
    layersOf(mode('tmp/', 0o1777), mode('a', 0o664), { entries: [{ path: 'link', link: 'a', mode: 0o777 }] }),
  fails: () => layersOf(FILES, mode('etc/passwd', 0o666)),
  finding: {
    layer: 1,
    path: 'etc/passwd',
    message: /^\/etc\/passwd can be written by any user \(mode 0666\)$/,
    remedy: 'chmod 0664 /etc/passwd, or COPY --chmod',
  },
});
rule('world-writable', 'a directory without the sticky bit', {
  rules: 'world-writable: [/srv]',
  passes: () => layersOf(mode('srv/', 0o777), mode('srv/a', 0o666)),
  fails: () => layersOf(mode('data/', 0o777)),
  finding: { path: 'data', message: /a directory without the sticky bit, mode 0777/ },
});

rule('device-nodes', 'a disk', {
  rules: 'device-nodes: on',
  passes: () =>
    layersOf({ entries: [{ path: 'dev/null', type: 'character-device', mode: 0o666, device: [1, 3] }] }),
  fails: () => layersOf(FILES, { entries: [{ path: 'dev/sda', type: 'block-device', device: [8, 0] }] }),
  finding: { layer: 1, path: 'dev/sda', message: /^\/dev\/sda is a block device \(8:0\)$/ },
});
rule('device-nodes', 'a usual name with another number', {
  rules: 'device-nodes: { allowed: [/dev/fuse] }',
  passes: () => layersOf({ entries: [{ path: 'dev/fuse', type: 'character-device', device: [10, 229] }] }),
  fails: () => layersOf({ entries: [{ path: 'dev/null', type: 'character-device', device: [1, 1] }] }),
  finding: { path: 'dev/null', message: /character device \(1:1\)/ },
});

rule('paths-forbidden', 'a directory with what is below it', {
  rules: 'paths-forbidden: [.git, "*.pem"]',
  passes: () => layersOf(FILES, { files: { 'app/.git/HEAD': 'x' } }, gone('app/.git')),
  fails: () =>
    layersOf(FILES, { files: { 'app/.git/HEAD': 'x', 'app/.git/config': 'y' }, createdBy: 'COPY . /app' }),
  finding: {
    layer: 1,
    path: 'app/.git',
    instruction: 'COPY . /app',
    message: /^\/app\/\.git is forbidden \(\.git\), with 2 more below it$/,
  },
});
rule('paths-forbidden', 'in any layer', {
  rules: 'paths-forbidden: { paths: [.env], in: layers }',
  passes: () => oci(),
  fails: () => layersOf({ files: { 'app/.env': 'x' }, createdBy: 'COPY . /app' }, gone('app/.env')),
  finding: { layer: 0, path: 'app/.env', message: /deleted by layer 2 and still shipped$/ },
});
rule('paths-forbidden', 'content', {
  rules: "paths-forbidden:\n  paths:\n    - path: /etc/shadow\n      content: '(?m)^root::'",
  passes: () => layersOf({ files: { 'etc/shadow': 'bin:*:\nroot:*:' } }),
  fails: () => layersOf({ files: { 'etc/shadow': 'bin:*:\nroot::' } }),
  finding: { path: 'etc/shadow', message: /is forbidden/ },
});

rule('paths-required', 'a mode that the entry of a hard link changes', {
  rules: 'paths-required: { paths: [{ path: /etc/shadow, mode: "0640", content: x }] }',
  passes: () => layersOf(mode('etc/shadow', 0o640), linkTo('etc/shadow', 'b', { mode: 0o640 })),
  fails: () => layersOf(mode('etc/shadow', 0o640), linkTo('etc/shadow', 'b', { mode: 0o666 })),
  finding: { path: 'etc/shadow', message: /its mode is 0666, expected 0640/ },
});
rule('paths-forbidden', 'a path whose directory is a link', {
  rules: 'paths-forbidden: [/etc/shadow]',
  passes: () =>
    layersOf({
      entries: [
        { path: 'e/passwd', bytes: 'x' },
        { path: 'etc', link: 'e' },
      ],
    }),
  fails: () =>
    layersOf({
      entries: [
        { path: 'e/shadow', bytes: 'x' },
        { path: 'etc', link: 'e' },
      ],
    }),
  finding: { path: 'e/shadow', message: /^\/e\/shadow is forbidden \(\/etc\/shadow\)$/ },
});
rule('paths-forbidden', 'content behind a link', {
  rules: 'paths-forbidden: { paths: [{ path: /etc/shadow, content: "^root::" }] }',
  passes: () =>
    layersOf({
      entries: [
        { path: 'e/shadow', bytes: 'x' },
        { path: 'etc/shadow', link: '/e/shadow' },
      ],
    }),
  fails: () =>
    layersOf({
      entries: [
        { path: 'e/shadow', bytes: 'root::' },
        { path: 'etc/shadow', link: '/e/shadow' },
      ],
    }),
  finding: { path: 'e/shadow', message: /^\/e\/shadow is forbidden \(\/etc\/shadow\)$/ },
});
rule('paths-forbidden', 'a mode that the entry of a hard link sets', {
  rules: 'paths-forbidden: { paths: [{ path: /etc/shadow, mode: "0666" }] }',
  passes: () => layersOf(mode('etc/shadow', 0o640), linkTo('etc/shadow', 'b', { mode: 0o640 })),
  fails: () => layersOf(mode('etc/shadow', 0o640), linkTo('etc/shadow', 'b', { mode: 0o666 })),
  finding: { path: 'etc/shadow', message: /is forbidden/ },
});
rule('paths-required', 'nothing there', {
  rules: 'paths-required: [/app/run, "*/ru?"]',
  passes: () => oci(),
  fails: () => layersOf({ files: { 'app/running': 'x' } }),
  finding: { layer: null, path: null, message: /^nothing is at \/app\/run, which is required$/ },
});
rule('paths-required', 'mode and owner', {
  rules:
    'paths-required:\n  paths:\n    - path: /etc/shadow\n      type: file\n      mode: 0640\n      uid: 0\n      gid: 42',
  passes: () => layersOf(mode('etc/shadow', 0o640, { gid: 42 })),
  fails: () => layersOf(mode('etc/shadow', 0o644)),
  finding: {
    layer: 0,
    path: 'etc/shadow',
    message: /^\/etc\/shadow: its mode is 0644, expected 0640; its gid is 0, expected 42$/,
    remedy: 'chmod 0640 /etc/shadow; chgrp 42 /etc/shadow',
  },
});
rule('paths-required', 'content, through a link', {
  rules:
    'paths-required: { paths: [{ path: /etc/os-release, content: ^ID=debian }, { path: /bin, type: symlink }] }',
  passes: () =>
    layersOf({
      files: { 'usr/lib/os-release': 'ID=debian' },
      entries: [
        { path: 'etc/os-release', link: '../usr/lib/os-release' },
        { path: 'bin', link: 'usr/bin' },
      ],
    }),
  fails: () => layersOf({ files: { 'etc/os-release': 'ID=alpine', 'bin/sh': 'x' } }),
  finding: { path: 'etc/os-release', message: /its content does not match \^ID=debian$/ },
});
rule('paths-required', 'a link to nothing, in an image without layers', {
  rules: 'paths-required: /etc/os-release',
  passes: () => layersOf({ files: { 'etc/os-release': '' } }),
  fails: () => layersOf(),
  finding: { message: /^nothing is at \/etc\/os-release/ },
});

rule('structure-test', 'a variable with a secret is compared, and not printed', {
  rules: 'structure-test: tests.yaml',
  files: {
    'tests.yaml': `schemaVersion: '2.0.0'\nmetadataTest:\n  env:\n  - key: ${KEY}\n    value: correct-horse-1\n`,
  },
  passes: () => withRun({ ...RUN, Env: [`${KEY}=correct-horse-1`] }),
  fails: () => withRun({ ...RUN, Env: [`${KEY}=correct-horse-2`] }),
  finding: { message: /DB_PASSWORD.*"correct-horse-1".*"\*\*\*"/ },
});
rule('labels', 'a label with a secret is compared, and not printed', {
  rules: `labels: { required: { ${KEY}: ^correct-horse-1$ } }`,
  passes: () => withRun({ ...RUN, Labels: { [KEY]: 'correct-horse-1' } }),
  fails: () => withRun({ ...RUN, Labels: { [KEY]: 'correct-horse-2' } }),
  finding: { message: /"DB_PASSWORD" is "\*\*\*"/ },
});
rule('structure-test', 'a file that should not exist', {
  rules: 'structure-test: tests.yaml',
  files: {
    'tests.yaml':
      "schemaVersion: '2.0.0'\nfileExistenceTests:\n- name: no shell\n  path: /bin/sh\n  shouldExist: false\n",
  },
  passes: () => oci(),
  fails: () => layersOf(FILES, mode('bin/sh', 0o755)),
  finding: {
    layer: 1,
    path: 'bin/sh',
    message: /^tests\.yaml:3 "no shell": \/bin\/sh should not exist, and is a file$/,
  },
});

const BASE: LayerSpec = { files: { 'etc/os-release': 'ID=base' }, createdBy: 'ADD rootfs.tar /' };
/** Bases of one layer each, by their names. */
async function bases(...specs: readonly (readonly [name: string, layer: LayerSpec, created: string])[]) {
  const made = specs.map(async ([name, layer, created]): Promise<BaseImage> => {
    const { diffIds, chainIds } = await image({ layers: [layer] });
    return { names: [name], platform: 'linux/amd64', created, chainId: chainIds.at(-1)!, diffIds };
  });
  return { bases: await Promise.all(made) };
}

rule('base-image', 'none of the list', {
  rules: 'base-image: on',
  context: () => bases(['debian:12', BASE, '2023-12-01T00:00:00Z']),
  passes: () => layersOf(BASE, FILES),
  fails: () => layersOf(FILES, BASE),
  finding: { layer: 0, instruction: 'COPY run /app/', message: /^it begins with none of the 1 bases$/ },
});
rule('base-image', 'one that is not allowed', {
  rules: 'base-image: { names: ["debian:*"] }',
  context: () => bases(['debian:12', BASE, ''], ['alpine:3', FILES, '']),
  passes: () => layersOf(BASE, FILES),
  fails: () => layersOf(FILES, BASE),
  finding: { message: /^its base is "alpine:3", allowed are debian:\*$/ },
});
rule('base-image', 'an image without layers', {
  rules: 'base-image: on',
  context: () => bases(['debian:12', BASE, '']),
  passes: () => layersOf(BASE),
  fails: () => layersOf(),
  finding: { layer: null, message: /^it begins with none/ },
});
rule('base-image', 'no list at all', {
  rules: 'base-image: on',
  context: () => bases(['debian:12', BASE, '']),
  passes: () => layersOf(BASE),
  fails: () => layersOf({ files: { x: '' } }),
  finding: { message: /none of the 1/ },
});

rule('base-age', 'too old', {
  rules: 'base-age: 30d',
  context: () => bases(['new:1', BASE, '2023-12-20T00:00:00Z'], ['old:1', FILES, '2023-06-01T00:00:00Z']),
  passes: () => layersOf(BASE, FILES),
  fails: () => layersOf(FILES, BASE),
  finding: {
    layer: 0,
    message: /^its base "old:1" was created at 2023-06-01T00:00:00Z, 214 days ago; at most 30d are allowed$/,
  },
});

test('base-age: a base of the future is not young', async () => {
  const context = await bases(['later:1', FILES, '2999-01-01T00:00:00Z']);
  const { report, exitCode } = await checked(await layersOf(FILES, BASE), 'rules: { base-age: 30d }', {
    context,
  });
  assert.equal(
    [exitCode, report.findings[0]!.code, /which is in the future/.test(report.findings[0]!.message)],
    [1, 'rule-not-checked', true],
  );
});

/** The image that the others are compared with. */
async function since(members: Promise<Members>): Promise<{ against: Against }> {
  const { reading } = await readMembers(await members, inventoryReadOptions);
  const against = await loadAgainst({ archive: 'old.tar' }, () => Promise.resolve(reading));
  return { against };
}
const settings = (config: Config, ...layers: readonly LayerSpec[]) =>
  oci({ layers: [FILES, ...layers], config: { config: { ...RUN, ...config } } });
const apk = (...names: readonly string[]): LayerSpec => ({
  files: {
    'lib/apk/db/installed': names.map(name => `P:${name}\nV:1\nA:x86_64\nF:usr/lib\nR:${name}\n\n`).join(''),
    ...Object.fromEntries(names.map(name => [`usr/lib/${name}`, name.repeat(100)])),
  },
  createdBy: `RUN apk add ${names.join(' ')}`,
});

rule('growth', 'of the whole', {
  rules: 'growth: +10%',
  context: () => since(layersOf(FILES, big('app/a', 20_000))),
  passes: () => layersOf(FILES, big('app/a', 20_500)),
  fails: () => layersOf(FILES, big('app/a', 20_000), big('app/lib/date-fns/index.js', 9000)),
  finding: {
    message:
      /^the unpacked size grew by 12\.3 kB \(\+48%\) since old\.tar, from 25\.6 kB to 37\.9 kB; at most \+10% is allowed$/,
  },
});
rule('growth', 'of a directory and a layer', {
  rules: 'growth: { directory: +5kB, layer: +5kB, from: 0 }',
  context: () => since(layersOf(FILES, big('srv/a', 20_000))),
  passes: () => layersOf(FILES, big('srv/a', 24_000)),
  fails: () => layersOf(FILES, big('srv/a', 29_000)),
  finding: { layer: 1, path: 'srv', instruction: 'COPY srv/a /', message: /^\/srv grew by 9 kB \(\+45%\)/ },
});
rule('growth', 'of a package', {
  rules: 'growth: { package: +10%, from: 0 }',
  context: () => since(layersOf(apk('musl'))),
  passes: () => layersOf(apk('musl')),
  fails: () => layersOf(apk('musl', 'curl')),
  finding: { message: /^the package curl grew by 400 B since old\.tar/ },
});

rule('new-setuid', 'a file that was not', {
  rules: 'new-setuid: [/usr/bin/ping]',
  context: () => since(layersOf(mode('bin/a', 0o4755), mode('bin/b', 0o755))),
  passes: () => layersOf(mode('bin/a', 0o4755), mode('usr/bin/ping', 0o4755)),
  fails: () => layersOf(mode('bin/a', 0o4755), mode('bin/b', 0o4755)),
  finding: { layer: 1, path: 'bin/b', message: /^\/bin\/b is setuid root, and was not in old\.tar$/ },
});
rule('new-ports', 'one more', {
  rules: 'new-ports: on',
  context: () => since(settings({ ExposedPorts: { '80/tcp': {} } })),
  passes: () => settings({}),
  fails: () => settings({ ExposedPorts: { '80/tcp': {}, '22/tcp': {} } }),
  finding: { message: /^it exposes 22\/tcp, which the image in old\.tar does not$/ },
});
rule('new-packages', 'one more', {
  rules: 'new-packages: ["lib*"]',
  context: () => since(layersOf(apk('musl'))),
  passes: () => layersOf(apk('musl', 'libfoo')),
  fails: () => layersOf(apk('musl', 'curl')),
  finding: { message: /^the package curl 1 \(400 B\) is new: the image in old\.tar does not have it$/ },
});
rule('changed-user', 'to root', {
  rules: 'changed-user: on',
  context: () => since(settings({ User: '10001' })),
  passes: () => settings({ User: '10001' }),
  fails: () => settings({ User: '' }),
  finding: {
    severity: 'error',
    message: /^it runs as root \(no USER\), and the image in old\.tar as "10001"$/,
  },
});
rule('changed-user', 'to a name that is root in /etc/passwd', {
  rules: 'changed-user: on',
  context: () => since(withRun({ User: '10001' }, [PASSWD])),
  passes: () => withRun({ User: '10001' }, [PASSWD]),
  fails: () => withRun({ User: 'admin' }, [PASSWD]),
  finding: { severity: 'error', message: /^it runs as "admin", and the image in old\.tar as "10001"$/ },
});
rule('changed-env', 'a value, which is not told', {
  rules: 'changed-env: ["*_VERSION"]',
  context: () => since(settings({ Env: ['A=secret', 'B_VERSION=1'] })),
  passes: () => settings({ Env: ['A=secret', 'B_VERSION=2'] }),
  fails: () => settings({ Env: ['A=hidden', 'B_VERSION=1'] }),
  finding: { key: 'A', message: /^the variable A has another value than in old\.tar$/ },
});
rule('changed-command', 'an entrypoint', {
  rules: 'changed-command: on',
  context: () => since(settings({ Entrypoint: ['/app'] })),
  passes: () => settings({ Entrypoint: ['/app'] }),
  fails: () => settings({ Entrypoint: ['/app', '--debug'] }),
  finding: {
    key: 'entrypoint',
    message: /^its ENTRYPOINT is \["\/app","--debug"\], and \["\/app"\] in old\.tar$/,
  },
});
rule('compared-image', 'another one', {
  rules: 'compared-image: on',
  context: () => since(oci({}, ['app:0'])),
  passes: () => oci({}, ['app:1']),
  fails: () => oci({}, ['other:1']),
  finding: { message: /^it is compared with another image: "app:0" in old\.tar, and this is "other:1"$/ },
});
rule('compared-image', 'of another platform', {
  rules: 'compared-image: on',
  context: () => since(oci()),
  passes: () => oci(),
  fails: () => oci({ platform: ARM }),
  finding: {
    message: /^it cannot be compared with old\.tar: it has no image for linux\/arm64, only for linux\/amd64$/,
  },
});

// Each of these is kept to by the layers that can be read; an encrypted layer above them may change that.
const UNREAD: readonly string[] = [
  'image-size: 1GB',
  'layer-size: 1GB',
  'file-size: 1GB',
  'waste-bytes: 1GB',
  'waste-share: 100%',
  'dive-efficiency: 0%',
  'dive-wasted-bytes: 1GB',
  'dive-user-wasted: 100%',
  'user-not-root: on',
  'setuid-files: on',
  'file-capabilities: on',
  'world-writable: on',
  'device-nodes: on',
  'paths-forbidden: [/nothing]',
  'paths-required: [/etc/passwd]',
  'structure-test: present.yaml',
  'structure-test: absent.yaml',
  'structure-test: content.yaml',
  'no-secrets: on',
  'compression: [none, gzip]',
  'reproducible: 2030-01-01',
  'growth: +100%',
  'growth: { layer: +1GB }',
  'growth: { directory: +1GB }',
  'growth: { package: +1GB }',
  'new-setuid: on',
  'new-packages: on',
];
const structureTest = (tests: string) => `schemaVersion: '2.0.0'\n${tests}\n`;
const STRUCTURE_TESTS: Files = {
  'present.yaml': structureTest('fileExistenceTests: [{ name: a, path: /etc/passwd, shouldExist: true }]'),
  'absent.yaml': structureTest('fileExistenceTests: [{ name: a, path: /nothing, shouldExist: false }]'),
  'content.yaml': structureTest(
    'fileContentTests: [{ name: a, path: /etc/passwd, expectedContents: [root] }]',
  ),
};
const ENCRYPTED: LayerSpec = {
  tar: new Uint8Array(2048).fill(7),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+encrypted',
};
for (const text of UNREAD) {
  test(`${text}: is not kept to where a layer cannot be read`, async () => {
    const config = { config: { ...RUN, User: 'app' } };
    const { reading } = await readMembers(await oci({ layers: [PASSWD], config }), inventoryReadOptions);
    const against = await loadAgainst({ archive: 'old.tar' }, () => Promise.resolve(reading));
    const policy = await policyOf(`rules:\n  ${text}\n`, STRUCTURE_TESTS);
    const context = { against };
    const good = await checked(await oci({ layers: [PASSWD], config }), policy, { context });
    assert.equal(
      good.report.findings.filter(({ severity }) => severity === 'error'),
      [],
    );
    const { report } = await checked(await oci({ layers: [PASSWD, ENCRYPTED], config }), policy, { context });
    const found = report.findings.filter(({ code }) => code === 'rule-not-checked');
    assert.ok(found.length > 0, report.findings.map(({ message }) => message).join('\n'));
    assert.ok(found.every(({ failing, rule: named }) => failing && text.startsWith(`${named}:`)));
  });
}

test('every rule has a case', () => {
  // Findings about the policy itself are provoked in policy.test.ts.
  const own = RULES.filter(({ subject }) => subject !== 'policy').map(({ code }) => code);
  assert.equal(
    own.filter(code => !covered.has(code)),
    [],
  );
});

test.run();
