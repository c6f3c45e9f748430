/** The JSON of an object with the event that is told of it in front. */
export const withEvent = (json: string, event: string): string => `{"event":"${event}",${json.slice(1)}`;
