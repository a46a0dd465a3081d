// Runs the phases in order and prints what they did, in the lines that Sluice's format `field-report` reads.
import { performance } from 'node:perf_hooks';
import { log } from './log.js';

const seconds = (ms) => `${(ms / 1000).toFixed(3)}s`;
const rule = '='.repeat(80);
const shortRule = '='.repeat(60);

export async function runStartup(app, phases) {
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  const timings = [];
  say(shortRule, 'DETERMINISTIC STARTUP SEQUENCE INITIATED', shortRule);

  for (const [index, { name, run }] of phases.entries()) {
    say(
      `🔄 PHASE TRANSITION → ${name}`,
      `   Started at: ${seconds(elapsed())} elapsed`,
      `PHASE ${index + 1}: ${name}`,
    );
    const phaseBegan = performance.now();
    try {
      await run();
    } catch (error) {
      log('CRITICAL', `❌ PHASE FAILED: ${name} - ${error.message}`);
      throw error;
    }
    const ms = performance.now() - phaseBegan;
    timings.push({ name, ms });
    say(`✅ PHASE COMPLETED: ${name} (${seconds(ms)})`);
  }

  report(timings, phases.length, elapsed(), app.systems);
}

function report(timings, phaseCount, total, systems) {
  say(rule, '🚀 DETERMINISTIC STARTUP SEQUENCE COMPLETED SUCCESSFULLY', rule);
  say(`✅ Total Time: ${seconds(total)}`, `✅ Phases Completed: ${timings.length}/${phaseCount}`);
  say('📊 PHASE TIMING BREAKDOWN:');
  for (const { name, ms } of timings) {
    say(`   ${name.padEnd(12)}: ${seconds(ms)} (${((100 * ms) / total).toFixed(1)}%)`);
  }
  say('🎯 CRITICAL SYSTEMS STATUS:');
  for (const [name, { ok, detail }] of systems) {
    log(ok ? 'INFO' : 'ERROR', `   ${`${name}:`.padEnd(14)}${ok ? '✅' : '❌'} ${detail}`);
  }
  const failed = [...systems.values()].some(({ ok }) => !ok);
  say(rule);
  if (failed) log('ERROR', '🔴 CHAT FUNCTIONALITY: IMPAIRED');
  else say('🟢 CHAT FUNCTIONALITY: FULLY OPERATIONAL');
  say(rule);
}

function say(...lines) {
  for (const line of lines) log('INFO', line);
}
