import { releaseDocument } from './json.ts';
import type { ReleaseReport } from './release-report.ts';

export const formats = ['md', 'html', 'json', 'junit'] as const;
export type Format = (typeof formats)[number];

/** A release's report as one document; each format is loaded when it is asked for. */
export async function render(report: ReleaseReport, format: Format): Promise<string> {
  switch (format) {
    case 'md':
      return (await import('./markdown/page.ts')).markdownReport(report);
    case 'html':
      return (await import('./html/page.ts')).htmlReport(report);
    case 'json':
      return `${JSON.stringify(releaseDocument(report.state), null, 2)}\n`;
    case 'junit':
      return (await import('./junit.ts')).junitReport(report);
  }
}
