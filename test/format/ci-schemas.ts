// What readers of CI formats demand, in words of our own: the published schemas are not in any package of the registry.

const text = { type: 'string' } as const;
const strict = (properties: Record<string, unknown>, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const list = (items: unknown, more: Record<string, unknown> = {}) => ({ type: 'array', items, ...more });

const message = strict({ text }, ['text']);
const level = { enum: ['none', 'note', 'warning', 'error'] };
/** A URI reference (RFC 3986): only its own characters, and whole percent signs. */
const uri = {
  type: 'string',
  minLength: 1,
  pattern: "^(?:[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=-]|%[0-9A-F]{2})+$",
};
const index = { type: 'integer', minimum: 0 };
const multiformat = strict({ text, markdown: text }, ['text']);

/** The parts of SARIF 2.1.0 that waybill writes, and GitHub's limits of them. */
export const SARIF = strict(
  {
    $schema: { type: 'string', pattern: '^https://' },
    version: { const: '2.1.0' },
    runs: list(
      strict(
        {
          tool: strict(
            {
              driver: strict(
                {
                  name: text,
                  version: text,
                  semanticVersion: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' },
                  rules: list(
                    strict(
                      {
                        id: { type: 'string', minLength: 1 },
                        name: { type: 'string', pattern: '^\\w+$' },
                        shortDescription: multiformat,
                        fullDescription: multiformat,
                        help: multiformat,
                        defaultConfiguration: strict({ level }, []),
                        properties: strict(
                          {
                            tags: list(text, { uniqueItems: true, maxItems: 20 }),
                            'problem.severity': { enum: ['error', 'warning', 'recommendation'] },
                          },
                          [],
                        ),
                      },
                      ['id', 'shortDescription', 'fullDescription', 'help'],
                    ),
                    { uniqueItems: true, maxItems: 25_000 },
                  ),
                },
                ['name', 'rules'],
              ),
            },
            ['driver'],
          ),
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          artifacts: list(
            strict(
              {
                location: strict({ uri }, ['uri']),
                parentIndex: index,
                roles: list({ enum: ['analysisTarget'] }, { uniqueItems: true }),
              },
              ['location'],
            ),
            { uniqueItems: true },
          ),
          results: list(
            strict(
              {
                ruleId: text,
                ruleIndex: index,
                level,
                message,
                locations: list(
                  strict(
                    {
                      physicalLocation: strict(
                        {
                          artifactLocation: strict({ uri, index }, ['uri']),
                          region: strict(
                            {
                              startLine: { type: 'integer', minimum: 1 },
                              endLine: { type: 'integer', minimum: 1 },
                            },
                            ['startLine'],
                          ),
                        },
                        ['artifactLocation'],
                      ),
                      logicalLocations: list(strict({ fullyQualifiedName: text, kind: text }, []), {
                        uniqueItems: true,
                        minItems: 1,
                      }),
                    },
                    ['physicalLocation'],
                  ),
                  { minItems: 1, maxItems: 1000 },
                ),
                partialFingerprints: {
                  type: 'object',
                  additionalProperties: { type: 'string', pattern: '^[0-9a-f]{64}$' },
                  required: ['primaryLocationLineHash'],
                },
              },
              ['ruleId', 'ruleIndex', 'level', 'message', 'locations', 'partialFingerprints'],
            ),
            { maxItems: 25_000 },
          ),
          invocations: list(
            strict(
              {
                executionSuccessful: { type: 'boolean' },
                exitCode: { enum: [0, 1, 2] },
                toolExecutionNotifications: list(strict({ level, message }, ['message'])),
              },
              ['executionSuccessful'],
            ),
          ),
        },
        ['tool', 'results'],
      ),
      { minItems: 1, maxItems: 20 },
    ),
  },
  ['version', 'runs'],
);

/** A code quality report of GitLab. */
export const GITLAB = list(
  strict(
    {
      description: { type: 'string', minLength: 1 },
      check_name: { type: 'string', minLength: 1 },
      fingerprint: { type: 'string', minLength: 1 },
      severity: { enum: ['info', 'minor', 'major', 'critical', 'blocker'] },
      location: strict(
        {
          path: { type: 'string', minLength: 1, pattern: '^(?!\\./)' },
          lines: strict({ begin: { type: 'integer', minimum: 1 } }, ['begin']),
        },
        ['path', 'lines'],
      ),
    },
    ['description', 'check_name', 'fingerprint', 'severity', 'location'],
  ),
);

/** Reports of tests as the xunit plugin of Jenkins takes them from JUnit: elements, attributes and their order. */
export const JUNIT = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:complexType name="outcome">
    <xs:simpleContent>
      <xs:extension base="xs:string">
        <xs:attribute name="type" type="xs:string"/>
        <xs:attribute name="message" type="xs:string"/>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
  <xs:element name="testcase">
    <xs:complexType>
      <xs:sequence>
        <xs:choice minOccurs="0" maxOccurs="unbounded">
          <xs:element name="skipped" type="outcome"/>
          <xs:element name="error" type="outcome"/>
          <xs:element name="failure" type="outcome"/>
          <xs:element name="system-out" type="xs:string"/>
          <xs:element name="system-err" type="xs:string"/>
        </xs:choice>
      </xs:sequence>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="classname" type="xs:string"/>
      <xs:attribute name="time" type="xs:decimal"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="testsuite">
    <xs:complexType>
      <xs:sequence>
        <xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element name="system-out" type="xs:string" minOccurs="0"/>
        <xs:element name="system-err" type="xs:string" minOccurs="0"/>
      </xs:sequence>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="failures" type="xs:nonNegativeInteger"/>
      <xs:attribute name="errors" type="xs:nonNegativeInteger"/>
      <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
    </xs:complexType>
  </xs:element>
  <xs:element name="testsuites">
    <xs:complexType>
      <xs:sequence>
        <xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="name" type="xs:string"/>
      <xs:attribute name="tests" type="xs:nonNegativeInteger"/>
      <xs:attribute name="failures" type="xs:nonNegativeInteger"/>
      <xs:attribute name="errors" type="xs:nonNegativeInteger"/>
    </xs:complexType>
  </xs:element>
</xs:schema>
`;
