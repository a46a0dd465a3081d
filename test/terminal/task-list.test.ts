import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';

const player = fileURLToPath(new URL('fixtures/play.ts', import.meta.url));
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;

/** Longer than a frame, so that each event is seen: both are timers of one process, so load changes nothing. */
const everyEventMs = 60;

/** Plays a release in a pseudo-terminal; its raw bytes. */
function play(kind: string, pauseMs = 1): string {
  const columns = 'stty cols 100 rows 40';
  return execFileSync(
    'script',
    ['-qfec', `${columns}; "${process.execPath}" "${player}" ${kind} ${pauseMs}`, '/dev/null'],
    {
      env: { ...process.env, TERM: 'xterm-256color', FORCE_COLOR: '1' },
      encoding: 'utf8',
    },
  );
}

/** The lines that stay on the screen: what comes after the last frame was cleared. */
function lastFrame(bytes: string): string[] {
  const text = stripVTControlCharacters(bytes.slice(bytes.lastIndexOf('\u001b[?25h', bytes.length - 10)));
  return text.replaceAll('\r', '').split('\n').filter(Boolean);
}

describe.skipIf(!hasScript)('the task list on a terminal (needs script of util-linux)', () => {
  test('one service: a row a stage, without restore', () => {
    const bytes = play('success', everyEventMs);
    expect(bytes).toContain('\u001b[');
    expect(lastFrame(bytes).slice(0, 8)).toEqual([
      '✔ observe     0.08 s   chat-r0 serves 100 %',
      '✔ preflight   0.21 s   6 checks',
      '✔ build       6.20 s   sha256:9f2c4d81e0a3',
      '✔ candidate   0.83 s   chat-r1 at 0 %, tagged candidate',
      '✔ startup     3.40 s   started in 1.96 s',
      '✔ checks      0.60 s   2 of 2 passed',
      '✔ traffic     1.20 s   100 % chat-r1',
      '✔ checklist   0.10 s   1 of 1 passed',
    ]);
    // While it ran, phases were bars and the build's last line was seen.
    const all = stripVTControlCharacters(bytes);
    expect(all).toMatch(/✔ DEPENDENCIES {2}█{24} +1\.410 s/);
    expect(all).toContain('exporting image');
  });

  test('a failing stage is red and says why; what was not reached takes no line', () => {
    const bytes = play('failure');
    expect(bytes).toMatch(/\u001b\[31mstartup +1\.30 s +No module named 'app\.tools\.search'\u001b\[39m/);
    const rows = lastFrame(bytes).slice(0, 6);
    expect(rows.slice(4)).toEqual([
      "✖ startup     1.30 s   No module named 'app.tools.search'",
      '✔ restore     0.70 s   chat-r0 serves 100 % again',
    ]);
    expect(rows.join('\n')).not.toContain('checklist');
  });

  test('several services: a row a service', () => {
    const rows = lastFrame(play('fleet')).slice(0, 3);
    expect(rows[0]).toMatch(/^✔ api {3}deployed +\S+ s {3}api-r1$/);
    expect(rows[1]).toMatch(/^✖ chat {2}startup +\S+ s {3}No module named 'app\.tools\.search'$/);
    expect(rows[2]).toMatch(/^✔ web {3}unchanged +\S+ s {3}nothing was changed$/);
  });
});
