// EVIL listed beside GOOD, in a form that only some readers regard as an image.
import { digestOf } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { type Content, described, MEDIA } from '../support/oci.js';
import type { Draft } from './draft.js';
import { evilManifest, type Json, named, remade } from './listed.js';
import type { Move } from './move.js';

/** Adds a content to index.json, at the beginning or the end. */
function list(draft: Draft, ...contents: readonly Content[]): void {
  const { entries } = draft.parts;
  if (entries === null) return;
  if (draft.random.oneIn(2)) entries.unshift(...contents);
  else entries.push(...contents);
}

const listing = (
  name: string,
  does: string,
  make: (evil: Content, draft: Draft) => Content | Content[],
): Move => ({
  name,
  does,
  documents: draft => {
    const made = make(evilManifest(draft), draft);
    list(draft, ...(Array.isArray(made) ? made : [made]));
  },
});

/** Changes the first entry of index.json, or the one manifest of a `dir:`. */
const onFirst = (name: string, does: string, change: (first: Content, draft: Draft) => Content): Move => ({
  name,
  does,
  documents: draft => {
    const { entries, top } = draft.parts;
    if (top !== null) draft.parts.top = change(top, draft);
    if (entries !== null && entries.length > 0) entries[0] = change(entries[0]!, draft);
  },
});

const typed = (content: Content, mediaType: string): Content => described(content, { mediaType });

const platform = (name: string, more: Record<string, unknown>): Move =>
  listing(`platform-${name}`, `EVIL for the platform ${JSON.stringify(more)}.`, evil =>
    described(evil, { platform: more as never }),
  );

const configTyped = (name: string, mediaType: string): Move =>
  listing(`config-type-${name}`, `EVIL with a config of type ${mediaType}.`, evil =>
    remade(evil, document => {
      document.config = { ...(document.config as Json), mediaType };
    }),
  );

const topTyped = (name: string, mediaType: string, inside: string | null): Move =>
  listing(`type-${name}`, `EVIL listed as ${mediaType}, which says of itself ${inside ?? 'nothing'}.`, evil =>
    typed(
      remade(evil, document => {
        if (inside === null) delete document.mediaType;
        else document.mediaType = inside;
      }),
      mediaType,
    ),
  );

/** A manifest that is also an index, as in CVE-2021-41190. */
const confused = (content: Content, other: Content): Content =>
  remade(content, document => {
    document.manifests = [other.descriptor];
  });

