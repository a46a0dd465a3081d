import { describeHold } from '../plan/hold.ts';
import { describeSchema } from '../plan/schema-note.ts';
import type { ReleaseState, ServiceState } from '../release/state.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import { signs, type Theme } from '../terminal/theme.ts';
import { retyped } from '../typed.ts';
import { field } from './layout.ts';

/** Where a rollback went and why, what it left out, and what it went past. */
export function rollbackFields({ rollback }: ServiceState, state: ReleaseState, theme: Theme): string[] {
  if (!rollback) return [];
  const { from, because, skipped, acceptedRisks } = rollback;
  const reason = state.started?.reason;
  const risks = acceptedRisks.map((schema) => sanitiseLine(describeSchema(schema))).join(', ');
  return [
    ...field('instead of', [from || 'a split of the traffic'], theme),
    ...field('because', [sanitiseLine(because)], theme),
    ...field('reason', reason ? [sanitiseLine(reason)] : [], theme),
    ...field('skipped', skipped.length > 0 ? [theme.warn(`${skipped.join(', ')} (--now)`)] : [], theme),
    ...field('schema', risks ? [theme.warn(`older than ${risks}: the risk was accepted`)] : [], theme),
  ];
}

/** That the traffic is held, and how to lift it; or whose hold was lifted. */
export function holdFields({ hold }: ServiceState, state: ReleaseState, theme: Theme): string[] {
  if (!hold) return [];
  const { command = '' } = state.started ?? {};
  if (hold.state === 'lifted') {
    return [
      ...field('was held', [sanitiseLine(describeHold(hold.hold))], theme),
      ...field('next', ['no traffic moved; the next deploy may move it'], theme),
    ];
  }
  return field(
    'held',
    [
      theme.warn('no deploy moves this traffic until the hold is lifted'),
      `${theme.accent(signs.next)} ${sanitiseLine(retyped(command, 'unpin'))}`,
    ],
    theme,
  );
}
