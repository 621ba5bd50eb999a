// One hook's question and its answer, however it came: whatever is wrong with it is a no in the words of the broker that asks.
import type { Decisions } from "./decisions.ts";
import type { HookBody, HookReply } from "./reply.ts";

export interface HookQuestion {
  hook: string;
  body: HookBody;
  /** undefined: there is no such hook */
  answer: ((body: HookBody, decisions: Decisions) => HookReply | Promise<HookReply>) | undefined;
  /** how that broker hears no */
  deny: HookReply;
}

/** Rejects with what is no fault of the question. */
export async function answerHook({ hook, body, answer, deny }: HookQuestion, decisions: Decisions): Promise<HookReply> {
  if (!answer) return malformed(hook, "unknown hook", decisions, deny);
  try {
    return await answer(body, decisions);
  } catch (error) {
    if (error instanceof TypeError && error.constructor === TypeError && / is n(ot|either) /.test(error.message))
      return malformed(hook, error.message, decisions, deny);
    throw error;
  }
}

/** Says why a question got no decision; answers the no. */
export function malformed(hook: string, reason: string, decisions: Pick<Decisions, "malformed">, deny: HookReply) {
  decisions.malformed(hook, reason);
  return deny;
}

export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
