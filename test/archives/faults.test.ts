// Archives from public bug reports and from other projects: sound ones, and ones that engines refuse.
import { test } from 'uvu';
import { caseFiles, judge } from '../support/case-files.js';
import { NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';

const cases = caseFiles('faults');
const run = testWhen(test, cases.length > 0, NO_SHARED_FOLDER);
if (cases.length === 0) run('faults', () => {});

for (const one of cases) run(`${one.name}: ${one.expected.why}`, () => judge(one));

test.run();
