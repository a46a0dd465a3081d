/** The fields that a URL's path binds, by their paths in the request, for example `service.name`. */
export type BoundFields = Record<string, string>;

// One star is one segment, two are any number of them; source: google/api/http.proto.
/** The path of an HTTP rule, for example `/v1/{name=projects}/operations:cancel`, as a matcher. */
export function compileTemplate(template: string): (path: string) => BoundFields | undefined {
  const fields: string[] = [];
  const pattern = template.replaceAll(
    /\{([\w.]+)(?:=([^}]+))?\}|([^{}]+)/g,
    (_, field: string | undefined, segments = '*', literal = '') => {
      if (field === undefined) return segmentsPattern(literal);
      fields.push(field);
      return `(${segmentsPattern(segments)})`;
    },
  );
  const whole = new RegExp(`^${pattern}$`);
  return (path) => {
    const match = whole.exec(path);
    return match
      ? Object.fromEntries(fields.map((field, index) => [field, match[index + 1] ?? '']))
      : undefined;
  };
}

function segmentsPattern(segments: string): string {
  return segments.replaceAll(/\*\*|\*|[^*]+/g, (part) => {
    if (part === '**') return '.+';
    // A colon begins the custom verb, which belongs to no segment.
    if (part === '*') return '[^/:]+';
    return part.replaceAll(/[$^.|?*+()[\]{}\\]/g, '\\$&');
  });
}
