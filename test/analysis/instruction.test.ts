// History steps as builders write them, and the lines of a Dockerfile that they came from.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dockerfileLine } from '../../src/analysis/instruction.js';

const HASH = '0767bf50b01383f2a4ddf0f1d0cf4f7823f5a902e20a9deff27cb5b33d9c7063';

const LINES: Readonly<Record<string, string>> = {
  // BuildKit
  'RUN /bin/sh -c apk add curl # buildkit': 'RUN apk add curl',
  'RUN |1 TARGETARCH=amd64 /bin/sh -c echo hi # buildkit': 'RUN echo hi',
  'RUN |2 A=one two B=/bin/x /bin/sh -c make  all # buildkit': 'RUN make all',
  'RUN /bin/bash -o pipefail -c curl x | sh -c true # buildkit': 'RUN curl x | sh -c true',
  'RUN /bin/bash -euxo pipefail -c make # buildkit': 'RUN make',
  'RUN /bin/busybox --install -s /bin # buildkit': 'RUN /bin/busybox --install -s /bin',
  'RUN |1 A=1 make install # buildkit': 'RUN make install',
  'RUN /bin/sh -c echo "# buildkit" # buildkit': 'RUN echo "# buildkit"',
  'COPY --chown=app app/run.sh /app/run.sh # buildkit': 'COPY --chown=app app/run.sh /app/run.sh',
  'WORKDIR /app': 'WORKDIR /app',
  'CMD ["/bin/sh" "-c" "exit 1"]': 'CMD ["/bin/sh" "-c" "exit 1"]',
  'RUN powershell -Command $ErrorActionPreference = 1; Get-Item x # buildkit':
    'RUN $ErrorActionPreference = 1; Get-Item x',
  // The classic builder, buildah
  '/bin/sh -c apt-get update && apt-get install -y x': 'RUN apt-get update && apt-get install -y x',
  '|1 V=2 /bin/sh -c make': 'RUN make',
  '/bin/bash -c true': 'RUN true',
  'cmd /S /C dir C:\\': 'RUN dir C:\\',
  'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -NoProfile -Command ls': 'RUN ls',
  '/bin/sh -c #(nop)  CMD ["sh"]': 'CMD ["sh"]',
  '/bin/sh -c #(nop) WORKDIR /data': 'WORKDIR /data',
  'cmd /S /C #(nop)  ENV A=1': 'ENV A=1',
  [`/bin/sh -c #(nop) ADD file:${HASH} in / `]: `ADD file:${HASH} /`,
  [`/bin/sh -c #(nop) COPY --chown=1:1 multi:${HASH} in /in/place/ `]: `COPY --chown=1:1 multi:${HASH} /in/place/`,
  '/bin/sh -c #(nop) COPY dir:jars in . ': 'COPY dir:jars in .',
  // kaniko writes Dockerfile lines, other builders any text
  'RUN apk add curl': 'RUN apk add curl',
  'bazel build ...': 'bazel build ...',
  'bash is not run here': 'bash is not run here',
  'sh -x install.sh': 'sh -x install.sh',
  'ssh -c aes host': 'ssh -c aes host',
  apko: 'apko',
  '': '',
};

for (const [createdBy, line] of Object.entries(LINES)) {
  test(createdBy === '' ? 'nothing' : createdBy.slice(0, 60), () => {
    assert.is(dockerfileLine(createdBy), line);
  });
}

test('several lines become one', () => {
  assert.is(
    dockerfileLine('/bin/sh -c set -e; \\\n\tmake; \\\n\tmake install'),
    'RUN set -e; \\ make; \\ make install',
  );
});

test('a megabyte of any text is processed quickly', () => {
  const started = Date.now();
  for (const hostile of ['|9 a=', '|9 sh -x ', 'sh -a ', '/bin/sh -c #(nop) COPY a:', 'RUN |1 /']) {
    dockerfileLine(hostile.repeat(200_000));
    dockerfileLine(hostile + 'sh '.repeat(300_000));
    dockerfileLine(hostile + '/'.repeat(1_000_000));
    dockerfileLine(`${hostile}${'a:0 in '.repeat(100_000)}`);
  }
  assert.ok(Date.now() - started < 10_000, `${Date.now() - started} ms`);
});

test.run();
