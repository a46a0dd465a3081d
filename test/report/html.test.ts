import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { htmlReport } from '../../src/report/html/page.ts';
import { ticks } from '../../src/report/html/waterfall.ts';
import { bad, fold, good, hostileRelease, withSuite } from './written.ts';

test('foreign text is escaped, and nothing is fetched', async () => {
  const html = await htmlReport(hostileRelease());
  expect(html).not.toMatch(/<script|<img|[\u0000\u001b\u202e]/);
  expect(html).toContain('&lt;script&gt;');
  expect(html).toContain("default-src 'none'");
  expect(html.match(/(?:src|href)="(?!http:\/\/127)[^"]+"/g)).toBeNull();
});

test('the phases of a suite stand in a table', async () => {
  const html = await htmlReport(withSuite());
  expect(html).toContain('<h3>e2e, candidate: phases</h3>');
  expect(html).toMatch(/<code>ui<\/code>.*skipped.*not run, for api failed/);
});

test('an empty record is a page that says so', async () => {
  expect(await htmlReport(fold([]))).toContain('the record ends before the release did');
});

test('ticks are round and few', () => {
  expect(ticks(19.5)).toEqual([0, 5, 10, 15]);
  expect(ticks(0.178)).toEqual([0, 0.05, 0.1, 0.15]);
  expect(ticks(5)).toEqual([0, 1, 2, 3, 4, 5]);
});

const browser = '/usr/bin/chromium';

// Needs Debian's chromium; without it these are reported as skipped.
describe.skipIf(!existsSync(browser))('in a browser', () => {
  let folder: string;
  let close: () => Promise<void>;
  let open: (
    html: string,
    scheme?: 'dark' | 'light',
  ) => Promise<{ page: Page; asked: string[]; dialogs: number }>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-html-'));
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
    ];
    const engine = await chromium.launch({ executablePath: browser, args });
    close = () => engine.close();
    open = async (html, scheme = 'light') => {
      const page = await engine.newPage({ viewport: { width: 1200, height: 800 }, colorScheme: scheme });
      const seen = { page, asked: [] as string[], dialogs: 0 };
      page.on('request', (request) => seen.asked.push(request.url()));
      page.on('dialog', (dialog) => {
        seen.dialogs += 1;
        void dialog.dismiss();
      });
      const file = join(folder, 'report.html');
      await writeFile(file, html);
      await page.goto(`file://${file}`);
      return seen;
    };
  });
  afterAll(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });

  test('runs nothing of a hostile log and asks the network for nothing', async () => {
    const seen = await open(await htmlReport(hostileRelease()));
    expect(seen.dialogs).toBe(0);
    expect(seen.asked).toHaveLength(1);
    expect(await seen.page.locator('script, img, iframe').count()).toBe(0);
  });

  test('shows the waterfall, the traffic and the checks, in dark and light, without a sideways scroll', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await open(await htmlReport(good()), scheme);
      expect(await page.locator('svg rect.bar').count()).toBe(3);
      expect(await page.getByRole('img', { name: 'Traffic over time' }).count()).toBe(1);
      expect(await page.getByText('p95 8 ms over 20 samples').count()).toBe(1);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      const [ink, paper] = await page.evaluate<[string, string]>(
        '[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]',
      );
      expect(brightness(ink) > brightness(paper)).toBe(scheme === 'dark');
    }
  });

  test('a failure says its cause first, and prints on paper', async () => {
    const { page } = await open(await htmlReport(bad()));
    expect(await page.locator('section').first().innerText()).toContain("No module named 'app.tools.search'");
    const paper = await page.pdf();
    expect(paper.subarray(0, 4).toString()).toBe('%PDF');
  });
});

function brightness(rgb: string): number {
  return (rgb.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
}
