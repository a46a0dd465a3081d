/** So much longer than its timeout a program may take to be ended. */
export const killSeconds = 3;

/** How long the entry of a request may take to reach the request log. */
export const requestsLateSeconds = { google: 30, local: 2 } as const;
