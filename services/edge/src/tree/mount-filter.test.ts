import assert from "node:assert/strict";
import { test } from "node:test";
import { mountFilter } from "./mount-filter.ts";

const mountpoint = Buffer.from("im/x/0/alice/alice:1/");
const mounted = (filter: string) => mountFilter(filter, mountpoint)?.filter.toString();

test("each filter stands below the mountpoint, a shared one in its group", () => {
  for (const filter of ["#", "+", "a", "/", "/#", "a/+/b/#", "$SYS/#", "$shared/a", "$queue/a", "é/ü"])
    assert.equal(mounted(filter), `im/x/0/alice/alice:1/${filter}`);
  for (const filter of ["#", "a/+", "/a", "$share/h/a"])
    assert.equal(mounted(`$share/g/${filter}`), `$share/g/im/x/0/alice/alice:1/${filter}`);
});

test("what is no filter, or names no group or no filter in it, is none", () => {
  for (const filter of ["", "#/a", "a#", "a+", "a/#/b", "$share", "$share/", "$share/g", "$share/g/", "$share//a"])
    assert.equal(mounted(filter), undefined, filter);
  for (const filter of ["$share/+/a", "$share/#/a", "$share/#", "$share/g#/a", "$share/g/a#", "$share/g/#/a"])
    assert.equal(mounted(filter), undefined, filter);
});

test("what is too long or too deep below the mountpoint is none", () => {
  assert.equal(mounted("x".repeat(65_535 - mountpoint.length))?.length, 65_535);
  assert.equal(mounted("x".repeat(65_536 - mountpoint.length)), undefined);
  assert.ok(mounted("/".repeat(194)));
  assert.equal(mounted("/".repeat(195)), undefined);
});
