// Small layouts of documents only. The real docker and buildx answered for them once, from a registry that served them.
import { goJson, sortedKeys } from '../support/digest.js';
import type { Member } from '../support/members.js';
import {
  type Blob,
  blobOf,
  type Content,
  type Descriptor,
  described,
  descriptorOf,
  EMPTY,
  indexOf,
  MEDIA,
  manifestFrom,
  REF_ANNOTATION,
} from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';

/** The beginning of the references in the recorded answers. */
export const REGISTRY = 'localhost:5077/team/';

const digestFor = (text: string) => descriptorOf('', new TextEncoder().encode(text)).digest;

/** A descriptor of an absent layer: commands that print manifests do not read it. */
const layer = (mediaType: string, name: string, more: Partial<Descriptor> = {}): Content => ({
  descriptor: { mediaType, digest: digestFor(name), size: 1000 + name.length, ...more },
  blobs: [],
});

const configFor = (fields: object, mediaType: string = MEDIA.config): Content =>
  blobOf(
    mediaType,
    goJson({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, ...fields }),
  );

const ociImage = (fields: object, options: Parameters<typeof manifestFrom>[3] = {}): Content =>
  manifestFrom(MEDIA.manifest, configFor(fields), [layer(`${MEDIA.layer}+gzip`, goJson(fields))], options);

const dockerImage = (fields: object, indent = 3): Content =>
  manifestFrom(
    MEDIA.dockerManifest,
    configFor(fields, MEDIA.dockerConfig),
    [
      layer(`${MEDIA.dockerLayer}.gzip`, goJson(fields)),
      layer(MEDIA.dockerForeignLayer, 'foreign', { urls: ['https://example.test/a?b=1&c=<2>'] }),
    ],
    { indent },
  );

interface FullPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly features?: readonly string[];
}

const on = (content: Content, platform: FullPlatform, more: Partial<Descriptor> = {}): Content =>
  described(content, { ...more, platform });

const LINUX = { architecture: 'amd64', os: 'linux' } as const;
const ARM64 = { architecture: 'arm64', os: 'linux' } as const;
const UNKNOWN = { architecture: 'unknown', os: 'unknown' } as const;

const statement = (predicateType: string, predicate: unknown): Content =>
  described(
    blobOf(
      MEDIA.inToto,
      goJson({ _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject: [], predicate }),
    ),
    {
      annotations: { 'in-toto.io/predicate-type': predicateType },
    },
  );

const envelope = (kind: string, predicateType: string, predicate: unknown): Content => {
  const payload = Buffer.from(goJson({ predicateType, predicate })).toString('base64');
  const text = goJson({ payloadType: MEDIA.inToto, payload, signatures: [{ keyid: '', sig: 'c2ln' }] });
  return described(blobOf(`application/vnd.in-toto.${kind}+dsse`, text), {
    annotations: { 'in-toto.io/predicate-type': predicateType },
  });
};

const SLSA_02 = 'https://slsa.dev/provenance/v0.2';
const SLSA_1 = 'https://slsa.dev/provenance/v1';
const SPDX = 'https://spdx.dev/Document';

