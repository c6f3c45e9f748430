/**
 * One JSON line per event, for Workers Logs. Values are ids, states and error messages; headers, bodies and variables are
 * never given to it, so that no key or password can be.
 */
export function logEvent(event: string, details: Readonly<Record<string, unknown>>): void {
  const plain = Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      value instanceof Error ? `${value.name}: ${value.message}`.slice(0, 500) : value,
    ]),
  );
  // oxlint-disable-next-line no-console -- the only way to Workers Logs
  console.log(JSON.stringify({ event, ...plain }));
}
