// `parley broker setup`: looks, mends, looks again, and says what is still not as it has to be.
import type { Output } from "../../output.ts";
import type { BrokerSetup, Finding } from "./finding.ts";

/** Throws, with one sentence, when the broker is not as Parley needs it. */
export async function runSetup(
  broker: BrokerSetup,
  { checkOnly, output }: { checkOnly: boolean; output: Output },
): Promise<void> {
  const versions = await broker.versions();
  if (versions.length === 0) throw new Error(`${broker.title} tells no version of any node`);
  const { version: oldest, why } = broker.oldest;
  const old = versions.find((one) => isOlder(one, oldest));
  if (old !== undefined) throw new Error(`this is ${broker.title} ${old}; Parley needs ${oldest} or newer: ${why}`);
  output.note(
    `${broker.title} ${[...new Set(versions)].join(", ")}, ${versions.length === 1 ? "one node" : `${versions.length} nodes`}`,
  );
  let findings = await broker.inspect();
  if (!checkOnly) {
    tell(findings, output);
    const steps = broker.steps(findings);
    for (const { says, run } of steps) {
      await run();
      output.note(`  ${says}: done`);
    }
    if (steps.length === 0) output.note("  nothing to change");
    findings = await broker.inspect();
  }
  conclude(broker, findings, { checkOnly, output });
}

function tell(findings: readonly Finding[], output: Output): void {
  for (const { setting, state, says, why } of findings) {
    if (state === "right") continue;
    const mark = state === "open" ? "✖ OPEN" : state === "unseen" ? "–" : "✖";
    output.note(`  ${mark} ${setting}: ${says}${why && state !== "unseen" ? `. ${why}` : ""}`);
  }
}

function conclude(
  broker: BrokerSetup,
  findings: readonly Finding[],
  { checkOnly, output }: { checkOnly: boolean; output: Output },
): void {
  const [right, unseen] = (["right", "unseen"] as const).map(
    (state) => findings.filter((one) => one.state === state).length,
  );
  const bad = findings.filter(({ state }) => state === "wrong" || state === "open");
  const open = bad.filter(({ state }) => state === "open");
  if (checkOnly || bad.length > 0) tell(findings, output);
  const sum = `${right} settings are right, ${bad.length} wrong, ${unseen} not seen`;
  output.result({ broker: broker.title, findings: findings.filter(({ state }) => state !== "right"), right }, sum);
  if (open.length > 0)
    throw new Error(
      `this ${broker.title} is open (${open.map(({ setting }) => setting).join(", ")}): keep devices away from it until that is mended`,
    );
  if (bad.length > 0) {
    const how = checkOnly
      ? "without --check it is mended, but for what has to be done by hand"
      : "that has to be done by hand";
    throw new Error(`${bad.length} ${bad.length === 1 ? "setting is" : "settings are"} not as Parley needs: ${how}`);
  }
  for (const remark of broker.remarks) output.note(remark);
}

function isOlder(version: string, oldest: string): boolean {
  const [a, b] = [version, oldest].map((one) => (/\d+(\.\d+)*/.exec(one)?.[0] ?? "0").split(".").map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (a?.[at] ?? 0) - (b?.[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
