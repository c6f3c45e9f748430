import { Fields, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { isMissing, type Broker, type ReadContext } from './broker.ts';

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
