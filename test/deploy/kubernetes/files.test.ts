// Files and images that manifests name, held against what is mounted, deploy/Dockerfile and docker-compose.yml.
import assert from "node:assert/strict";
import { test } from "node:test";
import { overlay, overlays, withFault, withPodFault } from "./built.ts";
import { fileComplaints, imageComplaints } from "./checks/files.ts";
import { secretKeysOf, stageOf } from "./checks/page.ts";
import { containersOf, podOf, type Resource } from "./resources.ts";

const secretsOf = { dev: secretKeysOf("dev"), production: secretKeysOf("production") };

for (const name of overlays) {
  test(`${name}: every file that a container is told of is mounted there, included ones too`, () => {
    assert.deepEqual(fileComplaints(overlay(name), secretsOf[stageOf(name)]), []);
  });

  test(`${name}: every image has a version, servers those of docker-compose.yml, and runs as its own user`, () => {
    assert.deepEqual(imageComplaints(overlay(name)), []);
  });
}

const serverFaults: [what: string, server: string, change: (one: Resource) => void, complaint: string][] = [
  [
    "a configuration at another path",
    "redis",
    (one) => Object.assign(containersOf(one)[0]!, { args: ["redis-server", "/etc/redis/redis.config"] }),
    "StatefulSet redis: it is told of /etc/redis/redis.config, and nothing puts that there",
  ],
  [
    "a file that a configuration includes and that is not mounted",
    "nats",
    (one) =>
      Object.assign(podOf(one)!.spec.volumes![0]!, {
        projected: { sources: [{ configMap: { name: "nats-config" } }] },
      }),
    "StatefulSet nats: it is told of /etc/nats/passwords/passwords.conf, and nothing puts that there",
  ],
  [
    "a file of a Secret that the Secret does not have",
    "mongodb",
    (one) => Object.assign(containersOf(one)[1]!.env![2]!, { value: "/run/parley/password" }),
    "StatefulSet mongodb: it is told of /run/parley/password, and nothing puts that there",
  ],
];

for (const [what, server, change, complaint] of serverFaults)
  test(`the check of files finds ${what}`, () => {
    assert.deepEqual(fileComplaints(withFault("dev", "StatefulSet", server, change), secretsOf.dev), [complaint]);
  });

test("the check of images finds one without a version, one of another version, and another user", () => {
  const image = (name: string) => (one: Resource) => Object.assign(containersOf(one)[0]!, { image: name });
  assert.deepEqual(imageComplaints(withFault("dev", "StatefulSet", "redis", image("redis"))), [
    "StatefulSet redis: redis has no version",
  ]);
  assert.match(
    imageComplaints(withFault("dev", "StatefulSet", "redis", image("redis:6.0")))[0]!,
    /^StatefulSet redis: redis:6\.0 here, redis:\S+ in docker-compose\.yml$/,
  );
  const other = withPodFault("dev", "api", (pod) => Object.assign(pod.securityContext as object, { runAsUser: 1001 }));
  assert.deepEqual(imageComplaints(other), ["Deployment api: the image's user is 1000, not 1001"]);
});
