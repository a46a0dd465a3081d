import { execFileSync } from 'node:child_process';

/** The subprocess tests drive dist, so it is built from the very sources under test. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] });
}
