/** How Sluice's own requests call themselves: they are no sign that somebody else reached the service. */
export const ownAgent = 'sluice-check';