function attests(subject: Content, layers: readonly Content[], key = 'vnd.docker.reference.digest'): Content {
  const made = manifestFrom(MEDIA.manifest, configFor(UNKNOWN), layers, { indent: 2 });
  const annotations = {
    [key]: subject.descriptor.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return on(made, UNKNOWN, { annotations });
}

const NUMBERS = {
  z: 1,
  a: [1.5, -0, 1e21, 1e-7, 123456789012345680000, 9007199254740992, 0.1],
  text: '<a href="x">&\u2028é \u{1F600}</a>',
  nothing: null,
  yes: true,
  empty: {},
  none: [],
};

/** buildx uses one key for both Windows images and takes either one; their configs give the same output. */
function windows(): Content {
  const nano = {
    architecture: 'amd64',
    os: 'windows',
    'os.version': '10.0.17763.5329',
    'os.features': ['win32k', 'b'],
  };
  const core = { architecture: 'amd64', os: 'windows', 'os.version': '10.0.20348.2227' };
  const arm = { architecture: 'arm', os: 'linux', variant: 'v6', features: ['sse4'] };
  return indexOf(
    [
      on(dockerImage({ os: 'windows', docker_version: '1' }), nano),
      on(dockerImage({ os: 'windows', docker_version: '2' }), core, {
        annotations: { b: '2', a: '1 & <3>' },
      }),
      on(dockerImage({}), LINUX),
      on(dockerImage({ architecture: 'arm', variant: 'v6' }), arm),
    ],
    { docker: true, indent: 3 },
  );
}

function attested(): Content {
  const [amd64, arm64, s390x] = [
    ociImage({ n: 1 }),
    ociImage({ ...ARM64 }),
    ociImage({ architecture: 's390x' }),
  ];
  return indexOf(
    [
      on(amd64, LINUX),
      on(arm64, ARM64),
      on(s390x, { architecture: 's390x', os: 'linux' }),
      attests(amd64, [
        statement(SPDX, { spdxVersion: 'SPDX-2.3', ...NUMBERS }),
        statement(SLSA_02, NUMBERS),
        statement(SPDX, { second: true }),
      ]),
      attests(
        arm64,
        [envelope('spdx', SPDX, { signed: 'spdx' }), envelope('provenance', SLSA_1, { signed: ['slsa'] })],
        'com.docker.reference.digest',
      ),
      attests(s390x, [statement('https://example.test/other', {}), statement(SLSA_1, { z: true })]),
    ],
    { indent: 2, annotations: { 'org.opencontainers.image.description': 'a <b> & \u2028 c' } },
  );
}

function attestedOnce(): Content {
  const image = ociImage({ created: '2024-02-29T12:00:00.120000000+02:00' });
  return indexOf(
    [on(image, LINUX), attests(image, [statement(SPDX, { one: 1 }), statement(SLSA_1, NUMBERS)])],
    { indent: 2 },
  );
}

const FULL_CONFIG = {
  created: '2024-01-02T03:04:05.060708090Z',
  author: 'Ann <ann@example.test>',
  architecture: 'arm64',
  variant: 'v8',
  'os.version': '1.2.3',
  'os.features': ['x'],
  docker_version: '20.10.7',
  container: 'abc',
  config: {
    Hostname: 'h',
    User: 'nobody',
    ExposedPorts: { '80/tcp': {}, '53/udp': {} },
    Env: ['A=<1>', 'B=é'],
    Cmd: null,
    Entrypoint: [],
    Healthcheck: { Test: ['CMD', 'true'], Interval: 30000000000 },
    Volumes: { '/b': {}, '/a': {} },
    WorkingDir: '/w',
    OnBuild: ['RUN true'],
    Labels: { z: '\u0001 \u{1F600}', a: 'b & c' },
    StopSignal: 'SIGKILL',
    Shell: ['/bin/sh', '-c'],
    ArgsEscaped: false,
  },
  rootfs: { type: 'layers', diff_ids: [digestFor('1'), digestFor('2')] },
  history: [
    {
      created: '2024-01-02T03:04:05Z',
      created_by: 'RUN <x>',
      comment: 'buildkit.dockerfile.v0',
      author: 'me',
    },
    { created: '0001-01-01T00:00:00Z', created_by: '', empty_layer: true },
    {},
  ],
};

const BUILD_INFO = {
  frontend: 'dockerfile.v0',
  attrs: { filename: 'Dockerfile', target: null },
  sources: [
    { type: 'docker-image', ref: 'docker.io/library/alpine:3.15', alias: 'x', pin: digestFor('alpine') },
  ],
  deps: { base: { frontend: 'gateway.v0', attrs: {} } },
};

const buildInfoImage = (fields: object) =>
  ociImage({ ...fields, 'moby.buildkit.buildinfo.v1': Buffer.from(goJson(BUILD_INFO)).toString('base64') });

/** A manifest with the given text. */
function verbatim(mediaType: string, text: string, blobs: readonly Blob[]): Content {
  const own = blobOf(mediaType, text);
  return { ...own, blobs: [...own.blobs, ...blobs] };
}

function untyped(): Content {
  const config = configFor({ created: null, history: null, config: null });
  const { mediaType, digest, size } = config.descriptor;
  const text = ` {"layers" : [ ], "other":{"x":[{},[ ],1.50e+3,"\\u00e9\\/\\u003c<>&"]},\n\n"config":{"size":${size},"digest":"${digest}","mediaType":"${mediaType}"},"schemaVersion":2}\n\n`;
  return verbatim(MEDIA.manifest, text, config.blobs);
}

function keys(): Content {
  const platforms: FullPlatform[] = [
    { architecture: 'arm64', os: 'linux', variant: 'v8' },
    { architecture: 'arm', os: 'linux' },
    { architecture: 'amd64', os: 'linux', variant: 'v1' },
    { architecture: 'x86_64', os: 'Linux', variant: 'v3' },
    { architecture: 'i386', os: 'linux' },
    { architecture: 'armel', os: 'linux' },
    { architecture: 'riscv64', os: '' },
    { architecture: 'amd64', os: 'macos' },
    UNKNOWN,
  ];
  return indexOf(platforms.map((platform, i) => on(ociImage({ architecture: `a${i}` }), platform)));
}

function artifactAttested(): Content {
  const image = ociImage({ n: 2 });
  const proof = manifestFrom(MEDIA.manifest, EMPTY, [statement(SLSA_1, { artifact: true })], {
    artifactType: MEDIA.attestation,
    subject: image,
  });
  const annotations = {
    'vnd.docker.reference.digest': image.descriptor.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return indexOf([on(image, LINUX), on(proof, UNKNOWN, { annotations, artifactType: MEDIA.attestation })], {
    indent: 2,
  });
}

const absent = (content: Content): Content => ({ ...content, blobs: [] });

/** By the name of their repository. */
export const LAYOUTS: Readonly<Record<string, Content>> = {
  windows: windows(),
  attested: attested(),
  'attested-once': attestedOnce(),
  'attested-artifact': artifactAttested(),
  'docker-image': dockerImage({}),
  'docker-compact': dockerImage(FULL_CONFIG, 0),
  'full-config': ociImage(FULL_CONFIG, { indent: 2, annotations: { k: '<v>', 'a/b': '\u2028' } }),
  untyped: untyped(),
  artifact: manifestFrom(MEDIA.manifest, EMPTY, [layer('text/plain', 'x', { annotations: { t: 'x.txt' } })], {
    artifactType: 'application/x',
  }),
  'artifact-text': manifestFrom(MEDIA.manifest, blobOf('text/plain', 'hello'), [EMPTY], {}),
  'one-platform': indexOf([on(ociImage({ n: 3 }), LINUX)]),
  'no-platforms': indexOf([ociImage({ n: 4 }), ociImage({ architecture: 'ppc64le' })]),
  'docker-in-oci': indexOf([on(dockerImage({}), LINUX), on(ociImage(ARM64), ARM64)]),
  'oci-in-docker': indexOf([on(ociImage({}), LINUX), on(dockerImage(ARM64), ARM64)], { docker: true }),
  // buildx would fetch these from their URLs, so it was asked only for the table.
  urls: indexOf([on(ociImage({}), LINUX, { urls: ['https://example.test/1', 'https://example.test/2'] })]),
  nested: indexOf([indexOf([on(ociImage({}), LINUX)]), on(ociImage(ARM64), ARM64)]),
  empty: indexOf([], { annotations: { a: 'b' } }),
  keys: keys(),
  'with-absent': indexOf([on(ociImage({}), LINUX), on(absent(ociImage({ ...ARM64, n: 5 })), ARM64)]),
  'build-info': buildInfoImage({}),
  'build-info-multi': indexOf([on(buildInfoImage({}), LINUX), on(ociImage(ARM64), ARM64)]),
  inline: indexOf(
    [
      on({ ...ociImage({}) }, LINUX, {
        data: Buffer.from('{}').toString('base64'),
        artifactType: 'application/y',
      }),
      on(ociImage(ARM64), ARM64),
    ],
    {
      artifactType: 'application/z',
      subject: ociImage({ n: 6 }),
    },
  ),
};

/** The layout of one repository, with its name in the registry. */
export function layoutOf(name: string): Member[] {
  const content = LAYOUTS[name]!;
  const ref = `${REGISTRY}${name}:1`;
  return ociLayout({
    manifests: [described(content, { annotations: sortedKeys({ [REF_ANNOTATION]: ref }) })],
  });
}

/** The recorded queries: `docker manifest inspect` with a flag, or a format of imagetools. */
export const MANIFEST_FLAGS = ['', '-v'] as const;

export const FORMATS: readonly string[] = [
  '',
  '{{.Name}}',
  '{{.Manifest}}',
  '{{ .Manifest.Digest }} x',
  '{{- /* c */ -}} {{- .Manifest.Size}}',
  'x{{.Manifest.Digest}} {{.Manifest.Size}} {{.Manifest.MediaType}}',
  '{{json .}}',
  '{{json .Manifest}}',
  '{{json .Image}}',
  '{{json .Provenance}}',
  '{{json .SBOM}}',
  '{{json .Provenance.SLSA}}',
  '{{json .SBOM.SPDX}}',
  '{{json (index .SBOM "linux/amd64").AdditionalSPDXs}}',
  '{{json (index .Provenance "linux/arm64").SLSA}}',
  '{{json (index .Image "linux/amd64")}}',
  '{{.Image.Architecture}} {{.Image.Platform.OS}} {{.Image.Config.Env}}',
  '{{.Image.Created}}',
  '{{range .Image.History}}{{.Created}}|{{.CreatedBy}}|{{.EmptyLayer}};{{end}}',
  '{{range $p, $i := .Image}}{{$p}}={{$i.Architecture}} {{end}}',
  '{{range $p, $s := .SBOM}}{{$p}} {{$s}} {{end}}',
  '{{json .Manifest | len}} {{len .Name}}',
  '{{with .Manifest}}{{range .Manifests}}{{.Digest}} {{.Platform.OSVersion}} {{.Platform.OSFeatures}} {{.Annotations}} {{.URLs}};{{end}}{{end}}',
  '{{println .Image.RootFS.DiffIDs}}{{.Image.Config.Labels}}{{.Image.Config.ExposedPorts}}',
  '{{len .Image}}',
  '{{.Nope}}',
  '{{printf "%T" .}} {{printf "%v" .Image.Config.Cmd}}',
  '{{with .Manifest}}{{printf "%T %v %d" .Digest .MediaType .Size}} {{.Digest.Encoded}} {{.Digest.Algorithm}}{{end}}',
  '{{.SBOM}}',
  '{{.Provenance.SLSA.yes}} {{index .Provenance.SLSA "a"}}',
];
