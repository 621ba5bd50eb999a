// One cluster for all tests of a file: each of them leaves it well again.
import { after, before } from "node:test";
import { type Cluster, startTestCluster, type TestContext } from "@parley/testkit";
import { openStage, type Stage, type StageOptions } from "./stage.ts";

/** Registers its start and end with the suite it is called in; answers how to get at it. */
export function clusterOfFile(): () => Cluster {
  const ends: (() => unknown)[] = [];
  let cluster: Cluster | undefined;
  before(async () => {
    const context: TestContext = { after: (end) => void ends.push(end) };
    cluster = await startTestCluster(context);
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  return () => {
    if (!cluster) throw new Error("the cluster is not there yet");
    return cluster;
  };
}

/** The same with links, clocks and small disks. */
export function stageOfFile(options: StageOptions): () => Stage {
  let stage: Stage | undefined;
  before(async () => {
    stage = await openStage(options);
  });
  after(() => stage?.close({ keep: Boolean(process.env.PARLEY_KEEP) }));
  return () => {
    if (!stage) throw new Error("the cluster is not there yet");
    return stage;
  };
}
