import { nameOf } from '../gate/people.ts';
import type { ApprovedRelease } from '../release/approve.ts';
import { shortDigest } from '../terminal/format.ts';
import { mark } from '../terminal/marks.ts';
import { sanitiseLine } from '../terminal/sanitise.ts';
import type { Theme } from '../terminal/theme.ts';
import { field } from './layout.ts';

/** An approval for a person: what was approved, and by whom by now. */
export function approvedLines({ approval, services, approvals }: ApprovedRelease, theme: Theme): string[] {
  const { release, note, by } = approval;
  return [
    `${mark('done', theme)} ${theme.strong(`${release} is approved by ${sanitiseLine(nameOf(by))}`)}`,
    ...field('note', note ? [sanitiseLine(note)] : [], theme),
    ...services.flatMap(({ service, revision, digest }) =>
      field(service, revision ? [`${revision}  ${theme.dim(shortDigest(digest ?? ''))}`] : [], theme),
    ),
    ...field(
      'approvals',
      approvals.map(
        ({ at, by: each }) => `${at.slice(0, 16).replace('T', ' ')}  ${sanitiseLine(nameOf(each))}`,
      ),
      theme,
    ),
  ];
}
