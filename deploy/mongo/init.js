// Run by mongosh at each start: makes the replica set of MEMBERS where there is none, and the user that Parley's services are.
const { readFileSync } = require("node:fs");

const members = process.env.MEMBERS.split(",");
const secret = (name) => readFileSync(`/run/parley/${name}`, "utf8").trim();

const admin = new Mongo(`mongodb://${members[0]}/?directConnection=true`).getDB("admin");
admin.auth("root", secret("root-password"));

const alreadyInitialized = 23;
try {
  admin.runCommand({
    replSetInitiate: { _id: "parley", members: members.map((host, _id) => ({ _id, host })) },
  });
} catch (error) {
  if (error.code !== alreadyInitialized) throw error;
}
while (!admin.hello().primary) sleep(200);

const primary = new Mongo(`mongodb://${members.join(",")}/?replicaSet=parley`);
primary.getDB("admin").auth("root", secret("root-password"));
const parley = primary.getDB("parley");
const user = { pwd: secret("parley-password"), roles: [{ role: "readWrite", db: "parley" }] };
if (parley.getUser("parley")) parley.updateUser("parley", user);
else parley.createUser({ user: "parley", ...user });
print("the replica set and the user of Parley are there");
