/** The page for people at `/`: static files, served by the platform in front of the Worker, and by the container on a VPS. */
export const CONSOLE_FILES = ['index.html', 'console.js', 'console.css', 'console.svg'] as const;

/** Nothing from elsewhere, nothing inline; markup is made by one library only. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types lit-html',
].join('; ');

export const CONSOLE_HEADERS: Readonly<Record<string, string>> = {
  // Asked for anew each time, by its tag: a deployment is seen at once.
  'cache-control': 'no-cache',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
