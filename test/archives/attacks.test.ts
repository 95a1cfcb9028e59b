// Archives that waybill and an engine could interpret differently, made by others.
import { test } from 'uvu';
import { caseFiles, judge } from '../support/case-files.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';

const cases = caseFiles('attacks');
const run = testWhen(test, cases.length > 0, NO_SHARED_FOLDER);
if (cases.length === 0) run('attacks', () => {});

for (const one of cases) run(`${one.name}: ${one.expected.why}`, () => judge(one));

test.run();
