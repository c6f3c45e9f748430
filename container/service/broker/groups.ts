import { Fields, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { BridgeError } from '../../contract/errors.ts';
import { isMissing, onlyObject, type Broker, type ReadContext } from './broker.ts';

/** The groups of a mask by name; `undefined` where this manager may not see them, or there are too many. */
export async function groupNames(
  broker: Broker,
  mask: string,
  context: ReadContext,
): Promise<readonly string[] | undefined> {
  return (await groupsOfMask(broker, mask, context))?.flatMap((group) => new Fields(group).text('Group') ?? []);
}

/** The groups of a mask; `undefined` where this manager may not see them, or there are too many. @throws BridgeError */
export async function groupsOfMask(
  broker: Broker,
  mask: string,
  context: ReadContext,
): Promise<readonly WireObject[] | undefined> {
  const accepted = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
  try {
    const { reply } = await broker.reference('groups', 'group/get', [['mask', mask]], context, accepted);
    if (reply.retcode === RETCODE.ERR_PARTIAL) return undefined;
    return reply.retcode === RETCODE.ERR_NOTFOUND ? [] : payloadObjects(reply.body);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Where this manager may not look at groups, the broker itself will say. @throws BridgeError `invalid_field` */
export async function requireGroup(broker: Broker, group: string, field: string, context: ReadContext): Promise<void> {
  try {
    const query = [['group', group]] as const;
    onlyObject((await broker.reference('groups', 'group/get', query, context)).reply, 'group/get', query);
  } catch (error) {
    if (isMissing(error)) return;
    if (!(error instanceof BridgeError) || error.code !== 'object_not_found') throw error;
    throw new BridgeError('invalid_field', {
      detail: `${field}: the broker has no group ${group}, or this manager may not see it.`,
      field,
      expected: 'a group of the broker with its case, see GET /v1/groups',
    });
  }
}

/**
 * A read about a group. MT5 refuses an unknown one as it does a missing right (8): then the group is looked up.
 * @throws BridgeError `invalid_field` for a group that is not there
 */
export async function aboutGroup<Answer>(
  broker: Broker,
  group: string | undefined,
  context: ReadContext,
  read: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await read();
  } catch (error) {
    const isRefusal = error instanceof BridgeError && error.outcome === 'refused' && error.retry === 'no';
    if (group !== undefined && isRefusal) await requireGroup(broker, group, 'query.group', context);
    throw error;
  }
}
