import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Approved,
  judgeApprovals,
  judgeSignature,
  type Said,
  type SignedItem,
} from '../../src/gate/people.ts';

const said = (git: string, account = ''): Said => ({ git, account });
const approvedBy = (...people: Said[]): Approved[] =>
  people.map((by) => ({ by, note: '', at: '2026-11-27T08:00:00Z' }));
const judge = (
  approvals: Approved[],
  wanted = { approvals: 1, selfApproval: false },
  deployer = said('ada@x.org'),
) => judgeApprovals('chat.approvals', wanted, { id: 'r1', deployer }, approvals, 'sluice approve r1');

describe('approvals', () => {
  test.each<[string, Approved[], number, boolean]>([
    ['nobody', [], 1, false],
    ['somebody else', approvedBy(said('bob@x.org')), 1, true],
    ['the deployer alone', approvedBy(said('ada@x.org')), 1, false],
    ['the deployer in capitals', approvedBy(said('Ada@X.org')), 1, false],
    ['the deployer and another', approvedBy(said('ada@x.org'), said('bob@x.org')), 1, true],
    ['one person twice', approvedBy(said('bob@x.org'), said('bob@x.org')), 2, false],
    [
      'one account under two names',
      approvedBy(said('bob@x.org', 'b@c.io'), said('eve@x.org', 'b@c.io')),
      2,
      false,
    ],
    [
      'one name with two accounts',
      approvedBy(said('bob@x.org', 'b@c.io'), said('bob@x.org', 'e@c.io')),
      2,
      false,
    ],
    [
      'names joined by a third entry',
      approvedBy(said('bob@x.org'), said('', 'b@c.io'), said('bob@x.org', 'b@c.io')),
      2,
      false,
    ],
    ['two people on one machine', approvedBy(said('bob@x.org', 'root'), said('eve@x.org', 'root')), 2, true],
    ['two people', approvedBy(said('bob@x.org'), said('eve@x.org')), 2, true],
  ])('by %s', (_, approvals, needed, enough) => {
    const condition = judge(approvals, { approvals: needed, selfApproval: false });
    expect(condition.met).toBe(enough);
    expect(condition.pending).toBe(enough ? undefined : true);
  });

  test('by whoever deployed it count when the gate says so', () => {
    expect(judge(approvedBy(said('ada@x.org')), { approvals: 1, selfApproval: true }).met).toBe(true);
  });

  test("by the deployer's account are the deployer's, whatever git says", () => {
    const deployer = said('ada@x.org', 'ada@cloud.io');
    const own = approvedBy(said('ghost@x.org', 'ada@cloud.io'));
    expect(judge(own, { approvals: 1, selfApproval: false }, deployer)).toMatchObject({
      met: false,
      pending: true,
      reason: 'r1 has 0 of 1 approvals; whoever deployed it does not count',
      remedy: 'sluice approve r1',
    });
  });

  test('do not depend on their order', () => {
    const person = fc.record({
      git: fc.constantFrom('', 'a@x', 'b@x', 'c@x'),
      account: fc.constantFrom('', 'root', '1@y', '2@y', '3@y'),
    });
    fc.assert(
      fc.property(fc.array(person), fc.integer({ min: 1, max: 4 }), (people, approvals) => {
        const wanted = { approvals, selfApproval: true };
        const reversed = judge(approvedBy(...people.toReversed()), wanted);
        expect(reversed.met).toBe(judge(approvedBy(...people), wanted).met);
      }),
    );
  });
});

describe('a signature', () => {
  const on = { revision: 'chat-r2', digest: 'sha256:aa' };
  const signature = (patch: Partial<SignedItem> = {}): SignedItem => ({
    ...{ item: 'looks', outcome: 'passed', note: 'fine', by: said('ada@x.org') },
    ...{ at: '2026-11-27T08:00:00Z', ...on, ...patch },
  });
  const judgeItem = (...signatures: SignedItem[]) =>
    judgeSignature('chat.signed.looks', 'looks', on, signatures, 'sluice sign staging looks --note "…"');

  test('for this very revision is met', () => {
    expect(judgeItem(signature())).toMatchObject({ met: true, reason: 'signed by ada@x.org: fine' });
  });

  test.each<[string, SignedItem[]]>([
    ['none', []],
    ['another item', [signature({ item: 'sounds' })]],
    ['another revision', [signature({ revision: 'chat-r1' })]],
    ['another digest', [signature({ digest: 'sha256:bb' })]],
  ])('is waited for: %s', (_, signatures) => {
    expect(judgeItem(...signatures)).toMatchObject({ met: false, pending: true });
  });

  test('for another revision is told to be void', () => {
    expect(judgeItem(signature({ revision: 'chat-r1' })).reason).toBe(
      'ada@x.org signed it for chat-r1; a new revision voids that',
    );
  });

  test('that says no blocks, until somebody signs again', () => {
    const no = judgeItem(signature(), signature({ outcome: 'failed', note: 'too slow' }));
    expect(no).toMatchObject({ met: false, reason: 'ada@x.org signed that it failed: too slow' });
    expect(no.pending).toBeUndefined();
    expect(judgeItem(signature({ outcome: 'failed' }), signature()).met).toBe(true);
  });
});
