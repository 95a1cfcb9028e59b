// JSON documents of an archive: ambiguous, replaced, endless, or made to harm a parser.
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { verify } from '../../src/commands.js';
import { toJson } from '../../src/format/json.js';
import { toText } from '../../src/format/text.js';
import { digestOf, encodedOf, goJson } from '../support/digest.js';
import * as layouts from '../support/layouts.js';
import { type Attack, type Chapter, verified } from './attack.js';
import { evil, item, oci, save } from './material.js';

// biome-ignore lint/suspicious/noExplicitAny: documents are taken apart here, whatever they are
type Json = any;

const manifest = layouts.manifestOf(item);
const evilManifest = layouts.manifestOf(evil);
const manifestJson: Json = JSON.parse(Buffer.from(manifest.blobs[0]!.bytes).toString());
const blobs = [...manifest.blobs, ...evilManifest.blobs].slice(1);

const inLayout = (content: layouts.Content, more: readonly layouts.Blob[] = blobs): layouts.Member[] =>
  layouts.ociLayout({
    manifests: [
      layouts.described(
        { ...content, blobs: [...content.blobs, ...more] },
        { annotations: { [layouts.REF_ANNOTATION]: 'app:1' } },
      ),
    ],
  });

/** A layout with a changed index.json. */
const withIndex = (change: (text: string) => string): layouts.Member[] =>
  layouts.replaceBytes(oci, 'index.json', bytes => change(Buffer.from(bytes).toString()));

const listing = (...more: readonly object[]): layouts.Member[] =>
  withIndex(text => {
    const document = JSON.parse(text);
    return JSON.stringify({ ...document, manifests: [...document.manifests, ...more] });
  });

const saveWith = (change: (document: Json) => Json): layouts.Member[] =>
  layouts.replaceBytes(save, 'manifest.json', bytes =>
    JSON.stringify(change(JSON.parse(Buffer.from(bytes).toString()))),
  );

const sized = (size: string): Attack =>
  verified(
    `A descriptor of size ${size}`,
    'An error. The image is still read.',
    () => withIndex(text => text.replace(/"size":\d+/, `"size":${size}`)),
    { findings: ['field-invalid'], exit: 1, verdicts: { conformant: false } },
  );

const entry = (digest: string, size = 2) => ({ mediaType: layouts.MEDIA.manifest, digest, size });

const digested = (
  what: string,
  digest: string,
  findings: readonly ('manifest-missing' | 'field-invalid')[],
) =>
  verified(what, 'It refers to no blob, and to no file of the machine.', () => listing(entry(digest)), {
    findings: ['manifest-missing'],
    exit: 1,
    verdicts: { complete: false },
    more({ report }) {
      for (const code of findings)
        assert.ok(
          report.findings.some(found => found.code === code),
          code,
        );
    },
  });

const DEEP = 100_000;
const KEYS =
  '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":1';

