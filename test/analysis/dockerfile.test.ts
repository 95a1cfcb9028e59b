// Lines of a Dockerfile found by the history of an image, as builders write it.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type HistoryMatch,
  matchHistory,
  parseDockerfile,
  stageIndex,
} from '../../src/analysis/dockerfile.js';
import type { HistoryEntry } from '../../src/spec/config.js';
import { alwaysSync } from '../property/runs.js';
import { hostileText } from '../property/texts.js';
import { githubToken } from '../secrets/planted.js';

const entry = (createdBy: string | null): HistoryEntry => ({
  created: null,
  createdBy,
  comment: null,
  emptyLayer:
    createdBy === null || /^(ENV|CMD|LABEL|USER|ARG)|#\(nop\) +(ENV|CMD|LABEL|USER|ARG)/.test(createdBy),
});

const match = (dockerfile: string, history: readonly (string | null)[], target?: string): HistoryMatch => {
  const parsed = parseDockerfile(dockerfile);
  return matchHistory(parsed, stageIndex(parsed, target), history.map(entry));
};

/** The first and last line of each step; null for those of the base image. */
const linesOf = (found: HistoryMatch) =>
  'mismatch' in found
    ? found.mismatch
    : found.steps.map(step => (step === null ? null : [step.line, step.endLine]));

const DOCKERFILE = `# syntax=docker/dockerfile:1
ARG BASE=debian
FROM \${BASE}:12-slim
# The comment of a person
ARG VERSION=1
ENV APP=/app MODE="a b"
RUN apt-get update \\
    # a comment between lines

    && apt-get install -y \\
       curl
WORKDIR app
COPY --chown=1:1 package.json \\
  lib ./
run echo lower && \\
  echo case
USER node
CMD ["node", "server.js"]
`;

const LINES = [null, null, [5, 5], [6, 6], [7, 11], [12, 12], [13, 14], [15, 16], [17, 17], [18, 18]];

test('BuildKit', () => {
  const history = [
    '/bin/sh -c #(nop) ADD file:0767bf50b01383f2a4ddf0f1d0cf4f7823f5a902e20a9deff27cb5b33d9c7063 in / ',
    'CMD ["bash"]',
    'ARG VERSION=1',
    'ENV APP=/app MODE=a b',
    'RUN |1 VERSION=1 /bin/sh -c apt-get update     && apt-get install -y        curl # buildkit',
    'WORKDIR /app',
    'COPY --chown=1:1 package.json lib ./ # buildkit',
    'RUN |1 VERSION=1 /bin/sh -c echo lower &&   echo case # buildkit',
    'USER node',
    'CMD ["node" "server.js"]',
  ];
  assert.equal(linesOf(match(DOCKERFILE, history)), LINES);
});

test('the classic builder', () => {
  const history = [
    '/bin/sh -c #(nop) ADD file:0767bf50b01383f2a4ddf0f1d0cf4f7823f5a902e20a9deff27cb5b33d9c7063 in / ',
    '/bin/sh -c #(nop)  CMD ["bash"]',
    '/bin/sh -c #(nop)  ARG VERSION=1',
    '/bin/sh -c #(nop)  ENV APP=/app MODE=a b',
    '|1 VERSION=1 /bin/sh -c apt-get update     && apt-get install -y        curl',
    '/bin/sh -c #(nop) WORKDIR /app',
    '/bin/sh -c #(nop) COPY --chown=1:1 multi:47bf50b01383f2a4ddf0f1d0cf4f7823f5a902e20a9deff27cb5b33d9c706300 in ./ ',
    '|1 VERSION=1 /bin/sh -c echo lower &&   echo case',
    '/bin/sh -c #(nop)  USER node',
    '/bin/sh -c #(nop)  CMD ["node" "server.js"]',
  ];
  assert.equal(linesOf(match(DOCKERFILE, history)), LINES);
  const labelled = [...history, '/bin/sh -c #(nop)  LABEL commit=abc'];
  assert.equal(linesOf(match(DOCKERFILE, labelled)), [...LINES, null], '--label adds an instruction');
});

