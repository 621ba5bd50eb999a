// Who is let in: nobody without credentials, and nobody with another's client id.
import { usersLogin } from "@parley/protocol";
import { type Case, must } from "./case.ts";
import { codeOf } from "./device.ts";
import type { Connecting, Person, World } from "./world.ts";

/** What is seen where somebody gets in who must not. */
export const wasLetIn = "was let in";

/** The broker's word for one whom it does not let in. */
export async function refusal(world: World, options: Connecting): Promise<string> {
  const device = await world.connect(options).catch((error: Error & { code?: number }) => error);
  if (!(device instanceof Error)) throw new Error(`${String(options.clientId)} ${wasLetIn}`);
  return device.code === undefined ? "closed" : codeOf(Number(device.code));
}

async function words(refused: Promise<string>[]): Promise<string> {
  return `CONNACK ${[...new Set(await Promise.all(refused))].join(", ")}`;
}

/** A broker at which this does not hold is open to anybody. */
export const strangers: Case<World> = {
  about: "native",
  holds: "who shows no user name, no password, a wrong one or a made-up token is not let in",
  async run(world) {
    const { uid: username } = await world.person();
    const clientId = (device: string) => `${username}:${device}`;
    return words([
      refusal(world, { clientId: clientId("nobody") }),
      refusal(world, { username, clientId: clientId("none") }),
      refusal(world, { username, password: "not the password", clientId: clientId("wrong") }),
      refusal(world, { username, password: "a.b.c", clientId: clientId("made-up") }),
    ]);
  },
};

export const doors: Case<World>[] = [
  strangers,
  {
    about: "native",
    holds: "nobody gets in with the client id of another's device or of a service, and that device stays connected",
    async run(world) {
      const [ann, bob] = (await world.people(2)) as [Person, Person];
      const phone = await world.native(ann);
      const { uid: username, password } = bob;
      const seen = await words([
        refusal(world, { username, password, clientId: phone.clientId }),
        refusal(world, { username, password, clientId: "router-p0" }),
      ]);
      const { seq } = await phone.say(`user/${username}`, "still here");
      must(seq === 1, `its device was answered ${seq}`);
      return seen;
    },
  },
  {
    about: "native",
    holds: "a token lets in its own device alone",
    async run(world) {
      const { uid } = await world.person();
      const { mqtt } = await world.asApplication(usersLogin, { uid, device: "phone" });
      const { username, password } = mqtt;
      const seen = await refusal(world, { username, password, clientId: `${uid}:desk` });
      return `CONNACK ${seen}`;
    },
  },
];
