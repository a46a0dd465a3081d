import { type Config, parseConfig } from '../../src/config/load.ts';
import { ConfigError, type ConfigProblem } from '../../src/config/problem.ts';

export function parse(text: string, env: Record<string, string> = {}): Config {
  return parseConfig(text, { path: '/home/me/app/sluice.yaml', shown: 'sluice.yaml', env });
}

/** What a text is refused for; none when it is accepted. */
export function problemsOf(act: () => unknown): readonly ConfigProblem[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** A problem on one line: `3:5 services.chat.prot: unknown key "prot" · found … · allowed … · → port`. */
export function short(problem: ConfigProblem): string {
  const { line, column, path, message, found, allowed, suggestion } = problem;
  return [
    `${line}:${column} ${path}: ${message}`,
    ...(found === undefined ? [] : [`found ${found}`]),
    ...(allowed === undefined ? [] : [`allowed ${allowed}`]),
    ...(suggestion === undefined ? [] : [`→ ${suggestion}`]),
  ].join(' · ');
}

/** A config with this under `services: {chat: …}` from line 2 on, and a staging and a production. */
export function withService(lines: string): string {
  return `services:\n  chat:\n${lines.replaceAll(/^/gm, '    ')}
environments:
  staging: { project: chat-staging, region: us-central1, e2e: true }
  production: { project: chat-production, region: us-central1 }
`;
}
