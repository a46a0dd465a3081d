import type { ManualCheck } from '../config/check-spec.ts';
import type { CheckContext, CheckOutcome, PersonsAnswer } from './context.ts';
import { oneLine } from './text.ts';

/** A question that a person answers, for one revision with one digest. */
export async function checkManual(spec: ManualCheck, context: CheckContext): Promise<CheckOutcome> {
  const answers = (await context.answers()).filter(({ item }) => item === spec.id);
  return judgeAnswers(spec, answers, context, context.signCommand(spec.id));
}

/** Pure: the newest answer for this very revision and digest decides; an answer for another one is void. */
export function judgeAnswers(
  { id, question }: Pick<ManualCheck, 'id' | 'question'>,
  answers: readonly PersonsAnswer[],
  subject: { revision: string; digest: string },
  signCommand: string,
): CheckOutcome {
  const own = answers.filter(({ item }) => item === id);
  const valid = own.findLast(
    ({ revision, digest }) => revision === subject.revision && digest === subject.digest && digest !== '',
  );
  const asked = oneLine(question);
  if (valid) {
    const verb = valid.outcome === 'passed' ? 'yes' : 'no';
    return { status: valid.outcome, final: true, reason: `${asked} ${verb}, ${accountOf(valid)}` };
  }
  const last = own.at(-1);
  const void_ = last ? ` (void: ${last.outcome} for ${whatOf(last, subject)}, ${accountOf(last)})` : '';
  return {
    status: 'pending',
    reason: `${asked} nobody has answered for ${subject.revision}${void_}`,
    next: signCommand,
  };
}

/** `"fluent" says ada@example.com (ada), 2026-11-27T08:00:00Z`. */
function accountOf({ note, by, at }: PersonsAnswer): string {
  const who = by.git || by.account || 'somebody';
  const account = by.account && by.account !== who ? ` (${oneLine(by.account, 80)})` : '';
  return `says ${oneLine(who, 80)}${account}, ${oneLine(at, 30)}: "${oneLine(note)}"`;
}

function whatOf(answer: PersonsAnswer, subject: { revision: string }): string {
  return answer.revision === subject.revision ? 'another digest' : oneLine(answer.revision, 80);
}
