/** What stands before an outcome; what nobody reported is in doubt, never good. */
export const signs = {
  completed: '✅',
  passed: '✅',
  healthy: '✅',
  failed: '❌',
  degraded: '⚠️',
  incomplete: '⚠️',
  'not-reported': '❔',
  skipped: '⏭️',
  inconclusive: '❔',
  pending: '⏳',
} as const;
