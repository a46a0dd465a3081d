import { defaultServiceAccountOf, projectNumberOf } from '../project-number.ts';
import { type BuildRequest, refused } from './schema.ts';

export type BuildPlace = { project: string; location: string; id: string };

const userKey = /^_[A-Z0-9_]+$/;
/** Of a trigger; empty without one, and whoever submits a build may set them. */
const triggerKeys = [
  ...['TRIGGER_NAME', 'TRIGGER_BUILD_CONFIG_PATH', 'REPO_NAME', 'REPO_FULL_NAME', 'BRANCH_NAME', 'TAG_NAME'],
  ...['REF_NAME', 'REVISION_ID', 'COMMIT_SHA', 'SHORT_SHA'],
];

/** Every value that a template of this build may name. Throws INVALID_ARGUMENT on a key that cannot be set. */
export function substitutionsOf(
  { substitutions }: BuildRequest,
  { project, location, id }: BuildPlace,
): Record<string, string> {
  const misnamed = Object.keys(substitutions).find((key) => !userKey.test(key) && !triggerKeys.includes(key));
  if (misnamed !== undefined) {
    throw refused(
      `invalid .substitutions field: substitution key "${misnamed}" does not respect format "^_[A-Z0-9_]+$" and is not an overridable built-in substitutions`,
    );
  }
  return {
    ...Object.fromEntries(triggerKeys.map((key) => [key, ''])),
    ...substitutions,
    PROJECT_ID: project,
    PROJECT_NUMBER: projectNumberOf(project),
    BUILD_ID: id,
    LOCATION: location,
    SERVICE_ACCOUNT_EMAIL: defaultServiceAccountOf(project),
  };
}

/**
 * Fills in templates, and remembers which keys they named. A user's key without a value is an error, or empty where
 * the build allows it (`loose`); any other unknown key always is one.
 */
export class Substitution {
  readonly values: Readonly<Record<string, string>>;
  private readonly loose: boolean;
  private readonly used = new Set<string>();

  constructor(values: Readonly<Record<string, string>>, options: { loose: boolean }) {
    this.values = values;
    this.loose = options.loose;
  }

  /** Replaces `$KEY`, `${KEY}` and `$$`. Throws INVALID_ARGUMENT with the key that is unknown. */
  readonly fill = (text: string): string =>
    text.replace(/\$(?:\$|\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))/g, (found, braced, plain) => {
      if (found === '$$') return '$';
      const key: string = braced ?? plain;
      this.used.add(key);
      const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined;
      if (value !== undefined) return value;
      if (!userKey.test(key))
        throw refused(`key in the template "${key}" is not a valid built-in substitution`);
      if (this.loose) return '';
      throw refused(`key in the template "${key}" is not matched in the substitution data`);
    });

  /** Throws INVALID_ARGUMENT when one of the caller's keys was never named. */
  checkAllUsed(keys: readonly string[]): void {
    const unused = keys.find((key) => !this.used.has(key));
    if (unused === undefined || this.loose) return;
    throw refused(`key "${unused}" in the substitution data is not matched in the template`);
  }
}
