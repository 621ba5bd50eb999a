import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { complaintsAbout } from "../check-container.ts";
import { readDockerfile } from "../image/dockerfile.ts";
import { describe } from "./check-compose.ts";
import { referencesIn } from "./interpolate.ts";
import { readCompose, root } from "./read-compose.ts";

interface Overlay {
  services: Record<string, { environment?: Record<string, string>; volumes?: string[] }>;
}

const image = readDockerfile();
const files = globSync("deploy/compose/push-*.yml", { cwd: root });
const given = {
  PUSH_APNS_KEY_ID: "ABCDE12345",
  PUSH_APNS_TEAM_ID: "TEAM123456",
  PUSH_APNS_KEY: "/srv/key.p8",
  PUSH_FCM_KEY: "/srv/key.json",
  PUSH_WEB_SUBJECT: "mailto:admin@example.org",
};

const text = readFileSync(join(root, "docker-compose.yml"), "utf8");

/** Complaints about push as it is with the overlay laid over docker-compose.yml. */
function complaintsWith(overlay: string, env: Record<string, string>): string[] {
  const { push } = readCompose(text, env, [overlay]).services;
  return complaintsAbout(describe(push!, image));
}

test("there is an overlay for each provider of push", () => {
  assert.deepEqual(files.map((file) => file.replace(/.*push-|\.yml/g, "")).sort(), ["apns", "fcm", "web"]);
});

for (const file of files) {
  const overlay = readFileSync(join(root, file), "utf8");

  test(`${file} names settings that push has, with values that it takes`, () => {
    assert.deepEqual(complaintsWith(overlay, given), []);
    assert.match(
      complaintsWith(overlay.replace("PUSH_", "PUSHED_"), given).join(),
      /PUSHED_\w+ is not a setting of push/,
    );
  });

  test(`${file} with a variable unset ends with one line that says what it is`, () => {
    const needed = referencesIn(overlay).filter(({ operator }) => operator === ":?");
    assert.ok(needed.length > 0);
    for (const { name, word } of needed)
      assert.throws(() => complaintsWith(overlay, { ...given, [name]: "" }), { message: `${name}: ${word}` });
  });

  test(`${file} mounts what it names`, () => {
    const { push } = (parse(overlay) as Overlay).services;
    const paths = Object.values(push!.environment ?? {}).filter((value) => value.startsWith("/"));
    const mounted = (push!.volumes ?? []).map((one) => one.split(":").at(-2));
    assert.deepEqual(paths, mounted);
  });
}