export const imageMoves: readonly Move[] = [
  listing('second-image', 'EVIL as a second image without a name.', evil => described(evil, {})),
  listing('same-name', 'EVIL under the name of GOOD.', evil => named(evil, '1')),
  listing('other-name', 'EVIL under a name of its own.', evil => named(evil, 'evil')),
  listing('attestation', 'EVIL as an attestation of GOOD.', (evil, { good }) =>
    described(evil, {
      platform: { architecture: 'unknown', os: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': layouts.manifestOf(good).descriptor.digest,
      },
    }),
  ),
  listing('attestation-named', 'The same, with a name and no platform.', evil =>
    named(described(evil, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }), 'evil'),
  ),
  onFirst('attestation-first', 'The only image of the archive is labelled as an attestation.', first =>
    described(first, {
      annotations: { ...first.descriptor.annotations, 'vnd.docker.reference.type': 'attestation-manifest' },
    }),
  ),
  onFirst('cosign-kind', 'The only image is labelled as signatures of cosign.', first =>
    described(first, {
      annotations: { ...first.descriptor.annotations, kind: 'dev.cosignproject.cosign/sigs' },
    }),
  ),
  listing('artifact-type', 'EVIL with an artifactType in its descriptor.', evil =>
    described(evil, { artifactType: 'application/vnd.example' }),
  ),
  listing('artifact-type-inside', 'EVIL with an artifactType in its manifest.', evil =>
    remade(evil, document => {
      document.artifactType = 'application/vnd.example+json';
    }),
  ),
  onFirst('artifact-type-only', 'The one image has an artifactType.', first =>
    remade(first, document => {
      document.artifactType = 'application/vnd.example+json';
    }),
  ),
  listing('subject', 'EVIL refers to GOOD as its subject.', (evil, { good }) =>
    remade(evil, document => {
      const { mediaType, digest, size } = layouts.manifestOf(good).descriptor;
      document.subject = { mediaType, digest, size };
    }),
  ),
  listing('in-toto', 'EVIL with layers of media type in-toto.', evil =>
    remade(evil, document => {
      for (const layer of document.layers as Json[]) layer.mediaType = MEDIA.inToto;
    }),
  ),
  onFirst('in-toto-only', 'The only image has layers of media type in-toto.', first =>
    remade(first, document => {
      for (const layer of (document.layers ?? []) as Json[]) layer.mediaType = MEDIA.inToto;
    }),
  ),
  onFirst('schema-one', 'The one image has schemaVersion 1 under the type of OCI.', first =>
    remade(first, document => {
      document.schemaVersion = 1;
    }),
  ),
  onFirst('schema-none', 'The only image has no schemaVersion.', first =>
    remade(first, document => {
      delete document.schemaVersion;
    }),
  ),
  topTyped('index', MEDIA.index, MEDIA.manifest),
  topTyped('index-none', MEDIA.index, null),
  topTyped('docker', MEDIA.dockerManifest, MEDIA.manifest),
  topTyped('docker-inside', MEDIA.manifest, MEDIA.dockerManifest),
  topTyped('artifact', 'application/vnd.oci.artifact.manifest.v1+json', null),
  topTyped('unknown', 'application/vnd.example+json', MEDIA.manifest),
  topTyped('empty', '', null),
  topTyped('schema1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', null),
  configTyped('empty', MEDIA.empty),
  configTyped('docker', MEDIA.dockerConfig),
  configTyped('helm', 'application/vnd.cncf.helm.config.v1+json'),
  configTyped('plugin', 'application/vnd.docker.plugin.v1+json'),
  configTyped('wasm', 'application/vnd.wasm.config.v0+json'),
  configTyped('json', 'application/json'),
  onFirst('config-type-only', 'The config of the one image has the type of a helm chart.', first =>
    remade(first, document => {
      if (document.config) (document.config as Json).mediaType = 'application/vnd.cncf.helm.config.v1+json';
    }),
  ),
  platform('host', { architecture: 'amd64', os: 'linux' }),
  platform('host-variant', { architecture: 'amd64', os: 'linux', variant: 'v2' }),
  platform('arm64', { architecture: 'arm64', os: 'linux', variant: 'v8' }),
  platform('windows', { architecture: 'amd64', os: 'windows', 'os.version': '10.0.20348.1' }),
  platform('unknown', { architecture: 'unknown', os: 'unknown' }),
  platform('empty', {}),
  platform('features', { architecture: 'amd64', os: 'linux', 'os.features': ['x'] }),
  platform('capitals', { architecture: 'AMD64', os: 'Linux' }),
  platform('alias', { architecture: 'x86_64', os: 'linux' }),
  listing('nested-evil', 'EVIL in an index of its own.', evil => named(layouts.indexOf([evil]), 'evil')),
  listing('nested-both', 'Both in one index, under one platform.', (evil, { good }) => {
    const mine = layouts.platformManifest(good);
    return named(layouts.indexOf([evil, mine]), 'both');
  }),
  onFirst('nested-deep', 'The image in an index in an index.', (first, draft) =>
    named(layouts.indexOf([layouts.indexOf([described(first, {}), evilManifest(draft)])]), '1'),
  ),
  onFirst('confused-evil', 'A manifest that is an index of EVIL as well.', (first, draft) => {
    const evil = evilManifest(draft);
    const made = confused(first, evil);
    return { ...made, blobs: [...made.blobs, ...evil.blobs] };
  }),
  onFirst('confused-index', 'The same, listed as an index.', (first, draft) => {
    const evil = evilManifest(draft);
    const made = confused(first, evil);
    return typed({ ...made, blobs: [...made.blobs, ...evil.blobs] }, MEDIA.index);
  }),
  onFirst('confused-schema-one', 'The same with schemaVersion 1.', (first, draft) => {
    const evil = evilManifest(draft);
    const made = remade(confused(first, evil), document => {
      document.schemaVersion = 1;
    });
    return { ...made, blobs: [...made.blobs, ...evil.blobs] };
  }),
  listing('digest-twice', 'A second descriptor of GOOD with another media type.', (_, { good }) =>
    typed(layouts.manifestOf(good), MEDIA.dockerManifest),
  ),
  listing('digest-twice-index', 'The same as an index.', (_, { good }) =>
    typed(layouts.manifestOf(good), MEDIA.index),
  ),
  listing('digest-twice-size', 'A second descriptor of GOOD with another size.', (_, { good }) =>
    described(layouts.manifestOf(good), { size: 1 }),
  ),
  onFirst('inline-data', "EVIL's manifest as `data` of GOOD's descriptor.", (first, draft) =>
    described(first, { data: Buffer.from(evilManifest(draft).blobs[0]!.bytes).toString('base64') }),
  ),
  onFirst('inline-data-config', "EVIL's config as `data` of GOOD's.", (first, { evil }) =>
    remade(first, document => {
      if (document.config) (document.config as Json).data = Buffer.from(evil.configBytes).toString('base64');
    }),
  ),
  onFirst('urls', 'A layer that is to be had elsewhere as well.', first =>
    remade(first, document => {
      for (const layer of (document.layers ?? []) as Json[]) layer.urls = ['https://example.invalid/layer'];
    }),
  ),
  listing('sha512', 'EVIL with digests of sha512.', (_, { evil }) =>
    layouts.platformManifest(evil, { algorithm: 'sha512' }),
  ),
  onFirst('sha512-only', 'The one image is named by a digest of sha512.', first => {
    const { bytes } = first.blobs[0]!;
    const digest = digestOf(bytes, 'sha512');
    return {
      descriptor: { ...first.descriptor, digest },
      blobs: [{ digest, bytes }, ...first.blobs.slice(1)],
    };
  }),
  onFirst('config-of-evil', "GOOD's manifest with EVIL's config.", (first, { evil }) => {
    const made = remade(first, document => {
      if (!document.config) return;
      document.config = { mediaType: MEDIA.config, digest: evil.imageId, size: evil.configBytes.length };
    });
    return { ...made, blobs: [...made.blobs, { digest: evil.imageId, bytes: evil.configBytes }] };
  }),
  onFirst('name-containerd', 'Two annotations that give two names.', first =>
    described(first, {
      annotations: {
        ...first.descriptor.annotations,
        [layouts.NAME_ANNOTATION]: 'docker.io/library/other:2',
      },
    }),
  ),
];
