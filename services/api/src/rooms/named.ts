// Methods of a room that is named in any case, as the users in them are.
import { AppError, foldName, type Method, noRoom, type ParamsOf, type ResultOf } from "@parley/protocol";
import type { TObject, TSchema } from "typebox";
import { type Bound, bind, type Call } from "../call.ts";
import { asRegistered } from "../people/visible.ts";
import type { ApiStore } from "../store.ts";

interface Named {
  id?: string;
  uid?: string | undefined;
  successor?: string | undefined;
  uids?: string[] | undefined;
  /** by user: `rooms.invite` */
  devices?: object | undefined;
}

type Work<M extends Method<TObject, TSchema>> = (params: ParamsOf<M>, call: Call) => Promise<ResultOf<M> | AppError>;

export type NamedBind = <M extends Method<TObject, TSchema>>(method: M, work: Work<M>) => Bound;

/** `bind`, where `work` is given every name as it is spelled; what is not there is named as the caller did. */
export function bindNamed<M extends Method<TObject, TSchema>>(store: ApiStore, method: M, work: Work<M>): Bound {
  return bind(method, async (given, call) => {
    const asked = given as Named;
    const [users, id] = await Promise.all([spelledUsers(store, call.caller.uid, asked), spelledRoom(store, asked.id)]);
    const params = { ...asked, ...users, ...(id === undefined ? {} : { id }) };
    const answered = <Outcome>(outcome: Outcome) => (isNoRoom(outcome, id) ? noRoom(asked.id ?? "") : outcome);
    try {
      return answered(await work(params as ParamsOf<M>, call));
    } catch (error) {
      throw answered(error);
    }
  });
}

// By its spelling who may not know of a room would learn that it is there.
function isNoRoom(outcome: unknown, id: string | undefined): boolean {
  return id !== undefined && outcome instanceof AppError && outcome.message === noRoom(id).message;
}

async function spelledUsers(store: ApiStore, by: string, asked: Named): Promise<Named> {
  const { uid, successor, uids = [], devices } = asked;
  const all = [...new Set([...[uid, successor].filter((one) => one !== undefined), ...uids])];
  if (all.length === 0) return {};
  const spelled = await asRegistered(store, by, all);
  const names = new Map(all.map((name, at) => [name, spelled[at] ?? name]));
  const nameOf = (name: string) => names.get(name) ?? name;
  return {
    ...(uid === undefined ? {} : { uid: nameOf(uid) }),
    ...(successor === undefined ? {} : { successor: nameOf(successor) }),
    ...(asked.uids ? { uids: uids.map(nameOf) } : {}),
    ...(asked.uids && devices ? { devices: renamed(devices, nameOf) } : {}),
  };
}

function renamed(devices: object, nameOf: (name: string) => string): object {
  return Object.fromEntries(Object.entries(devices).map(([uid, named]) => [nameOf(uid), named]));
}

/** As it is registered; what is not there as it was asked for. */
export async function spelledRoom({ names, rooms }: ApiStore, id: string | undefined): Promise<string | undefined> {
  if (id === undefined) return undefined;
  const kept = await names.get(foldName(id));
  const name = kept?.doc.kind === "room" ? (kept.doc.name ?? kept.key) : id;
  return name === id || (await rooms.get(id)) ? id : name;
}
