import type { BuildRecord } from './record.ts';
import type { StepOutcome } from './steps/run.ts';
import type { Phase, Tools } from './worker.ts';

/** Writes into the record of a running build which phase it is in, and what its steps do. */
export class Progress implements NonNullable<Tools['observer']> {
  private readonly record: BuildRecord;
  private readonly changed: () => void;

  constructor(record: BuildRecord, changed: () => void) {
    this.record = record;
    this.changed = changed;
  }

  phase(phase: Phase): void {
    const start = Date.now();
    this.endPhases(start);
    this.record.timing[phase] = { start };
  }

  started(index: number): void {
    this.record.steps[index] = { status: 'WORKING', span: { start: Date.now() } };
    this.changed();
  }

  ended(index: number, { status, exitCode }: StepOutcome): void {
    const start = this.record.steps[index]?.span?.start ?? Date.now();
    this.record.steps[index] = {
      status,
      span: { start, end: Date.now() },
      ...(exitCode !== undefined && { exitCode }),
    };
    this.changed();
  }

  /** Steps that an ended build never came to stay QUEUED, or were cancelled with it. */
  end(status: BuildRecord['status']): void {
    this.endPhases(Date.now());
    if (status !== 'CANCELLED') return;
    this.record.steps = this.record.steps.map((step) =>
      step.status === 'QUEUED' ? { ...step, status: 'CANCELLED' } : step,
    );
  }

  private endPhases(end: number): void {
    for (const span of Object.values(this.record.timing)) span.end ??= end;
  }
}
