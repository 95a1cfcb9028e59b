// The page of `report --output x.html` in a browser, from disk.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { overview, overviewReadOptions } from '../../src/commands/report.js';
import { toHtml } from '../../src/format/html.js';
import { outputFor } from '../../src/format/outputs.js';
import type { Doc, FileMap } from '../../src/report/doc.js';
import { readArchive } from '../../src/report/read.js';
import { testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

/** Debian's chromium; playwright's own builds need its servers. */
const CHROMIUM = '/usr/bin/chromium';
const browserTest = suite('report in a browser');
const test = testWhen(browserTest, existsSync(CHROMIUM), 'chromium is not installed');

const HOSTILE = '</script><img src=x onerror=alert(1)>';
/** A name has no slash, so the file is in a directory called `<`. */
const HOSTILE_NAME = 'script><img src=x onerror=alert(1)>';

let browser: Browser;
let folder: string;

browserTest.before(async () => {
  folder = temporary('browser');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
browserTest.after(() => browser?.close());

interface Opened {
  readonly page: Page;
  /** Errors on the console, in scripts and of the policy, dialogs, and requests for anything but the page itself. */
  readonly troubles: readonly string[];
}

async function open(html: string, width = 1100): Promise<Opened> {
  const file = join(folder, 'report.html');
  writeFileSync(file, html);
  const url = pathToFileURL(file).href;
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  const troubles: string[] = [];
  page.on('console', message => troubles.push(`console: ${message.text()}`));
  page.on('pageerror', error => troubles.push(`error: ${error.message}`));
  page.on('request', request => {
    if (request.url() !== url && request.url() !== 'data:,') troubles.push(`request: ${request.url()}`);
  });
  page.on('dialog', async dialog => {
    troubles.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(url);
  return { page, troubles };
}

async function fullReport(): Promise<string> {
  const built = await image({
    layers: [
      {
        files: {
          'usr/lib/big.so': 'B'.repeat(60_000),
          'usr/bin/tool': 'T'.repeat(30_000),
          'etc/conf': 'C'.repeat(9000),
          [HOSTILE]: 'H'.repeat(20_000),
        },
        createdBy: `COPY ${HOSTILE} / # buildkit`,
      },
      { files: { 'etc/conf': 'D'.repeat(9000) }, createdBy: 'RUN configure' },
    ],
  });
  const members = await dockerSave25({ image: built, tags: ['shop:1'] });
  const reading = await readArchive(saved(await toTar(members)), overviewReadOptions);
  return outputFor('report.html')!(overview(reading));
}

const tile = (page: Page, label: string) => page.locator(`.map [role=button][aria-label^="${label}"]`);
const crumbs = (page: Page) => page.locator('.crumbs button').allTextContents();

test('the page shows every part, runs no other script and makes no request', async () => {
  const { page, troubles } = await open(await fullReport());
  assert.equal(await page.locator('h2').allTextContents(), ['Verification', 'Layers', 'Files', 'Waste']);
  assert.match((await page.locator('main').textContent()) ?? '', 'RUN configure');
  assert.ok((await page.locator('.bar rect').count()) >= 2);
  assert.ok((await page.locator('.map .tile').count()) >= 4);
  assert.is(await page.locator('img').count(), 0);
  assert.match((await page.locator('.legend').textContent()) ?? '', HOSTILE);
  await page.locator('.files button', { hasText: '</' }).click();
  assert.equal(await crumbs(page), ['/', '<']);
  assert.match(await page.locator('.files').innerText(), HOSTILE_NAME);
  assert.equal(troubles, []);
  await page.close();
});

test('the map zooms with the mouse and with the keyboard', async () => {
  const { page, troubles } = await open(await fullReport());
  await tile(page, '/usr:').locator('text').first().click();
  assert.equal(await crumbs(page), ['/', 'usr']);
  await tile(page, '/usr/lib:').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  assert.equal(await crumbs(page), ['/', 'usr', 'bin']);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await crumbs(page), ['/']);
  await tile(page, '/etc:').focus();
  assert.match((await page.locator('.status').textContent()) ?? '', '/etc: 9 kB');
  // The focus can enter and leave the map with the keyboard.
  await page.locator('.search').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.is(await page.locator('.map :focus').count(), 1);
  await page.keyboard.press('Tab');
  assert.is(await page.locator('.map :focus').count(), 0);
  assert.equal(troubles, []);
  await page.close();
});

test('the search finds names and paths, and shows the results', async () => {
  const { page, troubles } = await open(await fullReport());
  await page.locator('.search').fill('BIG');
  assert.is(await page.locator('.status').textContent(), '1 found, 60 kB');
  assert.equal(await page.locator('.files button').allTextContents(), ['/usr/lib/big.so']);
  assert.ok((await page.locator('.tile.out').count()) > 0);
  await page.locator('.files button').click();
  assert.equal(await crumbs(page), ['/', 'usr', 'lib']);
  await page.locator('.search').fill('usr/b');
  assert.equal(await page.locator('.files button').allTextContents(), ['/usr/bin/']);
  await page.locator('.search').fill('/usr/bin/');
  assert.equal(await page.locator('.files button').allTextContents(), ['/usr/bin/tool']);
  await page.locator('.search').fill('');
  assert.is(await page.locator('.tile.out').count(), 0);
  assert.equal(troubles, []);
  await page.close();
});

test('the page fits a phone, and has a dark style', async () => {
  const { page, troubles } = await open(await fullReport(), 360);
  const wide = 'document.documentElement.scrollWidth';
  assert.is(await page.evaluate(wide), 360);
  const colour = 'getComputedStyle(document.body).backgroundColor';
  const light = await page.evaluate(colour);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.is.not(await page.evaluate(colour), light);
  // After a rotation the map is drawn again.
  await page.setViewportSize({ width: 800, height: 360 });
  await page.waitForFunction('document.querySelector(".map").viewBox.baseVal.width > 700');
  assert.equal(troubles, []);
  await page.close();
});

test('empty files are listed', async () => {
  const map: FileMap = {
    names: ['a', 'b'],
    parents: [-1, 0],
    sizes: [0, 0],
    layers: [0, 0],
    layerNames: ['1'],
  };
  const { page, troubles } = await open(toHtml([{ kind: 'map', map }], 'empty'));
  assert.is(await page.locator('.tile').count(), 0);
  await page.locator('.files button').click();
  assert.equal(await page.locator('.files button').allTextContents(), ['b']);
  assert.equal(troubles, []);
  await page.close();
});

/** 1,000 directories of 100 files, beside one directory of 20,000 and a chain of 3,000. */
function manyFiles(): FileMap {
  const names: string[] = [];
  const parents: number[] = [];
  const sizes: number[] = [];
  const add = (parent: number, name: string, size: number) => {
    parents.push(parent);
    sizes.push(size);
    return names.push(name) - 1;
  };
  for (let i = 0; i < 1000; i++) {
    const directory = add(-1, `package-${i}`, 0);
    for (let j = 0; j < 100; j++) add(directory, `file-${i}-${j}.js`, (i * 31 + j * 17) % 5000);
  }
  const flat = add(-1, 'flat', 0);
  for (let i = 0; i < 20_000; i++) add(flat, `object-${i}`, 300);
  let deep = add(-1, 'deep', 0);
  for (let i = 0; i < 3000; i++) deep = add(deep, `level-${i}`, 1000);
  return { names, parents, sizes, layers: names.map(() => 0), layerNames: ['layer 1: RUN npm ci'] };
}

test('100,000 files are drawn, zoomed and searched, with a bounded number of shapes', async () => {
  const doc: Doc = [{ kind: 'map', map: manyFiles() }];
  const { page, troubles } = await open(toHtml(doc, 'many'));
  const shapes = async () => page.locator('.map .tile').count();
  assert.ok((await shapes()) > 100 && (await shapes()) < 10_000, `${await shapes()} shapes`);
  assert.match(await page.locator('.files').innerText(), 'and 802 more');
  await page.locator('.search').fill('file-777-42');
  assert.match((await page.locator('.status').textContent()) ?? '', /^1 found, /);
  await page.locator('.files button').click();
  assert.equal(await crumbs(page), ['/', 'package-777']);
  await page.locator('.search').fill('level-2999');
  await page.locator('.files button').click();
  assert.is((await crumbs(page)).length, 3001);
  await page.locator('.search').fill('object-');
  assert.match((await page.locator('.status').textContent()) ?? '', /^20000 found, 6 MB/);
  assert.ok((await page.locator('.files li').count()) < 1000);
  assert.equal(troubles, []);
  await page.close();
});

browserTest.run();
