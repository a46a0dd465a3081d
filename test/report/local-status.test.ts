import { expect, test } from 'vitest';
import { localStatusLines } from '../../src/report/local-status.ts';
import { plainTheme } from '../../src/terminal/theme.ts';

test('a thousand services fill no more than a screen: those that are not ready, and how many more there are', () => {
  const services = Array.from({ length: 1000 }, (_, n) => ({
    ...{ service: `s${n}`, uri: `http://127.0.0.1:${27_000 + n}` },
    ready: n % 400 !== 399,
  }));
  const about = {
    ...({ state: 'running', home: '/home', port: 1, pid: 2 } as const),
    idleTimeout: { seconds: 900 },
  } as const;
  const latency = { profile: 'none', factor: 1 } as const;
  const lines = localStatusLines({ ...about, latency, services }, plainTheme);
  const names = lines.flatMap((line) => /\b(s\d+) {2}http/.exec(line)?.[1] ?? []);
  expect(names).toEqual(['s399', 's799', ...Array.from({ length: 18 }, (_, n) => `s${n}`)]);
  expect(lines.at(-1)).toMatch(/and 980 more, all ready: sluice local status --json/);
  expect(
    localStatusLines({ ...about, latency, services: services.slice(0, 20) }, plainTheme).join('\n'),
  ).toContain('s19');
});
