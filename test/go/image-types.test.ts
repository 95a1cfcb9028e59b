// Go's types of image documents have their methods wherever a template meets them.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DESCRIPTOR, DIGEST, IMAGE, PORT_SET } from '../../src/go/image-types.js';
import { attempt, execute, parseTemplate, sliceOf, type Type, value } from '../../src/go/template/index.js';
import { each, waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';

const HEX = 'ab'.repeat(32);
const DOCKER = join(repositoryRoot, 'samples/hello-docker-28.tar');

const rendered = (template: string, type: Type, raw: unknown) =>
  execute(parseTemplate(template), value(type, raw));

test('digest.Digest: the methods without an argument', () => {
  const rows: readonly (readonly [template: string, expected: string])[] = [
    ['{{.}}', `sha256:${HEX}`],
    ['{{.String}}', `sha256:${HEX}`],
    ['{{.Encoded}}', HEX],
    ['{{.Hex}}', HEX],
    ['{{.Algorithm}}', 'sha256'],
    ['{{.Algorithm.String}}', 'sha256'],
    ['{{.Algorithm.Size}}', '32'],
    ['{{.Algorithm.Available}}', 'true'],
    ['{{.Validate}}', '<nil>'],
    ['{{with .Validate}}error{{else}}valid{{end}}', 'valid'],
    ['{{printf "%T %T" . .Algorithm}}', 'digest.Digest digest.Algorithm'],
    ['{{json .}}', `"sha256:${HEX}"`],
  ];
  for (const [template, expected] of rows)
    assert.is(rendered(template, DIGEST, `sha256:${HEX}`), expected, template);
});

test('digest.Digest: what Validate says of digests that are none', () => {
  const rows: readonly (readonly [digest: string, error: string])[] = [
    ['', 'invalid checksum digest format'],
    ['sha256', 'invalid checksum digest format'],
    ['sha256:', 'invalid checksum digest format'],
    [`:${HEX}`, 'invalid checksum digest format'],
    ['sha256:abc', 'invalid checksum digest length'],
    [`sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
    [`sha512:${HEX}`, 'invalid checksum digest length'],
    [`md5:${'0'.repeat(32)}`, 'unsupported digest algorithm'],
    ['SHA!:0', 'invalid checksum digest format'],
  ];
  for (const [digest, error] of rows) assert.is(rendered('{{.Validate}}', DIGEST, digest), error, digest);
  assert.is(rendered('{{.Algorithm.Available}} {{.Algorithm.Size}}', DIGEST, 'md5:00'), 'false 0');
});

test('digest.Digest: without a colon its parts are an error of the template, as Go panics', () => {
  for (const method of ['Encoded', 'Hex', 'Algorithm']) {
    const { error } = attempt(() => rendered(`{{.${method}}}`, DIGEST, 'abc'));
    const expected = `template: :1:2: executing "" at <.${method}>: error calling ${method}: no ':' separator in digest "abc"`;
    assert.is(error?.message, expected);
  }
});

test('nat.Port: the keys of ContainerConfig.ExposedPorts', () => {
  const template = '{{range $port, $set := .}}{{$port}}={{$port.Port}},{{$port.Int}},{{$port.Proto}};{{end}}';
  const ports = ['80', '53/udp', '8080/', '/tcp', '70000/tcp', 'a/tcp'];
  const set = new Map(ports.map(port => [port, {}]));
  assert.is(
    rendered(template, PORT_SET, set),
    '/tcp=,0,;53/udp=53,53,udp;70000/tcp=70000,65535,tcp;80=80,80,tcp;8080/=8080,8080,tcp;a/tcp=a,0,tcp;',
  );
});

test('v1.Descriptor and v1.Image: the methods of what is in them', () => {
  const descriptor = { Digest: `sha512:${HEX}${HEX}`, Platform: { OS: 'linux' } };
  const both = '{{.Digest.Algorithm}} {{.Digest.Encoded}} {{.Platform.OS}}';
  assert.is(rendered(both, DESCRIPTOR, descriptor), `sha512 ${HEX}${HEX} linux`);
  assert.is(rendered('{{range .}}{{.Digest.Hex}}{{end}}', sliceOf(DESCRIPTOR), [descriptor]), `${HEX}${HEX}`);
  const image = {
    Created: '2024-01-02T03:04:05Z',
    RootFS: { DiffIDs: [`sha256:${HEX}`] },
    History: [{ Created: '2024-01-02T03:04:05Z' }],
  };
  const template =
    '{{.Created.Year}} {{range .RootFS.DiffIDs}}{{.Encoded}}{{end}} {{(index .History 0).Created.Unix}}';
  assert.is(rendered(template, IMAGE, image), `2024 ${HEX} 1704164645`);
});

test('every command with a template has them', async () => {
  const [oci, inspect] = [join(repositoryRoot, 'samples/hello-oci.tar'), ['image', 'inspect', DOCKER]];
  const hex = /^[0-9a-f]{64}\n$/;
  const rows: readonly (readonly [args: readonly string[], expected: RegExp])[] = [
    [[...inspect, '--store', 'containerd', '--format', '{{.Descriptor.Digest.Encoded}}'], hex],
    [[...inspect, '--store', 'containerd', '--format', '{{.Descriptor.Digest.Hex}}'], hex],
    [[...inspect, '--store', 'containerd', '--format', '{{.Descriptor.Digest.Algorithm.Size}}'], /^32\n$/],
    [[...inspect, '--store', 'containerd', '--format', '{{.Descriptor.Digest.Validate}}'], /^<nil>\n$/],
    [[...inspect, '--store', 'classic', '--format', '{{.Metadata.LastTagTime.IsZero}}'], /^true\n$/],
    [['imagetools', 'inspect', oci, '--format', '{{.Manifest.Digest.Encoded}}'], /^[0-9a-f]{64}$/],
    [
      ['imagetools', 'inspect', DOCKER, '--format', '{{range .Image.RootFS.DiffIDs}}{{.Algorithm}} {{end}}'],
      /^(sha256 )+$/,
    ],
    [['imagetools', 'inspect', DOCKER, '--format', '{{.Image.Created.Year}}'], /^\d{4}$/],
  ];
  const answers = await each(rows, ([args]) => waybill(args));
  for (const [i, [args, expected]] of rows.entries()) {
    assert.match(answers[i]!.stdout, expected, args.join(' '));
    assert.equal([answers[i]!.status, answers[i]!.stderr], [0, ''], args.join(' '));
  }
});

test.run();
