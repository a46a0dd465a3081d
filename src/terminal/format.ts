import prettyMilliseconds from 'pretty-ms';

/** `0.21 s`, `14.1 s`, `2m 5s`; an unknown time is a dash. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds >= 99.95) return prettyMilliseconds(Math.round(seconds) * 1000);
  return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
}

/** As precise as logs tell it, for columns of phases: `14.084 s`. */
export function formatThousandths(seconds: number | null): string {
  return seconds === null ? '–' : `${seconds.toFixed(3)} s`;
}

/** `12 ms`, `1.3 s`, `2m 5s`. */
export function formatMilliseconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : formatSeconds(milliseconds / 1000);
}

/** A share of 0–1 as `72 %`; unknown gives ''. */
export function formatShare(share: number | null): string {
  return share === null ? '' : `${Math.round(share * 100)} %`;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of at most `width` columns; what is there but small is still seen. */
export function bar(share: number | null, width: number): string {
  if (share === null || share <= 0) return '';
  const steps = Math.max(1, Math.round(Math.min(share, 1) * width * 8));
  return '█'.repeat(Math.floor(steps / 8)) + (eighths[steps % 8] ?? '');
}

/** `sha256:0123456789ab`: enough to tell two images apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1');
}

/** `12:03:41` of an RFC 3339 time, UTC. */
export function clock(at: string): string {
  return at.slice(11, 19);
}

/** Widths of the columns in front of a stage's note: its name and its time. */
export const stageColumns = { name: 9, time: 7 };
