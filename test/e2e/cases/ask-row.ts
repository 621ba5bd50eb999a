// One row of the table in one world, through one way in: everything that is wrong, then what is right, then that again.
import assert from "node:assert/strict";
import { AppError, checkOf, type ErrorCode, type JsonObject } from "@parley/protocol";
import { badParams } from "./bad-params.ts";
import type { Answer, Door } from "./doors.ts";
import { plain } from "./plain.ts";
import type { TableRow } from "./row.ts";
import type { Caller, World } from "./world.ts";

/** What was answered, by title: made comparable. Undefined: it cannot be asked in this way. */
export type Answers = Map<string, unknown>;

const others = "about what is others'";
const nothing = "about what is not there";

interface Asking {
  row: TableRow;
  world: World;
  right: JsonObject;
  ask(title: string, params: JsonObject, as?: Caller, requestId?: string): Promise<Answer | undefined>;
  refuse(title: string, code: ErrorCode, params: JsonObject, as?: Caller): Promise<void>;
  /** as it was noted */
  seen(title: string): unknown;
}

/** Throws what is not as the row says. */
export async function askRow(row: TableRow, world: World, door: Door): Promise<Answers> {
  const { method } = row;
  const answers: Answers = new Map();
  if (door.name === "mqtt" && !method.mqtt) {
    const answer = await door.ask(world.ann, method, {});
    assert.deepEqual(answer, { code: "not_found", message: `no method ${JSON.stringify(method.name)} over MQTT` });
    return answers;
  }
  const { params: right, as: asker = world.ann } = await row.good(world);
  const asking: Asking = {
    row,
    world,
    right: right as JsonObject,
    async ask(title, params, as = asker, requestId) {
      const answer = await door.ask(as, method, params, requestId);
      if (answer) answers.set(title, plain(answer, world.prefix));
      return answer;
    },
    async refuse(title, code, params, as) {
      const answer = await asking.ask(title, params, as);
      if (answer) assert.equal(codeOf(answer), code, `${title}: ${JSON.stringify(answer)}`);
    },
    seen: (title) => answers.get(title),
  };
  await askWrong(asking);
  if ("page" in method.params.properties) await askPages(asking);
  await askRight(asking, door.makesIds && method.mqtt ? undefined : `${world.prefix}${method.name}`);
  return answers;
}

async function askWrong({ row, world, right, refuse, seen }: Asking): Promise<void> {
  const { method, foreign, refused = {} } = row;
  await Promise.all(badParams(method, right).map(({ title, params }) => refuse(title, "invalid_packet", params)));
  if (method.access !== "public") await refuse("without a token", "unauthenticated", right, world.nobody);
  if (foreign && foreign !== "none") {
    for (const [at, { code, theirs, none }] of [await foreign(world, right)].flat().entries()) {
      const [ofOthers, ofNobody] = [`${others} ${at}`, `${nothing} ${at}`];
      await refuse(ofOthers, code, { ...right, ...theirs } as JsonObject);
      await refuse(ofNobody, code, { ...right, ...none } as JsonObject);
      const nameless = (title: string) =>
        withoutNames(JSON.stringify(seen(title)), plain([theirs, none], world.prefix));
      assert.equal(nameless(ofNobody), nameless(ofOthers), "others' is answered as if it were not there");
    }
  }
  for (const [title, make] of Object.entries(refused)) {
    const { code, as, params } = await make(world, right);
    await refuse(title, code, { ...right, ...params } as JsonObject, as);
  }
}

async function askPages({ row, world, right, ask, refuse, seen }: Asking): Promise<void> {
  await refuse("a page that is none", "invalid_packet", { ...right, page: "no page" });
  if (row.onePage || !("limit" in row.method.params.properties)) return;
  const first = { ...right, limit: 1 };
  const answer = await ask("the first page", first);
  if (!answer) return;
  const page = (resultOf(answer) as { next: string }).next;
  assert.equal(typeof page, "string", "there are two pages of it");
  const next = { ...first, page };
  await ask("the next page", next);
  await ask("the next page again", next);
  assert.deepEqual(seen("the next page again"), seen("the next page"));
  // Whoever has it, by chance or by guessing, gets what is its own.
  const [own, stolen] = [await ask("another's list", right, world.eve), await ask("another's page", next, world.eve)];
  if (own && stolen) assertPart(stolen, own);
}

async function askRight({ row, world, right, ask, seen }: Asking, requestId: string | undefined): Promise<void> {
  const { method, again } = row;
  const answer = await ask("asked right", right, undefined, method.changes ? requestId : undefined);
  if (!answer) return;
  const result = resultOf(answer);
  const checked = checkOf(method.result)(result);
  if (checked instanceof AppError) assert.fail(`${checked.message}: ${JSON.stringify(result)}`);
  row.answer?.((seen("asked right") as { result: unknown }).result, world);
  const isOver = again === "unauthenticated";
  if (method.changes && requestId !== undefined && !isOver) {
    await ask("the same request again", right, undefined, requestId);
    assert.deepEqual(seen("the same request again"), seen("asked right"));
  }
  if (again === undefined) return;
  const second = await ask("asked right again", right);
  if (typeof again === "string") assert.equal(second && codeOf(second), again, JSON.stringify(second));
  else
    again(
      (seen("asked right again") as { result: unknown }).result,
      (seen("asked right") as { result: unknown }).result,
    );
}

function codeOf(answer: Answer): string | undefined {
  return "code" in answer ? answer.code : undefined;
}

function resultOf(answer: Answer): unknown {
  if ("code" in answer) assert.fail(`refused: ${JSON.stringify(answer)}`);
  return answer.result;
}

/** Of two answers to one caller the first is refused alike, or holds nothing that the second one has not. */
function assertPart(part: Answer, whole: Answer): void {
  if (codeOf(part) === "invalid_packet") return;
  assert.equal(codeOf(part), codeOf(whole));
  const known = itemsOf(whole).map((item) => JSON.stringify(item));
  for (const item of itemsOf(part)) assert.ok(known.includes(JSON.stringify(item)), JSON.stringify(item));
}

function itemsOf(answer: Answer): unknown[] {
  if ("code" in answer) return [];
  return Object.values(answer.result as object).find(Array.isArray) ?? [];
}

/** What was asked for stands in some refusals. */
function withoutNames(text: string, asked: unknown): string {
  if (typeof asked === "string") return text.replaceAll(asked.split("/").at(-1) ?? asked, "(asked)");
  if (typeof asked !== "object" || asked === null) return text;
  return Object.values(asked).reduce(withoutNames, text);
}
