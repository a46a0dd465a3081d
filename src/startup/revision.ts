import { FindingBook, type Severity } from './findings.ts';
import { Instance } from './instance.ts';
import { compareTimes } from './time.ts';

/** Instances kept apart; older ones only count. */
const maxInstances = 32;
const maxAnnounced = 256;

/** All that is known of one revision. */
export class Revision {
  readonly service: string;
  readonly name: string;
  readonly instances = new Map<string, Instance>();
  /** What older instances left behind. */
  readonly past = { findings: new FindingBook(), exits: 0, diedCompleted: false };
  readyTrueAt: string | null = null;
  readyFalseAt: string | null = null;
  /** The Cloud SQL socket that its lines name. */
  sqlSocket: string | null = null;
  /** A path that was answered with success: the smallest, so that the order does not matter. */
  answered: string | null = null;
  overflowed = false;
  readonly #announced = new Map<string, Severity>();

  constructor(service: string, name: string) {
    this.service = service;
    this.name = name;
  }

  /** The entry's instance; the oldest one makes room, and what came from before it counts for the past. */
  instance(id: string, at: string): Instance {
    const known = this.instances.get(id);
    if (known) {
      known.seen(at);
      return known;
    }
    const added = new Instance(at);
    this.instances.set(id, added);
    if (this.instances.size > maxInstances) this.#retireOldest();
    return added;
  }

  /** Whether the finding is to be told: for the first time, or now as fatal. */
  announce(key: string, severity: Severity): boolean {
    const told = this.#announced.get(key);
    if (told === severity || told === 'fatal' || (told === 'error' && severity === 'warning')) return false;
    if (told === undefined && this.#announced.size >= maxAnnounced) return false;
    this.#announced.set(key, severity);
    return true;
  }

  #retireOldest(): void {
    let oldest: [string, Instance] | undefined;
    for (const one of this.instances)
      if (!oldest || compareTimes(one[1].firstAt, oldest[1].firstAt) < 0) oldest = one;
    if (!oldest) return;
    const [id, instance] = oldest;
    this.instances.delete(id);
    this.past.exits += instance.badExits.length;
    this.past.diedCompleted ||= instance.badExits.length > 0 && instance.completion !== null;
    for (const noted of instance.allFindings().all) {
      const orderly = noted.category === 'exit' && !noted.fatal && instance.badExits.length === 0;
      if (!orderly) this.past.findings.merge(noted, noted.severity);
    }
    this.overflowed ||= instance.findings.overflowed;
  }
}
