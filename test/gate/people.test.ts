import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Approved, judgeApprovals, type Said } from '../../src/gate/people.ts';

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
