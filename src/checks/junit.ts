import { createReadStream } from 'node:fs';
import { SaxesParser } from 'saxes';
import { errorMessage } from '../errors.ts';
import { oneLine } from './text.ts';

/** One test as a JUnit report tells it; `seconds` is null when the report gives no usable time. */
export type JunitCase = {
  name: string;
  status: 'passed' | 'failed' | 'skipped';
  seconds: number | null;
  /** What failed, or why it was skipped; '' otherwise. */
  message: string;
};

export type Junit = {
  cases: JunitCase[];
  /** Where the report contradicts itself, in words; bounded. */
  lies: string[];
};

/** A report of which nothing can be believed: not XML, cut off, too big. */
export class UnreadableReport extends Error {}

const limits = { bytes: 32 * 1024 * 1024, cases: 50_000, depth: 40, attributes: 1_000, lies: 5 };
const maxName = 200;
const maxMessage = 300;

/** Reads a JUnit XML file as a stream; `redact` takes secrets out of its texts. Throws `UnreadableReport`. */
export async function readJunit(
  path: string,
  redact: (text: string) => string,
  signal: AbortSignal,
): Promise<Junit> {
  const { parser, finish } = junitParser((text, max) => oneLine(redact(text), max));
  const stream = createReadStream(path, { encoding: 'utf8', signal });
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += Buffer.byteLength(chunk);
      if (bytes > limits.bytes) throw new UnreadableReport(`it is over ${limits.bytes >> 20} MiB`);
      parser.write(chunk);
    }
    if (bytes === 0) throw new UnreadableReport('it is empty');
    parser.close();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UnreadableReport) throw error;
    throw new UnreadableReport(oneLine(errorMessage(error)));
  } finally {
    stream.destroy();
  }
  return finish();
}

/** What a `testsuite` (or the root) says of itself, and what is really in it. */
type Suite = {
  name: string;
  declared: { tests: number | undefined; broken: number | undefined };
  /** Tests in it, at any depth; and children right below it, for dialects that count those. */
  tests: number;
  children: number;
  /** Failed tests, their failure elements, those with an `error`, and failed children. */
  failed: number;
  failures: number;
  errors: number;
  failedChildren: number;
};

type OpenCase = JunitCase & { failures: number; errors: number };

/** Foreign text on one line, without secrets. */
type Clean = (text: string, max: number) => string;

function junitParser(clean: Clean): { parser: SaxesParser; finish: () => Junit } {
  const parser = new SaxesParser({});
  const cases: JunitCase[] = [];
  const lies: string[] = [];
  const suites: Suite[] = [];
  let open: OpenCase | undefined;
  let depth = 0;
  let attributes = 0;
  let collecting = false;

  // No DTD, so no entity but XML's own five.
  parser.on('doctype', () => {
    throw new UnreadableReport('it has a document type with definitions of its own');
  });
  parser.on('opentagstart', ({ name }) => {
    attributes = 0;
    depth += 1;
    if (depth > limits.depth) throw new UnreadableReport(`it is nested deeper than ${limits.depth} elements`);
    if (depth === 1 && name !== 'testsuites' && name !== 'testsuite')
      throw new UnreadableReport(`it is no JUnit report: its root is <${oneLine(name, 40)}>`);
  });
  parser.on('attribute', () => {
    attributes += 1;
    if (attributes > limits.attributes)
      throw new UnreadableReport(`an element has over ${limits.attributes} attributes`);
  });
  parser.on('opentag', ({ name, attributes: given }) => {
    if (name === 'testsuites' || name === 'testsuite') suites.push(openSuite(given, clean));
    else if (name === 'testcase') {
      if (cases.length >= limits.cases) throw new UnreadableReport(`it has over ${limits.cases} tests`);
      open = openCase(given, clean);
    } else if (open && (name === 'failure' || name === 'error' || name === 'skipped')) {
      mark(open, name, clean(given['message'] ?? '', maxMessage));
      collecting = open.message === '';
    }
  });
  const collect = (text: string) => {
    if (open && collecting && open.message === '') open.message = clean(text.trimStart(), maxMessage);
  };
  parser.on('text', collect);
  parser.on('cdata', collect);
  parser.on('closetag', ({ name }) => {
    depth -= 1;
    collecting = false;
    if (name === 'testcase' && open) {
      for (const suite of suites) countCase(suite, open);
      const parent = suites.at(-1);
      if (parent) countChild(parent, open.status === 'failed');
      const { name: called, status, seconds, message } = open;
      cases.push({ name: called, status, seconds, message });
      open = undefined;
    }
    if (name !== 'testsuites' && name !== 'testsuite') return;
    const suite = suites.pop();
    if (!suite) return;
    const parent = suites.at(-1);
    if (parent) countChild(parent, suite.failed > 0);
    if (lies.length < limits.lies) lies.push(...contradictions(suite));
  });
  return { parser, finish: () => ({ cases, lies }) };
}

