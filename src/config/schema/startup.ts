import { z } from 'zod';
import { duration, list, map, oneOf, section, text } from './text.ts';

/** The formats that Sluice knows by name; `src/startup/presets.ts` describes them. */
export const presetNames = ['field-report', 'key-value', 'json'] as const;

const says = oneOf([
  'phase-started',
  'phase-completed',
  'phase-failed',
  'phase-timing',
  'system',
  'total',
  'complete',
  'listening',
]).describe('What a matching line says.');

const LineRule = section({
  says,
  pattern: text('a regular expression').describe(
    'A regular expression over one line, with the named groups name, seconds, ms, status, detail.',
  ),
  flags: text('flags such as i').describe('Flags of the expression, such as i.').exactOptional(),
  contains: text().describe('A word that every matching line holds; it saves time.').exactOptional(),
  name: text().describe('The name, where the line has none of its own.').exactOptional(),
});

const JsonRule = section({
  says,
  where: map(z.string(), text()).describe('Dotted field → the value it must have; * is any value.'),
  fields: section({
    name: text().describe('The field with the name.').exactOptional(),
    seconds: text().describe('The field with the seconds.').exactOptional(),
    ms: text().describe('The field with the milliseconds.').exactOptional(),
    status: text().describe('The field with the status.').exactOptional(),
    detail: text().describe('The field with the detail.').exactOptional(),
  }).describe('Which dotted field carries what; a|b takes the first that is there.'),
});

const Format = section({
  name: text().describe('What to call this format.'),
  lines: list(LineRule).describe('Rules for lines of text.').default([]),
  json: list(JsonRule).describe('Rules for structured entries.').default([]),
  statusWords: section({
    healthy: list(text()).describe('Words for healthy.'),
    degraded: list(text()).describe('Words for degraded.'),
    failed: list(text()).describe('Words for failed.'),
  })
    .describe('What the words of a status mean, in lower case.')
    .exactOptional(),
});

const FormatOrPreset = z.union([z.enum(presetNames), Format], {
  error: `${presetNames.join(', ')}, or a format of your own {name, lines, json}`,
});

const names = () => list(text('a name'));

export const Startup = section({
  formats: list(FormatOrPreset)
    .describe(
      'How the startup lines look: names of presets, or rules of your own. Without them, every preset.',
    )
    .default([]),
  phases: names().describe('Phases that must complete before the start counts.').default([]),
  systems: section({
    required: names().describe('Systems that must be reported healthy.').default([]),
    optional: names().describe('Systems that are shown and may be degraded.').default([]),
  })
    .describe('The critical systems that the service reports.')
    .prefault({}),
  budgets: section({
    total: duration().describe('Time for the whole start.').exactOptional(),
    phases: map(z.string(), duration()).describe('Time by phase.').default({}),
  })
    .describe('How long the start may take.')
    .prefault({}),
  quiet: duration()
    .describe('Quiet time after the last good news, in which late log lines may arrive.')
    .prefault('2s'),
  deadline: duration().describe('How long the start may take before Sluice gives up.').prefault('5m'),
}).describe('What the logs must show before a revision counts as started.');
