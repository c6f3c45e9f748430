import { z } from 'zod';

/** A variable whose text is JSON, parsed; `expected` is said of what is not. */
export const jsonVariable = (expected: string) =>
  z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    }
  });
