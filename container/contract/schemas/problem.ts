import { z } from 'zod';
import { ERRORS } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** RFC 9457: the body of everything that is not a success. */
export const problem = z
  .object({
    type: z.string().meta({ description: 'Stable identifier of the code.' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(codes),
    detail: z.string().meta({ description: 'What is wrong with this request.' }),
    retry: z.enum(['no', 'yes', 'after', 'check']).meta({
      description:
        '`no` the same request fails again, `yes` safe to repeat at once, `after` safe after `Retry-After`, `check` look at the outcome first.',
    }),
    outcome: z.enum(['not_sent', 'refused', 'unknown']).meta({
      description: '`not_sent` nothing reached the broker, `refused` it changed nothing, `unknown` it may have.',
    }),
    requestId: z.string(),
    field: z.string().optional().meta({ description: 'The field at fault, as the caller named it.' }),
    expected: z.string().optional().meta({ description: 'What the field should have been.' }),
    retcode: z.int().optional().meta({ description: 'MT5 return code.' }),
    retcodeName: z.string().optional(),
    retryAfterMs: z.int().optional(),
  })
  .meta({ id: 'Problem' });
