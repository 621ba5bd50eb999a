import assert from "node:assert/strict";
import { test } from "node:test";
import { erasuresDone, nothingOfErased, othersWhole, placesStay, silentOnceErased } from "./erasures.ts";
import type { Erasing, Remains, RunRecord, Said } from "./record.ts";

const conv = "room/all";
const said = (id: string, seq: number, firstAt = 10): Said => ({
  id,
  firstAt,
  answer: "stored",
  answeredAt: firstAt + 5,
  place: { conv, seq, ts: 0 },
});
const whole = (seq: number, id: string): Remains => ({ seq, from: "stays", id, type: "text", text: id, ended: false });
const empty = (seq: number): Remains => {
  return { seq, from: "leaves", id: `erased-${seq}`, type: "erased", text: undefined, ended: false };
};

// "leaves" wrote the second message, and was erased while "stays" went on.
const right = (): Erasing => ({
  leavers: [{ uid: "leaves", mark: "of-leaves", said: [said("leaves:a-0", 2)], removedAt: 50, erasedAt: 90 }],
  said: [said("stays:a-0", 1), said("stays:a-1", 3, 60)],
  readings: [{ what: "history.get", conv, messages: [whole(1, "stays:a-0"), empty(2), whole(3, "stays:a-1")] }],
  answers: [{ what: "sync", text: '{"conversations":["room/all","leaves"]}' }],
  refused: [],
});

function broken(change: (run: Erasing) => object | undefined): string[] {
  const erasing = right();
  const changed = { ...erasing, ...change(erasing) };
  const rules = { erasuresDone, nothingOfErased, silentOnceErased, placesStay, othersWhole };
  const record = { erasing: changed } as unknown as RunRecord;
  return Object.entries(rules).flatMap(([name, rule]) => ([...rule(record, new Map())].length > 0 ? [name] : []));
}

const leaver = (change: object) => (run: Erasing) => ({ leavers: [{ ...run.leavers[0], ...change }] });
const reading = (messages: readonly Remains[]) => () => ({ readings: [{ what: "sync", conv, messages }] });

test("a run in which users are erased as they should be breaks no rule about them", () => {
  assert.deepEqual(
    broken(() => undefined),
    [],
  );
});

test("an erasure that is never answered, never done, or could not be asked for is seen", () => {
  assert.deepEqual(broken(leaver({ removedAt: undefined, erasedAt: undefined })), ["erasuresDone"]);
  assert.deepEqual(broken(leaver({ erasedAt: undefined })), ["erasuresDone"]);
  assert.deepEqual(
    broken(() => ({ refused: ["users.remove: internal"] })),
    ["erasuresDone"],
  );
});

test("anything of an erased user in an answer is seen", () => {
  assert.deepEqual(
    broken(() => ({ answers: [{ what: "users.get", text: '{"nick":"of-leaves"}' }] })),
    ["nothingOfErased"],
  );
});

test("a message that is first sent after the removal was answered, and taken, is seen", () => {
  const change = leaver({ said: [said("leaves:a-0", 2, 51)] });
  assert.deepEqual(broken(change), ["silentOnceErased"]);
});

test("a place that is not empty, is another's, is missing or moved is seen", () => {
  const [one, three] = [whole(1, "stays:a-0"), whole(3, "stays:a-1")];
  for (const left of [
    { ...empty(2), text: "of" },
    { ...empty(2), from: "stays" },
    { ...empty(2), id: "leaves:a-0" },
  ])
    assert.deepEqual(broken(reading([one, left, three])), ["placesStay"]);
  assert.deepEqual(broken(reading([one, three])), ["placesStay"]);
  assert.deepEqual(broken(reading([one, empty(2), empty(3), whole(4, "stays:a-1")])), ["othersWhole"]);
});

test("a message of another one that goes with the erased one's, or loses what it said, is seen", () => {
  const last = { ...whole(3, "stays:a-1"), text: undefined };
  assert.deepEqual(broken(reading([whole(1, "stays:a-0"), empty(2), last])), ["othersWhole"]);
  assert.deepEqual(broken(reading([whole(1, "stays:a-0"), empty(2)])), ["othersWhole"]);
});
