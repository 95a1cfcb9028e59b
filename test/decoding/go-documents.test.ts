// Recorded answers of real engines for documents: skopeo 1.22.0 (built with Go 1.26), podman 5.8.6 and crane 0.21 (with
// Go 1.27), and Debian's skopeo 1.9.3 (with Go 1.19).
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { stopText } from '../../src/commands/ids/engines.js';
import { decode, type Mode } from '../../src/decoding/go-json.js';
import { attempt } from '../../src/decoding/refused.js';
import {
  CRANE_CONFIG,
  CRANE_INDEX,
  CRANE_ITEMS,
  OCI_IMAGE,
  OCI_INDEX_TYPE,
  OCI1,
  SCHEMA2_IMAGE,
  TARFILE_ITEMS,
} from '../../src/decoding/structs.js';
import type { GoVersion } from '../../src/go/json/faults.js';

import type { GoType } from '../../src/go/json/types.js';
import { readDocument } from '../../src/scan/blob/document.js';

const digest = `sha256:${'c0f596b1'.repeat(8)}`;
type Row = readonly [type: GoType, mode: Mode, version: GoVersion, text: string, words: string | null];
const json = 'json: cannot unmarshal';

const ROWS: readonly Row[] = [
  // index.json
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.19',
    '{"schemaVersion":"2"}',
    `${json} string into Go struct field Index.schemaVersion of type int`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"schemaVersion":"2"}',
    `${json} string into Go struct field Index.Versioned.schemaVersion of type int`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":[{"size":1e0}]}',
    `${json} number 1e0 into Go struct field Descriptor.manifests.size of type int64`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.27',
    '{"manifests":[{"size":1e0}]}',
    `${json} number 1e0 into Go struct field Index.manifests.0.size of type int64`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":[{"annotations":{"x":5}}]}',
    `${json} number into Go struct field Descriptor.manifests.annotations of type string`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.27',
    '{"manifests":[{"annotations":{"x":5}}]}',
    `${json} number into Go struct field Index.manifests.0.annotations.x of type string`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":[{"digest":5}]}',
    `${json} number into Go struct field Descriptor.manifests.digest of type digest.Digest`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":{}}',
    `${json} object into Go struct field Index.manifests of type []v1.Descriptor`,
  ],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":[5]}',
    `${json} number into Go struct field Index.manifests of type v1.Descriptor`,
  ],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '[]', `${json} array into Go value of type v1.Index`],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"manifests":[{"platform":{"os":5}}]}',
    `${json} number into Go struct field Platform.manifests.platform.os of type string`,
  ],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '{"manifests":[]} x', null],
  [OCI_INDEX_TYPE, 'whole', 'go1.24', '{"manifests":[]} x', "invalid character 'x' after top-level value"],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '', 'EOF'],
  [OCI_INDEX_TYPE, 'whole', 'go1.24', '', 'unexpected end of JSON input'],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '{"manifests":[{"si', 'unexpected EOF'],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '\ufeff{}', "invalid character 'ï' looking for beginning of value"],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.27',
    '\ufeff{}',
    "invalid character '\\ufeff' looking for beginning of value",
  ],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '{"a":"\u0001"}', "invalid character '\\x01' in string literal"],
  [OCI_INDEX_TYPE, 'first', 'go1.27', '{"a":"\u0001"}', "invalid character '\\x01' in string"],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '"\\u12G4"',
    "invalid character 'G' in \\u hexadecimal character escape",
  ],
  [OCI_INDEX_TYPE, 'first', 'go1.27', '"\\u12G4"', 'invalid escape sequence `\\u12G4` in string'],
  [OCI_INDEX_TYPE, 'first', 'go1.27', '"\\q"', 'invalid escape sequence `\\q` in string'],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    '{"a":1.}',
    "invalid character '}' after decimal point in numeric literal",
  ],
  [OCI_INDEX_TYPE, 'first', 'go1.27', '{"a":1.}', "invalid character '}' in numeric literal"],
  [OCI_INDEX_TYPE, 'first', 'go1.24', '01', `${json} number into Go value of type v1.Index`],
  [OCI_INDEX_TYPE, 'first', 'go1.24', "'", "invalid character '\\'' looking for beginning of value"],
  [OCI_INDEX_TYPE, 'whole', 'go1.24', '{"a":n', "invalid character ' ' in literal null (expecting 'u')"],
  [OCI_INDEX_TYPE, 'whole', 'go1.27', '{"a":n', 'unexpected end of JSON input'],
  [
    OCI_INDEX_TYPE,
    'first',
    'go1.24',
    `{"x":${'['.repeat(10_001)}${']'.repeat(10_001)}}`,
    "invalid character '[' exceeded max depth",
  ],
  // Manifests
  [
    OCI1,
    'whole',
    'go1.19',
    '{"layers":[{"size":10240.0}]}',
    `${json} number 10240.0 into Go struct field Descriptor.layers.size of type int64`,
  ],
  [
    OCI1,
    'whole',
    'go1.24',
    '{"layers":[{"size":10240.0}]}',
    `${json} number 10240.0 into Go struct field Descriptor.Manifest.layers.size of type int64`,
  ],
  [
    OCI1,
    'whole',
    'go1.27',
    '{"config":{"size":"5"}}',
    `${json} string into Go struct field OCI1.config.size of type int64`,
  ],
  [
    OCI1,
    'whole',
    'go1.24',
    '{"config":{"size":99999999999999999999}}',
    `${json} number 99999999999999999999 into Go struct field Descriptor.Manifest.config.size of type int64`,
  ],
  [
    OCI1,
    'whole',
    'go1.24',
    '{"schemaVersion":"2"}',
    `${json} string into Go struct field OCI1.Manifest.Versioned.schemaVersion of type int`,
  ],
  [OCI1, 'whole', 'go1.24', '{"layers":[{"data":"e3-0"}]}', 'illegal base64 data at input byte 2'],
  [
    OCI1,
    'whole',
    'go1.27',
    '{"layers":[{"data":"e3-0"}]}',
    `${json} string into Go struct field OCI1.layers.0.data of type []uint8`,
  ],
  [
    OCI1,
    'whole',
    'go1.27',
    '{"layers":[{"data":[1,300]}]}',
    `${json} number 300 into OCI1.layers.0.data.1 of type uint8`,
  ],
  // Configs
  [
    OCI_IMAGE,
    'whole',
    'go1.24',
    '{"history":[5]}',
    `${json} number into Go struct field Image.history of type v1.History`,
  ],
  [OCI_IMAGE, 'whole', 'go1.27', '{"history":[5]}', `${json} number into Image.history.0 of type v1.History`],
  [OCI_IMAGE, 'whole', 'go1.19', '{"os":5}', `${json} number into Go struct field Image.os of type string`],
  [
    OCI_IMAGE,
    'whole',
    'go1.24',
    '{"os":5}',
    `${json} number into Go struct field Image.Platform.os of type string`,
  ],
  [
    OCI_IMAGE,
    'whole',
    'go1.27',
    '{"config":{"Env":[1]}}',
    `${json} number into Image.config.Env.0 of type string`,
  ],
  [
    OCI_IMAGE,
    'whole',
    'go1.27',
    '{"config":{"Cmd":"x"}}',
    `${json} string into Go struct field Image.config.Cmd of type []string`,
  ],
  [SCHEMA2_IMAGE, 'whole', 'go1.24', '{"config":{"Cmd":"x"}}', null],
  [
    SCHEMA2_IMAGE,
    'whole',
    'go1.24',
    '{"config":{"Cmd":5}}',
    `${json} number into Go struct field Schema2Config.Schema2V1Image.config.Cmd of type string`,
  ],
  [
    SCHEMA2_IMAGE,
    'whole',
    'go1.24',
    '{"config":{"Healthcheck":{"Interval":1.0}}}',
    `${json} number 1.0 into Go struct field Schema2HealthConfig.Schema2V1Image.config.Healthcheck.Interval of type time.Duration`,
  ],
  [
    SCHEMA2_IMAGE,
    'whole',
    'go1.24',
    '{"config":{"Volumes":{"a":5}}}',
    `${json} number into Go struct field Schema2Config.Schema2V1Image.config.Volumes of type struct {}`,
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"config":{"Volumes":{"a":5}}}',
    `${json} number into Go struct field ConfigFile.config.Volumes.a of type struct {}`,
  ],
  [SCHEMA2_IMAGE, 'whole', 'go1.24', '{"Size":9223372036854775807}', null],
  [
    SCHEMA2_IMAGE,
    'whole',
    'go1.24',
    '{"size":9223372036854775808}',
    `${json} number 9223372036854775808 into Go struct field Schema2Image.Schema2V1Image.Size of type int64`,
  ],
  [SCHEMA2_IMAGE, 'whole', 'go1.24', '{"Size":-0,"x":1e400}', null],
  [CRANE_CONFIG, 'first', 'go1.27', '{"created":5}', 'Time.UnmarshalJSON: input is not a JSON string'],
  [CRANE_CONFIG, 'first', 'go1.27', '{"created":null}', null],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"created":"yesterday"}',
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"',
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"created":"2024-02-30T00:00:00Z"}',
    'parsing time "2024-02-30T00:00:00Z": day out of range',
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"created":"2024-02-20T00:00:60Z"}',
    'parsing time "2024-02-20T00:00:60Z": second out of range',
  ],
  [CRANE_CONFIG, 'first', 'go1.27', '{"created":"2024-02-20T00:00:00,5Z"}', null],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"created":"2024-02-20t00:00:00z"}',
    'parsing time "2024-02-20t00:00:00z" as "2006-01-02T15:04:05Z07:00"',
  ],
  [CRANE_CONFIG, 'first', 'go1.27', '{"rootfs":{"diff_ids":[null]}}', 'cannot parse hash: ""'],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"rootfs":{"diff_ids":[5]}}',
    `${json} number into Go value of type string`,
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"rootfs":{"diff_ids":["sha256:C0"]}}',
    'found non-hex character in hash: C',
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    `{"rootfs":{"diff_ids":["sha512:${'a'.repeat(128)}"]}}`,
    'unsupported hash: "sha512"',
  ],
  [
    CRANE_CONFIG,
    'first',
    'go1.27',
    '{"rootfs":{"diff_ids":["sha256:abc"]}}',
    'wrong number of hex digits for sha256: abc',
  ],
  [CRANE_CONFIG, 'first', 'go1.27', 'null', null],
  [
    CRANE_INDEX,
    'whole',
    'go1.27',
    '{"manifests":[{"size":1e0}]}',
    `${json} number 1e0 into Go struct field IndexManifest.manifests.0.size of type int64`,
  ],
  // manifest.json
  [
    TARFILE_ITEMS,
    'whole',
    'go1.24',
    '[{"Config":5}]',
    `${json} number into Go struct field ManifestItem.Config of type string`,
  ],
  [
    TARFILE_ITEMS,
    'whole',
    'go1.27',
    '[{"Config":5}]',
    `${json} number into Go struct field .0.Config of type string`,
  ],
  [TARFILE_ITEMS, 'whole', 'go1.27', '[{"Layers":[5]}]', `${json} number into .0.Layers.0 of type string`],
  [TARFILE_ITEMS, 'whole', 'go1.24', '[5]', `${json} number into Go value of type tarfile.ManifestItem`],
  [TARFILE_ITEMS, 'whole', 'go1.24', `[{"LayerSources":{"x":{}}}]`, null],
  [CRANE_ITEMS, 'first', 'go1.27', `[{"LayerSources":{"x":{}}}]`, 'cannot parse hash: "x"'],
  [CRANE_ITEMS, 'first', 'go1.27', '{}', `${json} object into Go value of type tarball.Manifest`],
  [CRANE_ITEMS, 'first', 'go1.27', '[5]', `${json} number into .0 of type tarball.Descriptor`],
  [
    CRANE_ITEMS,
    'first',
    'go1.27',
    `[{"LayerSources":{"${digest}":{"size":1.0}}}]`,
    `${json} number 1.0 into Go struct field .0.LayerSources.${digest}.size of type int64`,
  ],
];