export const documents: Chapter = {
  title: 'Documents',
  attacks: [
    verified(
      'A document that is a manifest and an index at once (CVE-2021-41190)',
      'Read as its descriptor declares. An error, because it can also be read as the other type.',
      () => {
        const both = { ...manifestJson, manifests: [evilManifest.descriptor] };
        return inLayout(layouts.blobOf(layouts.MEDIA.manifest, goJson(both)));
      },
      { findings: ['ambiguous-document'], exit: 1, verdicts: { conformant: false } },
    ),
    verified(
      'The same, as an index that is also a manifest',
      'The same.',
      () => {
        const both = { ...manifestJson, mediaType: undefined, manifests: [evilManifest.descriptor] };
        return inLayout(layouts.blobOf(layouts.MEDIA.index, goJson(both)));
      },
      {
        findings: ['ambiguous-document'],
        exit: 1,
        more: ({ report }) => assert.is(report.images[0]!.imageId, evil.imageId),
      },
    ),
    verified(
      'One digest, listed as a manifest and as an index',
      'Read as its first descriptor declares. The other descriptor is an error.',
      () => {
        const both = { ...manifestJson, manifests: [evilManifest.descriptor] };
        const content = layouts.blobOf(layouts.MEDIA.manifest, goJson(both));
        const again = layouts.described({ ...content, blobs: [] }, { mediaType: layouts.MEDIA.index });
        return layouts.ociLayout({ manifests: [{ ...content, blobs: [...content.blobs, ...blobs] }, again] });
      },
      { findings: ['ambiguous-document', 'media-types-differ'], exit: 1 },
    ),
    verified(
      'Layers in another order than the config has them',
      'Each layer is compared with the diff_id of its place.',
      () => {
        const swapped = { ...manifestJson, layers: manifestJson.layers.toReversed() };
        return inLayout(layouts.blobOf(layouts.MEDIA.manifest, goJson(swapped)));
      },
      { findings: ['diff-id-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'The config of another image',
      'The same.',
      () => {
        const config = JSON.parse(Buffer.from(evilManifest.blobs[0]!.bytes).toString()).config;
        return inLayout(layouts.blobOf(layouts.MEDIA.manifest, goJson({ ...manifestJson, config })));
      },
      { findings: ['diff-id-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'A config as a layer',
      'It is no tar, and not what the config says.',
      () => saveWith(([doc]) => [{ ...doc, Layers: [doc.Config, doc.Config] }]),
      { findings: ['layer-not-tar', 'diff-id-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'A layer called `<hex>.tar.gz` that has another digest, though the config agrees with its tar',
      'A warning: a reader that looks up the layer by its name finds another one. A note if the producer uses diff_ids as names.',
      () => {
        const name = `${encodedOf(item.layers[0]!.digest)}.tar.gz`;
        const again = () => gzipSync(item.layers[0]!.tar, { level: 1 });
        return layouts.replaceBytes(layouts.cranePull({ image: item, tags: ['app:1'] }), name, again);
      },
      { findings: ['layer-name-mismatch'], exit: 0, verdicts: { intact: true, conformant: false } },
    ),
    verified(
      'A blob in a folder of skopeo’s `dir:` that is not what its name promises',
      'An error, as in a folder of blobs.',
      () => [...layouts.skopeoDir(item), layouts.file('a'.repeat(64), 'evil')],
      { findings: ['blob-name-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
    verified(
      'manifest.json that names files outside of the archive',
      'They are not there.',
      () => saveWith(([doc]) => [{ ...doc, Config: '../../etc/passwd', Layers: ['/etc/shadow', 'C:\\x'] }]),
      { findings: ['config-missing', 'layer-missing'], exit: 1, verdicts: { complete: false } },
    ),
    verified(
      'Keys that a document has twice',
      'The last one is used, as in JavaScript and Go. An error, because readers differ.',
      () => withIndex(text => text.replace('"manifests"', '"manifests":[],"manifests"')),
      { findings: ['key-duplicate'], exit: 1 },
    ),
    verified(
      'Keys that differ in case only',
      'The last one is used, as in Go. An error, because a case-sensitive reader uses the exact one.',
      () => withIndex(text => text.replace('"manifests"', '"MANIFESTS":[],"manifests"')),
      { findings: ['key-case'], exit: 1 },
    ),
    verified(
      'Keys with a meaning in JavaScript: `__proto__`, `constructor`, `toString`',
      'They are ordinary data.',
      () => [
        ...layouts.replaceBytes(
          layouts.replaceBytes(save, 'repositories', () => `{${KEYS}}`),
          'manifest.json',
          bytes => Buffer.from(bytes).toString().replace('{', `{${KEYS},"LayerSources":{${KEYS}},`),
        ),
      ],
      {
        findings: ['field-invalid'],
        exit: 1,
        more() {
          assert.is(({} as Json).polluted, undefined);
          assert.type({}.toString, 'function');
        },
      },
    ),
    verified(
      'JSON that nests a hundred thousand deep',
      'Not read. The rest is read.',
      () => layouts.replaceBytes(oci, 'oci-layout', () => `{"x":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`),
      { findings: ['limit-reached'], exit: 1 },
    ),
    verified(
      'A string of 15 MB in every place of a short one',
      'No pattern needs memory for each of its characters, and text reports cut it.',
      () => {
        const long = 'a.'.repeat(7_500_000);
        return listing({ ...entry(`${long}:0`), mediaType: long.slice(0, 1_000_000) });
      },
      {
        findings: ['manifest-missing'],
        exit: 1,
        formats: 'none',
        more({ reading }) {
          const result = verify(reading, { failOn: 'error' });
          assert.ok(toText(result.doc, { width: null, color: false }).length < 100_000);
          assert.ok(toJson(result.data).length < 20_000_000);
        },
      },
    ),
    verified(
      'Inline data of 12 MB',
      'The same.',
      () => withIndex(text => text.replace('"size"', `"data":"${'A'.repeat(12_000_000)}","size"`)),
      { findings: ['inline-data-mismatch'], exit: 1 },
    ),
    digested('A digest with a path in it', 'sha256:../../../../etc/passwd', ['field-invalid']),
    digested('An algorithm with a path in it', '../../../etc:passwd', ['field-invalid']),
    digested('A digest of NUL and newlines', 'sha256:\0\n\u001b[2J', ['field-invalid']),
    verified(
      'A digest of an unknown algorithm',
      'A digest that cannot be compared leaves the verdict intact open.',
      () => {
        const digest = `blake9:${'a'.repeat(64)}`;
        const { bytes } = manifest.blobs[0]!;
        return [...listing(entry(digest, bytes.length)), layouts.file(layouts.blobPath(digest), bytes)];
      },
      { findings: ['digest-unchecked'], exit: 0, verdicts: { intact: null }, images: 2 },
    ),
    verified(
      'A digest of a broken algorithm: md5, sha1',
      'An error: two images can have it.',
      () => {
        const bytes = manifest.blobs[0]!.bytes;
        const digest = `sha1:${digestOf(bytes).slice(7, 47)}`;
        return [...listing(entry(digest, bytes.length)), layouts.file(layouts.blobPath(digest), bytes)];
      },
      { findings: ['digest-weak', 'digest-unchecked'], exit: 1, verdicts: { intact: null }, images: 2 },
    ),
    verified(
      'An index that lists itself',
      'Visited once. The image beside it is reported.',
      () => {
        const digest = `sha256:${'1'.repeat(64)}`;
        const self = { mediaType: layouts.MEDIA.index, digest, size: 1 };
        return [
          ...listing(self),
          layouts.file(layouts.blobPath(digest), goJson({ schemaVersion: 2, manifests: [self] })),
        ];
      },
      { findings: ['index-cycle', 'digest-mismatch', 'size-mismatch'], exit: 1 },
    ),
    sized('-1'),
    sized('1.5'),
    sized('9007199254740992'),
    sized('1e400'),
    sized('"12"'),
    verified(
      'A descriptor of size 0',
      'Compared with the actual size.',
      () => withIndex(text => text.replace(/"size":\d+/, '"size":0')),
      { findings: ['size-mismatch'], exit: 1, verdicts: { intact: false } },
    ),
  ],
};
