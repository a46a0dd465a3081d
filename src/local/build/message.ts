import type { BuildOrder } from './order.ts';

/** The Build message as it was sent, with what its substitutions have made of it. */
export function messageWith(message: Record<string, unknown>, { steps, images, tags }: BuildOrder) {
  const sent: unknown[] = Array.isArray(message['steps']) ? message['steps'] : [];
  return {
    ...message,
    steps: steps.map(({ sent: fields }, index) => ({ ...asObject(sent[index]), ...fields })),
    ...(images.length > 0 && { images, artifacts: { ...asObject(message['artifacts']), images } }),
    tags,
    options: { logging: 'LEGACY', ...asObject(message['options']) },
  };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
