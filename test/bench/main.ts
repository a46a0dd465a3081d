// `npm run bench`: every performance claim as a ratio or a figure measured in this one run.
import { type Claim, median } from './claim.ts';
import { benchDeploys } from './deploys.ts';
import { main, wallOf } from './process.ts';
import { benchStartup } from './startup.ts';

function benchVersion(): Claim {
  const ratios: number[] = [];
  for (let round = 0; round < 15; round++) ratios.push(wallOf([main, '--version']) / wallOf(['-e', '0']));
  const value = median(ratios);
  return { name: 'sluice --version', value, unit: '× node -e 0', target: '≤ 1.3', met: value <= 1.3 };
}

let missed = 0;
for (const bench of [benchVersion, benchDeploys, benchStartup]) {
  const claims: Claim[] = [await bench()].flat();
  for (const claim of claims) {
    const value = Number.isInteger(claim.value) ? claim.value.toLocaleString('en') : claim.value.toFixed(2);
    console.log(`${claim.met ? '✔' : '✖'} ${claim.name}: ${value} ${claim.unit} (${claim.target})`);
    if (claim.detail) console.log(`    ${claim.detail}`);
    if (!claim.met) missed++;
  }
}
process.exitCode = missed > 0 ? 1 : 0;
