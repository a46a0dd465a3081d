// `npm run bench`: every performance claim as a ratio or a figure measured in this one run.
import { type Claim, median } from './claim.ts';
import { benchDeploys } from './deploys.ts';
import { benchLogging } from './logging.ts';
import { main, wallOf } from './process.ts';
import { benchStartup } from './startup.ts';
import { benchState, growThousand } from './state.ts';

const rounds = 21;

function benchVersion(): Claim {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) ratios.push(wallOf([main, '--version']) / wallOf(['-e', '0']));
  const value = median(ratios);
  return { name: 'sluice --version', value, unit: '× node -e 0', target: '≤ 1.3', met: value <= 1.3 };
}

/** One line a claim, the measurements that it rests on below it. */
function show(claims: readonly Claim[]): void {
  const figures = claims.map(({ value, unit }) => {
    const shown = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2);
    return `${shown} ${unit}`;
  });
  const names = Math.max(...claims.map(({ name }) => name.length));
  const widest = Math.max(...figures.map((figure) => figure.length));
  for (const [index, { met, name, target, detail }] of claims.entries()) {
    const figure = (figures[index] ?? '').padStart(widest);
    console.log(`${met ? '✔' : '✖'} ${name.padEnd(names)}  ${figure}  ${target}`);
    for (const line of detail ?? []) console.log(`    ${line}`);
  }
}

const began = performance.now();
const claims: Claim[] = [];
const benchScale = () => benchLogging(growThousand);
for (const bench of [benchVersion, benchDeploys, benchStartup, benchState, benchScale])
  claims.push(...[await bench()].flat());
show(claims);
const missed = claims.filter(({ met }) => !met).length;
const seconds = Math.round((performance.now() - began) / 1000);
console.log(
  `${missed === 0 ? 'every claim is met' : `${missed} of ${claims.length} claims missed`} (${seconds} s)`,
);
process.exitCode = missed > 0 ? 1 : 0;
