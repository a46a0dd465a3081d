import type { ErrorShape } from '../config/check-spec.ts';
import { lookUp } from './json-path.ts';
import type { CheckResult } from './result.ts';

export type Component = NonNullable<CheckResult['components']>[number];

/** Foreign text made fit to be kept: one bounded line without secrets. */
export type Clean = (text: string, max?: number) => string;

const maxComponents = 50;
const deepest = 4;
const unnamed = '(not named)';

/**
 * The health of components as an error in a message tells it: the component that the error names, then those that
 * it lists, also lists within lists. One row a component.
 */
export function componentsOf(message: unknown, shape: ErrorShape, clean: Clean): Component[] {
  const envelope = envelopeOf(message, shape.at);
  const named = textAt(envelope, shape.component);
  const own = {
    code: textAt(envelope, shape.code),
    component: named || unnamed,
    message: typeof envelope === 'string' ? envelope : textAt(envelope, shape.message),
    status: textAt(envelope, 'status') || 'failed',
    details: textAt(envelope, 'details'),
  };
  const listed = listedIn(valueAt(envelope, shape.components), shape, 1);
  return distinct([enriched(own, listed), ...listed]).map((row) => cleaned(row, clean));
}

/** One row a component, whatever its name's case; the first word on it stands. */
export function distinct(rows: readonly Component[]): Component[] {
  const byName = new Map<string, Component>();
  for (const row of rows) {
    const key = row.component.toLowerCase();
    if (byName.size < maxComponents && !byName.has(key)) byName.set(key, row);
  }
  return [...byName.values()];
}

/** Without an error of its own at that field, the message is the error. */
function envelopeOf(message: unknown, at: string): unknown {
  const found = valueAt(message, at);
  return found === undefined || found === null ? message : found;
}

/** The error's own component often stands in its list too, where its status is told. */
function enriched(own: Component, listed: readonly Component[]): Component {
  const twin = listed.find(({ component }) => component.toLowerCase() === own.component.toLowerCase());
  if (!twin) return own;
  return {
    ...own,
    code: own.code || twin.code,
    status: twin.status || own.status,
    message: own.message || twin.message,
    details: own.details || twin.details || (own.message.includes(twin.message) ? '' : twin.message),
  };
}

function listedIn(list: unknown, shape: ErrorShape, depth: number): Component[] {
  if (typeof list !== 'object' || list === null || depth > deepest) return [];
  return Object.entries(list)
    .slice(0, maxComponents)
    .flatMap(([key, value]) => {
      const name = textAt(value, shape.component) || textAt(value, 'name');
      const row = rowOf(Array.isArray(list) ? name || unnamed : name || key, value, shape);
      return [row, ...listedIn(valueAt(value, shape.components), shape, depth + 1)];
    });
}

function rowOf(component: string, value: unknown, shape: ErrorShape): Component {
  // `{"redis": "degraded"}`: the status alone.
  if (typeof value !== 'object' || value === null)
    return { code: '', component, message: '', status: words(value), details: '' };
  return {
    code: textAt(value, shape.code) || textAt(value, 'error_code'),
    component,
    message: textAt(value, shape.message) || textAt(value, 'error'),
    status: textAt(value, 'status'),
    details: textAt(value, 'details'),
  };
}

function cleaned(row: Component, clean: Clean): Component {
  return {
    code: clean(row.code, 40),
    component: clean(row.component, 60),
    message: clean(row.message, 300),
    status: clean(row.status, 40),
    details: clean(row.details, 300),
  };
}

const valueAt = (value: unknown, path: string): unknown => {
  const found = lookUp(value, path);
  return found.found ? found.value : undefined;
};

const textAt = (value: unknown, path: string): string => words(valueAt(value, path));

function words(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deeply)';
  }
}
