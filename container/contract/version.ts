/** The release, as in package.json (a test holds the two together). Sent as `x-bridge-version`. */
export const BRIDGE_VERSION = '0.1.0';

/**
 * The number of the Worker ↔ container contract. Raised whenever a Worker and an image built from different commits
 * could misunderstand each other: `wrangler deploy` makes the Worker live before the image has rolled out.
 */
export const CONTRACT_VERSION = 3;