test('podman build, as podman 4.3.1 wrote it', () => {
  const dockerfile = `FROM scratch AS one
ARG V
ENV A=b C="d e"
ENV OLD value here
LABEL x=y \\
  z=w
WORKDIR /app
COPY Dockerfile .
COPY --chown=1:1 Dockerfile /x/
FROM one
ADD Dockerfile /y
USER 1000
EXPOSE 80/tcp 90
VOLUME /data
ENTRYPOINT ["/a", "b c"]
CMD run me
STOPSIGNAL SIGTERM
HEALTHCHECK CMD x
`;
  const history = [
    '/bin/sh -c #(nop) ARG V',
    '/bin/sh -c #(nop) ENV A=b C="d e"',
    '/bin/sh -c #(nop) ENV OLD value here',
    '/bin/sh -c #(nop) LABEL x=y   z=w',
    '/bin/sh -c #(nop) WORKDIR /app',
    '/bin/sh -c #(nop) COPY file:066a16a006d74c9a34ba69792ffd47caae0cf7363d2b05f18224a4d89d6ecc5f in . ',
    '/bin/sh -c #(nop) COPY file:884aa0f5151668c2fd339dda28542f0d1b0ad5b1f2de736bfab3705eb5f1db70 in /x/ ',
    '/bin/sh -c #(nop) ADD file:4ef485485b8412a637335b16c6c65234399e416fc8d2f676335bbef8a4600bf9 in /y ',
    '/bin/sh -c #(nop) USER 1000',
    '/bin/sh -c #(nop) EXPOSE 80/tcp 90',
    '/bin/sh -c #(nop) VOLUME /data',
    '/bin/sh -c #(nop) ENTRYPOINT ["/a", "b c"]',
    '/bin/sh -c #(nop) CMD run me',
    '/bin/sh -c #(nop) STOPSIGNAL SIGTERM',
    '/bin/sh -c #(nop) HEALTHCHECK CMD x',
  ];
  const first = [2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18];
  assert.equal(
    linesOf(match(dockerfile, history)),
    first.map(line => [line, line === 5 ? 6 : line]),
    'a stage that is built upon another one has the steps of both',
  );
});

test('here-documents', () => {
  const dockerfile = `FROM alpine
RUN <<EOF
apk add curl
# a comment of the script
apk add jq
EOF
RUN <<-EOF
\tmake
\tEOF
RUN <<EOF
#!/usr/bin/python3
print(1)
EOF
RUN python3 <<EOF > /out
print(2)
EOF
COPY <<EOF /etc/app.conf
key = value
EOF
`;
  const history = [
    'RUN /bin/sh -c apk add curl\n# a comment of the script\napk add jq\n # buildkit',
    'RUN /bin/sh -c make\n # buildkit',
    'RUN /dev/pipes/EOF # buildkit',
    'RUN /bin/sh -c python3 <<EOF > /out\nprint(2)\nEOF # buildkit',
    'COPY EOF /etc/app.conf # buildkit',
  ];
  assert.equal(linesOf(match(dockerfile, history)), [
    [2, 6],
    [7, 9],
    [10, 13],
    [14, 16],
    [17, 19],
  ]);
});

test('stages: the last one, or the one that was built', () => {
  const dockerfile = `FROM golang AS build
RUN go build
FROM alpine AS run
COPY --from=build /app /app
FROM build AS tests
RUN go test
FROM run
USER app
`;
  assert.equal(linesOf(match(dockerfile, ['COPY /app /app # buildkit', 'USER app'])), [
    [4, 4],
    [8, 8],
  ]);
  const tests = [
    'ADD rootfs / # buildkit',
    'RUN /bin/sh -c go build # buildkit',
    'RUN /bin/sh -c go test # buildkit',
  ];
  assert.equal(linesOf(match(dockerfile, tests, 'TESTS')), [null, [2, 2], [6, 6]]);
  assert.equal(linesOf(match(dockerfile, tests.slice(0, 2), '0')), [null, [2, 2]]);
  assert.is(stageIndex(parseDockerfile(dockerfile), 'nothing'), -1);
});

