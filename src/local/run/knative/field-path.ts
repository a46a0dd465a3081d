import { type FieldPath, formatPath } from '../spec-error.ts';
import { type AnnotatedField, serviceAnnotations, templateAnnotations } from './annotations.ts';
import { cloudSqlInstances, cpuBoost, cpuThrottling } from './from-knative.ts';

/** Where a field of the model's spec stands in a Knative Service. */
export function knativePath(path: FieldPath): string {
  const [head, ...rest] = path;
  if (head === 'template') return templatePath(rest);
  if (head === 'traffic')
    return formatPath(['spec', ...path.map((key) => (key === 'revision' ? 'revisionName' : key))]);
  if (head === 'serviceId') return 'metadata.name';
  if (head === 'labels' || head === 'annotations') return formatPath(['metadata', ...path]);
  return annotationPath(serviceAnnotations, path, 'metadata') ?? formatPath(path);
}

function templatePath(path: FieldPath): string {
  const [head, ...rest] = path;
  const metadata = 'spec.template.metadata';
  switch (head) {
    case undefined:
      return 'spec.template';
    case 'revision':
      return `${metadata}.name`;
    case 'labels':
    case 'annotations':
      return `${metadata}.${formatPath(path)}`;
    case 'containers':
    case 'volumes': {
      const annotation = path.map((key) => ownAnnotations.get(key)).find((name) => name !== undefined);
      if (annotation) return `${metadata}.annotations[${annotation}]`;
      return formatPath(['spec', 'template', 'spec', head, ...innerPath(rest)]);
    }
    default: {
      const name = specNames.get(head);
      if (name) return `spec.template.spec.${name}`;
      return annotationPath(templateAnnotations, path, metadata) ?? `spec.template.spec.${formatPath(path)}`;
    }
  }
}

const specNames = new Map<PropertyKey, string>([
  ['timeout', 'timeoutSeconds'],
  ['serviceAccount', 'serviceAccountName'],
  ['maxInstanceRequestConcurrency', 'containerConcurrency'],
]);

/** What the model has in a container or a volume, and Knative in the template's annotations. */
const ownAnnotations = new Map<PropertyKey, string>([
  ['cpuIdle', cpuThrottling],
  ['startupCpuBoost', cpuBoost],
  ['cloudSqlInstance', cloudSqlInstances],
]);

/** Within containers and volumes: the model's words for secrets are Google's v2 ones. */
function innerPath(path: FieldPath): PropertyKey[] {
  const words: Record<string, string> = path.includes('secretKeyRef')
    ? { valueSource: 'valueFrom', secret: 'name', version: 'key' }
    : path.includes('valueSource')
      ? { valueSource: 'valueFrom' }
      : path[1] === 'secret'
        ? { version: 'key' }
        : {};
  return path.map((key, index) =>
    path[1] === 'secret' && index === 2 && key === 'secret' ? 'secretName' : (words[String(key)] ?? key),
  );
}

function annotationPath(
  table: readonly AnnotatedField[],
  path: FieldPath,
  metadata: string,
): string | undefined {
  const field = formatPath(path);
  const found = table.find((each) => each.field === field || each.field.startsWith(`${field}.`));
  return found && `${metadata}.annotations[${found.annotation}]`;
}
