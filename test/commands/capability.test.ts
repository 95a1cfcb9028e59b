// File capabilities as text.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { capabilityText } from '../../src/commands/files/rows.js';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const CASES: readonly (readonly [hex: string, text: string | null])[] = [
  ['01000002 00200000 00000000 00000000 00000000', 'cap_net_raw=ep'],
  ['00000002 00040000 00040000 00000000 00000000', 'cap_net_bind_service=ip'],
  ['01000002 00300000 00000000 00000000 00000000', 'cap_net_admin,cap_net_raw=ep'],
  ['01000002 00000000 00000000 80000000 00000000', 'cap_bpf=ep'],
  ['01000003 00200000 00000000 00000000 00000000 e8030000', 'cap_net_raw=ep [rootid=1000]'],
  ['00000001 00200000 00000000', 'cap_net_raw=p'],
  ['00000002 00000000 00000000 00000000 00000000', '='],
  ['00000002 00000000 00000000 00000080 00000000', 'cap_63=p'],
  // Cut short, with an unknown revision, empty.
  ['01000002 00200000', null],
  ['01000009 00200000 00000000 00000000 00000000', null],
  ['', null],
];

for (const [value, text] of CASES) {
  test(`${value} is ${text}`, () => {
    assert.is(capabilityText(hex(value)), text);
  });
}

test.run();
