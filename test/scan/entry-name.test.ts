// Names of layer entries: conversion between bytes and text, and resolution to paths.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameBytes, nameText, rootedPath } from '../../src/scan/entries/name.js';
import { visible } from '../../src/visible.js';

const bytes = (text: string) => Buffer.from(text).toString('latin1');

test('UTF-8 is decoded', () => {
  for (const text of ['', 'plain', 'grüße', '日本語', '\u{1f40b}', '\ufeffmark', 'a\0b\n']) {
    assert.is(nameText(bytes(text)), text);
    assert.is(nameBytes(text), bytes(text));
  }
});

test('other bytes are distinguished, kept and shown', () => {
  const NAMES = [
    '\xff',
    '\xfe',
    'a\xffb',
    '\xc3',
    '\xc3\xbc\xc3',
    '\xed\xa0\x80',
    '\xc0\xaf',
    '\xf4\x90\x80\x80',
    '\x80'.repeat(5),
    '\xe2\x82',
  ];
  const texts = NAMES.map(nameText);
  assert.is(new Set(texts).size, NAMES.length);
  assert.equal(texts.map(nameBytes), NAMES);
  assert.is(nameText('a\xffb'), 'a\udcffb');
  assert.is(nameText('\xc3\xbc\xc3'), 'ü\udcc3');
  assert.is(visible(nameText('a\xffb')), 'a\\u{dcff}b');
});

test('every string of two bytes can be converted back', () => {
  for (let i = 0; i < 65536; i++) {
    const name = String.fromCharCode(i >> 8, i & 255);
    assert.is(nameBytes(nameText(name)), name);
  }
});

test('names are resolved to paths', () => {
  const LEADS: Readonly<Record<string, string>> = {
    '': '',
    '/': '',
    '.': '',
    './': '',
    '..': '',
    a: 'a',
    'a/': 'a',
    './a/b': 'a/b',
    '/a/b': 'a/b',
    'a//b': 'a/b',
    'a/./b': 'a/b',
    'a/../b': 'b',
    '../../a': 'a',
    'a/..': '',
    '.wh.a': '.wh.a',
    '.../..a/b..': '.../..a/b..',
    'a\\..\\b': 'a\\..\\b',
  };
  for (const [name, path] of Object.entries(LEADS)) assert.is(rootedPath(name), path, name);
});

test.run();
