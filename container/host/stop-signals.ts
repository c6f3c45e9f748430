/**
 * Heard from the first moment: as process 1 of a container the program has no default handlers, and a signal that comes
 * while its modules load would be lost. Imported before anything else.
 */
const asked = Promise.withResolvers<void>();
process.on('SIGTERM', () => asked.resolve()).on('SIGINT', () => asked.resolve());

/** Resolves when the process is asked to end. */
export const stopAsked: Promise<void> = asked.promise;
