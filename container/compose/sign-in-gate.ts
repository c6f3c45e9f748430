import type { SignInGate } from '../session/sign-in-gate.ts';
import type { InstanceId, StateApi } from '../state/state-api.ts';

/** The permits of the state, as the sessions know them; `ready` = the state may be called. */
export function signInGate(state: StateApi, instanceId: InstanceId, ready: Promise<void>): SignInGate {
  return {
    permit: async () => {
      await ready;
      return state.signIn.permit(instanceId);
    },
    succeeded: (success) => state.signIn.succeeded(instanceId, success),
    failed: (failure) => state.signIn.failed(instanceId, failure),
  };
}
