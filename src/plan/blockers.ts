import type { LiveService } from '../cloud/ports/index.ts';
import { readMarks } from './marks.ts';
import type { Plan } from './plan.ts';
import { describeTraffic, ownTags, pinOf } from './traffic.ts';

/** What somebody else has placed and this release would move, each with the command that takes it over. */
export function foreignBlockers(
  live: LiveService,
  by: { service: string; takes: string | null; verb: string; command: string },
): Plan['blockers'] {
  const blockers: Plan['blockers'] = [];
  const next = [`${by.command} --take-over-traffic`];
  const pin = pinOf(live, readMarks(live.annotations));
  if (pin.kind === 'foreign') {
    blockers.push({
      what: `The traffic of ${by.service} is pinned by somebody else: ${describeTraffic(pin.traffic)}.`,
      why: `A ${by.verb} would move traffic that Sluice did not place.`,
      next,
    });
  }
  const tagged = live.traffic.find(({ tag }) => tag !== undefined && tag === by.takes);
  if (tagged && tagged.revision !== ownTags(live).get(tagged.tag ?? '')) {
    blockers.push({
      what: `The tag \`${tagged.tag}\` of ${by.service} is somebody else's: it names ${tagged.revision}.`,
      why: `A ${by.verb} would move it to its own candidate.`,
      next,
    });
  }
  return blockers;
}
