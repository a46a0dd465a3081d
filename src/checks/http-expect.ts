import type { HttpCheck } from '../config/check-spec.ts';
import { lookUp } from './json-path.ts';
import { oneLine } from './text.ts';

export type Answer = {
  status: number;
  headers: Headers;
  /** Decoded text, cut at the bound. */
  body: string;
  truncated: boolean;
  /** Milliseconds from sending to the body's last byte. */
  ms: number;
};

/** What an answer lacks, each as expected and found; empty when it is as expected. */
export function unmet(answer: Answer, expect: HttpCheck['expect']): string[] {
  const problems: string[] = [];
  if (!expect.status.includes(answer.status))
    problems.push(`expected status ${expect.status.join(' or ')}, found ${answer.status}`);
  for (const [name, part] of Object.entries(expect.headers)) {
    const found = answer.headers.get(name);
    if (found === null) problems.push(`expected header ${name} to contain "${part}", it is missing`);
    else if (!found.includes(part))
      problems.push(`expected header ${name} to contain "${part}", found "${oneLine(found)}"`);
  }
  return [...problems, ...unmetJson(answer, expect.json)];
}

function unmetJson(answer: Answer, expected: HttpCheck['expect']['json']): string[] {
  const assertions = Object.entries(expected);
  if (assertions.length === 0) return [];
  if (answer.truncated) return ['expected JSON, found a body over 1 MiB'];
  let document: unknown;
  try {
    document = JSON.parse(answer.body);
  } catch {
    return [`expected JSON, found ${answer.body === '' ? 'an empty body' : `"${oneLine(answer.body, 80)}"`}`];
  }
  return assertions.flatMap(([path, value]) => {
    const found = lookUp(document, path);
    const wanted = `expected ${path} to be ${JSON.stringify(value)}`;
    if (!found.found) {
      const above = found.above === '' ? 'the body' : oneLine(found.above);
      return [`${wanted}, but ${above} has no "${found.missing}" (found ${oneLine(found.instead)})`];
    }
    return found.value === value ? [] : [`${wanted}, found ${oneLine(JSON.stringify(found.value))}`];
  });
}