type Attributes = Record<string, string>;

function openSuite(given: Attributes, clean: Clean): Suite {
  const failures = countIn(given['failures']);
  const errors = countIn(given['errors']);
  const broken = failures === undefined && errors === undefined ? undefined : (failures ?? 0) + (errors ?? 0);
  return {
    name: clean(given['name'] ?? '', 80),
    declared: { tests: countIn(given['tests']), broken },
    ...{ tests: 0, children: 0, failed: 0, failures: 0, errors: 0, failedChildren: 0 },
  };
}

function openCase(given: Attributes, clean: Clean): OpenCase {
  const group = clean(given['classname'] ?? '', maxName);
  const name = clean(given['name'] ?? '', maxName) || '(no name)';
  const status = /^(notrun|skipped|disabled)$/i.test(given['status'] ?? '') ? 'skipped' : 'passed';
  return {
    // Some runners repeat the group in the name.
    name: group && !`${name} `.startsWith(`${group} `) ? oneLine(`${group} › ${name}`, maxName) : name,
    status,
    seconds: secondsIn(given['time']),
    ...{ message: '', failures: 0, errors: 0 },
  };
}

function mark(open: OpenCase, name: 'failure' | 'error' | 'skipped', message: string): void {
  if (name !== 'skipped') {
    open.failures += 1;
    // What failed is said, not why an earlier try was skipped.
    if (open.status !== 'failed') open.message = '';
    open.status = 'failed';
  } else if (open.status === 'passed') open.status = 'skipped';
  if (name === 'error') open.errors += 1;
  if (open.message === '') open.message = message;
}

function countCase(suite: Suite, { status, failures, errors }: OpenCase): void {
  suite.tests += 1;
  if (status === 'failed') suite.failed += 1;
  suite.failures += failures;
  if (errors > 0) suite.errors += 1;
}

function countChild(suite: Suite, failed: boolean): void {
  suite.children += 1;
  if (failed) suite.failedChildren += 1;
}

/**
 * Counts of a header that no way of counting gives. Runners differ: Node counts children, pytest counts a test whose
 * teardown fails too once but reports it twice, some count failures and some failed tests.
 */
function contradictions(suite: Suite): string[] {
  const { declared, tests, children, errors, failed, failures, failedChildren } = suite;
  const of = suite.name ? ` of "${suite.name}"` : '';
  const testsAgree =
    declared.tests === undefined ||
    declared.tests === children ||
    (declared.tests <= tests && declared.tests >= tests - errors);
  const brokenAgree =
    declared.broken === undefined || [failed, failures, failedChildren].includes(declared.broken);
  return [
    ...(testsAgree ? [] : [`the header${of} tells ${declared.tests} tests, and ${tests} are in it`]),
    ...(brokenAgree ? [] : [`the header${of} tells ${declared.broken} failures, and ${failed} tests failed`]),
  ];
}

function countIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Some runners write thousands with a comma. */
function secondsIn(text: string | undefined): number | null {
  const plain = text?.replaceAll(',', '') ?? '';
  return /^\d{1,9}(\.\d+)?(e-\d{1,2})?$/i.test(plain) ? Number(plain) : null;
}