test('variables, JSON forms, another escape character, another shell', () => {
  const dockerfile = `# escape=\`
FROM alpine
SHELL ["/usr/bin/python3", "-c"]
RUN print(1)
COPY ["a b", "\${DIR}/c d"]
COPY $SRC/x /opt/$NAME/bin/
RUN ["tool", "an argument"]
ENTRYPOINT exec \`
  server
`;
  const history = [
    'SHELL [/usr/bin/python3 -c]',
    'RUN /usr/bin/python3 -c print(1) # buildkit',
    'COPY a b /data/c d # buildkit',
    'COPY src/x /opt/app/bin/ # buildkit',
    'RUN tool an argument # buildkit',
    'ENTRYPOINT ["/usr/bin/python3" "-c" "exec   server"]',
  ];
  assert.equal(linesOf(match(dockerfile, history)), [
    [3, 3],
    [4, 4],
    [5, 5],
    [6, 6],
    [7, 7],
    [8, 9],
  ]);
});

test('what is not the history of the image is said, and where', () => {
  const dockerfile = 'FROM alpine\nRUN make\nCOPY a /b\n';
  assert.is(
    linesOf(match(dockerfile, ['RUN /bin/sh -c make all # buildkit', 'COPY a /b # buildkit'])),
    'line 2: expected RUN make, found RUN make all',
  );
  assert.is(
    linesOf(match(dockerfile, ['COPY a /c # buildkit'])),
    'line 3: expected COPY a /b, found COPY a /c',
  );
  assert.is(
    linesOf(match(dockerfile, ['COPY a /b # buildkit'])),
    'line 2 (RUN make) has no step: the history has 1 and ends before it',
  );
  assert.is(
    linesOf(match(dockerfile, [null])),
    'line 3: expected COPY a /b, found a step without created_by',
  );
  assert.match(
    String(linesOf(match('FROM scratch\nCOPY a /b\n', ['COPY x /y # buildkit', 'COPY a /b # buildkit']))),
    'FROM scratch',
  );
  assert.is(
    linesOf(match(dockerfile, [])),
    'line 3 (COPY a /b) has no step: the history has 0 and ends before it',
  );
});

test('the first difference is printed without secrets', () => {
  const [mine, theirs] = [githubToken(), githubToken()];
  const cases = [
    [
      `RUN curl -H "Authorization: Bearer ${mine}" x`,
      `RUN /bin/sh -c curl -H "Authorization: Bearer ${theirs}" x`,
    ],
    [`ENV GH_TOKEN=${mine}`, `ENV OTHER_TOKEN=${theirs}`],
    [`ENV GH_TOKEN ${mine}`, `ENV OTHER_TOKEN=${theirs}`],
    [`CMD ["run", "--token", "${mine}"]`, `CMD ["run" "--tokens" "${theirs}"]`],
  ] as const;
  for (const [instruction, createdBy] of cases) {
    const told = String(linesOf(match(`FROM scratch\n${instruction}\n`, [createdBy])));
    assert.match(told, 'line 2: expected ');
    for (const secret of [mine, theirs]) assert.not.match(told, secret.slice(0, 12));
    assert.not.match(String(linesOf(match(`FROM scratch\n${instruction}\n`, []))), mine.slice(0, 12));
  }
});

test('nothing that a Dockerfile or a history holds is a bug', () => {
  const text = fc.array(
    fc.oneof(hostileText, fc.constantFrom('FROM a', 'RUN b \\', 'COPY <<E /x', 'E', '# c')),
    {
      maxLength: 8,
    },
  );
  alwaysSync(fc.tuple(text, fc.array(hostileText, { maxLength: 5 })), 300, ([lines, history]) => {
    const parsed = parseDockerfile(`FROM a\n${lines.join('\n')}`);
    const found = matchHistory(parsed, stageIndex(parsed, undefined), history.map(entry));
    if ('steps' in found) assert.is(found.steps.length, history.length);
  });
});

test.run();
