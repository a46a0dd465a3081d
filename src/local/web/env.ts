/** What a route knows of its request beside the request itself: `c.env` in Hono. */
export type WebEnv = {
  Bindings: {
    /** The region in the host that the request was sent to, when it came through the proxy. */
    location?: string;
    /** The local cloud asks itself: no fault is in the way. */
    pastFaults?: boolean;
  };
};