for (const [type, mode, version, text, words] of ROWS) {
  test(`${version}, ${mode}, ${type.name}: ${text.slice(0, 80)}`, () => {
    const document = readDocument('x', Buffer.from(text));
    const stop = attempt(() => decode(document, mode, type, version));
    assert.is(stop === null ? null : stopText(stop), words);
  });
}

test('keys in any case, repeated keys, and one key that overrides another', () => {
  const read = (text: string) => decode(readDocument('x', Buffer.from(text)), 'whole', OCI1, 'go1.24');
  assert.equal(read('{"Layers":[{"Digest":"a","\u017fize":5}],"more":1}'), {
    layers: [{ digest: 'a', size: 5 }],
  });
  assert.equal(read('{"layers":[{"size":1}],"LAYERS":[]}'), { layers: [] });
  assert.equal(read('{"CONFIG":{"size":5,"digest":"a"},"config":{"digest":"b"}}'), {
    config: { size: 5, digest: 'b' },
  });
  assert.equal(read('{"layers":[{"size":1}],"LAYERS":null}'), {});
  assert.equal(read('{"mediaType":"a","MediaType":null}'), { mediaType: 'a' });
  assert.equal(read('{"layers":[null]}'), { layers: [{}] });
});

test("the outcome is unknown for nesting between waybill's limit and Go's", () => {
  const document = readDocument('x', Buffer.from('['.repeat(9000) + ']'.repeat(9000)));
  assert.match(stopText(attempt(() => decode(document, 'whole', OCI1, 'go1.24'))!), /^cannot be told: x: /);
});

test.run();
