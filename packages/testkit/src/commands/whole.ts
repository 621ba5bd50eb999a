// What `npm start` needs to start everything. A program of its own, so that it is bundled too: read from the sources it is a thousand modules.
export { startCluster } from "../cluster/cluster.ts";
export { describeRun, readDemo } from "./demo.ts";
