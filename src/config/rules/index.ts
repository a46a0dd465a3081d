import type { Fault } from '../issues.ts';
import * as checkOptions from './check-options.ts';
import * as checklist from './checklist.ts';
import * as container from './container.ts';
import * as programs from './programs.ts';
import * as rollout from './rollout.ts';
import type { Rule, Subject } from './rule.ts';
import * as startup from './startup.ts';
import * as variables from './variables.ts';
import * as websocket from './websocket.ts';

/** What must hold across keys. Each rule is named for what it demands. */
const rules: readonly Rule[] = [
  variables.e2eOnlyWhereAllowed,
  variables.envNamesNotReserved,
  variables.secretsAndEnvDisjoint,
  variables.cloudSqlNamesAnInstance,
  container.serviceNameLength,
  container.minNotAboveMax,
  container.cpuMemoryPairs,
  container.partOfCpuServesOneRequest,
  container.requestTimeoutWithinAnHour,
  startup.phasesInBudgetsAreKnown,
  startup.namesNotRepeated,
  startup.formatPatternsCompile,
  rollout.rolloutEndsAt100,
  checklist.uniqueCheckIds,
  checklist.checksHaveAStage,
  checklist.checkPathsAbsolute,
  checklist.latencyHasOnePercentile,
  checklist.logChecksLookForSomething,
  checklist.logPatternsCompile,
  programs.predeployAsksNoRevision,
  programs.suiteHasACommandOrPhases,
  programs.programVariablesNotReserved,
  programs.outputPatternsCompile,
  programs.importsNameTheirPackages,
  websocket.messagesExpectSomething,
  websocket.measuredMessagesHaveEvents,
  websocket.messageTypesDistinct,
  websocket.tokenHasOneSource,
  checkOptions.checkEnvironmentsExist,
  checkOptions.knownFailuresEndOnADay,
  checkOptions.onlyWhatAsksAnewRepeats,
];

export function applyRules(subject: Subject): Fault[] {
  return rules.flatMap((rule) => rule(subject));
}
