import { expect, test } from 'vitest';
import { markdownReport } from '../../src/report/markdown/page.ts';
import { fenced } from '../../src/report/markdown/text.ts';
import { bad, fold, good, hostileRelease, withSuite } from './written.ts';

const headings = (text: string): string[] => text.split('\n').filter((line) => /^#+ /.test(line));

test('a success has the sections that people wrote by hand, in their order', () => {
  const text = markdownReport(good());
  expect(headings(text)).toEqual([
    '# Validation report: deploy to staging',
    '## chat',
    '### Deployment details',
    '### Equivalent gcloud command',
    '### Service status',
    '### Startup performance',
    '### Critical systems',
    '### Findings',
    '### Tests',
    '## Validation criteria',
    '## Risk',
    '## Recommendation',
  ]);
  expect(text).toContain('| `DEPENDENCIES` | 1.410 s | 72 % | ✅ completed | 1.410 s | +0.000 s |');
  expect(text).toContain('The release before (`20250531T120000-staging-wxyz`) took 2.500 s.');
  expect(text).toContain('**Ready: all 2 conditions are met**');
});

test('the phases of a suite stand in a table', () => {
  const text = markdownReport(withSuite());
  expect(text).toContain('**e2e, candidate: phases**');
  expect(text).toContain('| `api` | ❌ failed | 2 | 1 | 0 | 4.20 s | `1 of 3 tests failed` |');
  expect(text).toContain('| `ui` | ⏭️ skipped | 0 | 0 | 0 | – | `not run, for api failed` |');
});

test('a failure says what failed, and recommends nothing', () => {
  const text = markdownReport(bad());
  expect(text).toContain('- **Status**: failed, rolled back to the former traffic');
  expect(text).toContain("- **Cause**: `No module named 'app.tools.search'`");
  expect(text).toContain('**Not ready: 2 of 2 conditions are not met**');
  // The traffic never moved, so nobody would have typed that.
  expect(text).toContain('gcloud run deploy chat');
  expect(text).not.toContain('update-traffic');
});

test('what was not measured does not stand in it', () => {
  const text = markdownReport(fold([]));
  expect(headings(text)).toEqual([
    '# Validation report: release to an unknown environment',
    '## Recommendation',
  ]);
  expect(text).toContain('the record ends before the release did');
});

test('foreign text is code everywhere: no markup, mention or closing word comes of it', () => {
  const text = markdownReport(hostileRelease());
  const withoutCode = text.replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '').replace(/`[^`\n]*`/g, '');
  for (const sign of ['<script', '<img', '@octocat', 'closes #1', '\u001b', '\u202e']) {
    expect(withoutCode).not.toContain(sign);
  }
  expect(text).not.toMatch(/[\u0000\u001b\u202e]/);
  // Every row of a table has the cells of its head.
  for (const table of text.match(/(?:^\|.*\n)+/gm) ?? []) {
    const widths = table
      .trim()
      .split('\n')
      .map((line) => line.split(' | ').length);
    expect(new Set(widths).size).toBe(1);
  }
});

test('a fence cannot be closed from within', () => {
  expect(fenced('a\n````\nb', 'text')).toEqual(['`````text', 'a', '````', 'b', '`````', '']);
});
