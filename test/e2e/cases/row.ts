// What a row of the table is: one method, asked right, and all that is wrong with a question which its schema does not say.
import type { ErrorCode, Method, ParamsOf } from "@parley/protocol";
import type { Caller, World } from "./world.ts";

/** What is asked; by ann unless said. */
export interface Question<Params = Record<string, unknown>> {
  params: Params;
  as?: Caller;
}

/** Two questions that must be answered alike: about what is there and not the asker's to see, and about what is not there. */
export interface Foreign<Params> {
  code: ErrorCode;
  /** in place of what was asked right */
  theirs: Partial<Params>;
  none: Partial<Params>;
}

export interface Refusal<Params> {
  code: ErrorCode;
  /** ann unless said */
  as?: Caller;
  /** in place of what was asked right */
  params?: Partial<Params>;
}

type Maybe<T> = T | Promise<T>;
/** What its method answers, with the world's prefix taken away, and names in place of times and of ids made up by chance. */
// biome-ignore lint/suspicious/noExplicitAny: what is answered is what a row looks at
export type Result = any;

/** Refusals that a row of any method may have. */
export type WhoMayNot = Readonly<Record<string, (world: World) => Refusal<never>>>;

export interface Row<Params = Record<string, unknown>> {
  /**
   * Makes what the question needs, and asks it right. Everything that is wrong is asked first, with what this made, and must
   * change nothing: asked right at last it is answered.
   */
  good(world: World): Maybe<Question<Params>>;
  /** Looks at what it was answered; that it is of the method's schema has been seen. */
  answer?(result: Result, world: World): void;
  /** For every method that names something which others may have; "none": all that it names is everybody's, or its own. */
  foreign?: "none" | ((world: World, params: Params) => Maybe<Foreign<Params> | Foreign<Params>[]>);
  /** No right, and whatever else is refused, by title. */
  refused?: Readonly<Record<string, (world: World, params: Params) => Maybe<Refusal<Params>>>>;
  /** `limit` is not what a page of its list ends at. */
  onePage?: true;
  /** What it answers is not one world's alone. */
  shared?: true;
  /** For every method that changes something: what it is answered under a request id of its own when it is done already. */
  again?: ErrorCode | ((result: Result, first: Result) => void);
}

/** A row of the table; the types of its questions are the method's. */
export interface TableRow extends Row {
  method: Method;
}

export function row<M extends Method>(method: M, about: Row<ParamsOf<M>>): TableRow {
  return { ...(about as unknown as Row), method };
}

/**
 * `foreign` for a method about a conversation: one between others, and one that nobody began; one of a room that asks nobody in,
 * and one of a room that is not there.
 */
export function foreignConv<Params extends { conv: string }>({ theirs, prefix }: World): Foreign<Params>[] {
  const of = (conv: string) => ({ conv }) as Partial<Params>;
  return [
    { code: "not_member", theirs: of(theirs.p2p), none: of(`p2p/${prefix}nobody/${prefix}noone`) },
    { code: "not_found", theirs: of(theirs.roomConv), none: of(`room/${prefix}nowhere`) },
  ];
}

/**
 * `foreign` for a method about a room: one that asks nobody in, and one that is not there. Whoever makes a room may choose its id
 * and learns so whether it is taken.
 */
export function foreignRoom<Params extends { id: string }>({ theirs, prefix }: World): Foreign<Params> {
  const of = (id: string) => ({ id }) as Partial<Params>;
  return { code: "not_found", theirs: of(theirs.room), none: of(`${prefix}nowhere`) };
}

/**
 * `foreign` for a method that sends a message: to who is erased, or hidden and takes it of contacts only, and who never was; to a
 * room that asks nobody in, and to none.
 */
export function foreignTo({ gone, hidden, theirs, prefix }: World): Foreign<{ to: string }>[] {
  const nobody = { to: `user/${prefix}nobody` };
  return [
    { code: "not_found", theirs: { to: `user/${gone}` }, none: nobody },
    { code: "not_found", theirs: { to: `user/${hidden}` }, none: nobody },
    { code: "not_found", theirs: { to: theirs.roomConv }, none: { to: `room/${prefix}nowhere` } },
  ];
}

/** `foreign` for a method that names users: one whose account is erased, or who is hidden, and one that never was. */
export function foreignUids<Field extends string>(field: Field) {
  return <Params extends { [F in Field]?: string[] }>({ gone, hidden, prefix }: World): Foreign<Params>[] => {
    const of = (uid: string) => ({ [field]: [uid] }) as Partial<Params>;
    return [gone, hidden].map((uid) => ({ code: "not_found", theirs: of(uid), none: of(`${prefix}nobody`) }));
  };
}
