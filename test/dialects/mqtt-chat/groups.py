"""Groups, as programs have them: lists of members that clients write, invitations, profiles, rights."""
from http_api import Account
from mqtt_chat import LONG, SHORT, Device


class Person(Device):
    """A device that does with invitations and lists what programs do."""

    def join(self, gid):
        packet = self.wait("invitations", where=lambda one: one["groupId"] == gid)
        assert {packet["g"], packet["groupId"]} == {gid}, packet
        self.subscribe(f"{gid}/{self.names['group']}")
        members = self.wait("group members", gid)["m"]
        if self.uid not in members:
            self.publish(self.topic(gid, "group members"), {"m": [*members, self.uid]}, retain=True)
        self.say(gid, f"{self.uid} joined", c="NOTIFICATION")
        return packet

    def say(self, gid, text, **more):
        return self.send(gid, text, "group messages", **more)


def people(name, *uids, names=SHORT):
    return [Person(Account(name(uid)).uid, names=names).connect() for uid in uids]


def a_group(name, names=SHORT):
    """The whole life of a group, from its first list to its last member."""
    ada, bob, carol = people(name, "ada", "bob", "carol", names=names)
    gid = name("tea")
    ada.subscribe(f"{gid}/{names['group']}")
    profile = {"name": "Tea", "image": "http://x/g.png", "message": "made", "senderId": ada.uid}
    ada.publish(ada.topic(gid, "group profile"), profile, retain=True)
    ada.publish(ada.topic(gid, "group members"), {"m": [ada.uid]}, retain=True)
    ada.publish(ada.topic(bob.uid, "invitations"), {"name": "Tea", "image": "", "groupId": gid})
    assert bob.join(gid)["name"] == "Tea"
    assert bob.wait("group profile", gid)["name"] == "Tea"
    ada.wait("group members", gid, lambda one: set(one["m"]) == {ada.uid, bob.uid})
    ada.wait_text(f"{bob.uid} joined", "group messages", gid)

    # Every member may add another.
    bob.publish(bob.topic(gid, "group members"), {"m": [ada.uid, bob.uid, carol.uid]}, retain=True)
    carol.join(gid)
    everybody = {ada.uid, bob.uid, carol.uid}
    for one in (ada, bob):
        one.wait("group members", gid, lambda got: set(got["m"]) == everybody)

    carol.say(gid, "hi all")
    for one in (ada, bob, carol):
        packet = one.wait_text("hi all", "group messages", gid)
        assert (packet["s"], packet["c"]) == (carol.uid, "TEXT"), packet

    ada.publish(ada.topic(gid, "group profile"), {**profile, "name": "Green tea", "message": "renamed"}, retain=True)
    for one in (ada, bob, carol):
        one.wait("group profile", gid, lambda got: got["name"] == "Green tea" and got["senderId"] == ada.uid)

    carol.publish(carol.topic(gid, "group members"), {"m": [ada.uid, bob.uid]}, retain=True)
    ada.wait("group members", gid, lambda got: set(got["m"]) == {ada.uid, bob.uid})
    ada.say(gid, "without carol")
    bob.wait_text("without carol", "group messages", gid)
    ada.send(carol.uid, "the last one")
    carol.wait_text("the last one")
    assert "without carol" not in carol.texts("group messages", gid), carol.heard


def a_group_in_full(name):
    a_group(name, LONG)


def rights(name):
    """Who is not in a group reads nothing of it, writes nothing to it, and adds nobody."""
    ada, eve = people(name, "ada", "eve")
    gid = name("den")
    ada.publish(f"{gid}/g/e", {"m": [ada.uid]}, retain=True)
    ada.subscribe(f"{gid}/g/+")
    assert ada.wait("group members", gid)["m"] == [ada.uid]
    eve.subscribe(f"{gid}/g/+")
    eve.subscribe("+/g/+")
    eve.publish(f"{gid}/g/e", {"m": [ada.uid, eve.uid]}, retain=True)
    eve.say(gid, "let me in")
    eve.publish(f"{gid}/g/p", {"name": "Eve's", "message": "mine now", "senderId": ada.uid}, retain=True)
    words = [eve.wait("messages", where=lambda one: one["s"] == "parley")["m"] for _ in range(3)]
    assert any("members" in one for one in words), words
    ada.say(gid, "among us")
    ada.wait_text("among us", "group messages", gid)
    ada.send(eve.uid, "the last one")
    eve.wait_text("the last one")
    assert not [topic for topic, _ in eve.heard if topic.startswith(gid)], eve.heard
    assert ada.texts("group messages", gid) == ["among us"], ada.heard


def lists_that_are_not_so(name):
    """Whoever publishes another list than is so is told the true one."""
    ada, bob = people(name, "ada", "bob")
    gid = name("pub")
    ada.subscribe(f"{gid}/g/+")
    ada.publish(f"{gid}/g/e", {"m": [ada.uid, bob.uid]}, retain=True)
    ada.wait("group members", gid, lambda one: set(one["m"]) == {ada.uid, bob.uid})
    ada.publish(f"{gid}/g/e", {"m": [ada.uid, name("nobody")]}, retain=True)
    ada.wait("group members", gid, lambda one: set(one["m"]) == {ada.uid, bob.uid})
    ada.publish(f"{gid}/g/e", {"m": [ada.uid]}, retain=True)
    ada.wait("group members", gid, lambda one: set(one["m"]) == {ada.uid, bob.uid})
    ada.publish(f"{bob.uid}/g/e", {"m": [ada.uid]}, retain=True)
    told = ada.wait("messages", where=lambda one: "taken" in one["m"] or "exists" in one["m"])
    assert told["s"] == "parley", told


def with_native_members(name):
    """A room that an application made: its mqtt-chat members are asked, see who is in it, and are told what they have no word for."""
    owner = Account(name("owner"))
    ada, = people(name, "ada")
    room = owner.call("POST", "/rooms", {"name": "Office", "settings": {"invitations": "ask"}})
    gid = room["id"]
    owner.call("POST", f"/rooms/{gid}/members", {"uids": [ada.uid]})
    ada.join(gid)
    ada.wait("group members", gid, lambda one: set(one["m"]) == {owner.uid, ada.uid})
    ada.wait_text(f"{ada.uid} joined", "group messages", gid)
    sent = owner.send(f"room/{gid}", {"type": "text", "data": "welcome"})
    assert ada.wait_text("welcome", "group messages", gid)["s"] == owner.uid
    owner.send(f"room/{gid}", {"type": "reaction", "seq": sent["seq"], "data": "🍵"})
    ada.wait_text("🍵 to: welcome", "group messages", gid)
    owner.call("PUT", f"/rooms/{gid}/members/{ada.uid}", {"role": "admin"})
    ada.wait("group messages", gid, lambda one: one["c"] == "NOTIFICATION" and "admin" in one["m"])
    owner.call("DELETE", f"/rooms/{gid}/members/{ada.uid}")
    ada.wait("group messages", gid, lambda one: one["c"] == "NOTIFICATION" and "removed" in one["m"])
    owner.send(f"room/{gid}", {"type": "text", "data": "without ada"})
    owner.send(f"user/{ada.uid}", {"type": "text", "data": "the last one"})
    ada.wait_text("the last one")
    assert "without ada" not in ada.texts("group messages", gid), ada.heard


def away_from_a_group(name):
    """A group's messages that came while a device was away, and a group that it was added to meanwhile."""
    ada, bob = people(name, "ada", "bob")
    first, second = name("one"), name("two")
    ada.publish(f"{first}/g/e", {"m": [ada.uid, bob.uid]}, retain=True)
    bob.join(first)
    ada.subscribe(f"{first}/g/+")
    ada.wait_text(f"{bob.uid} joined", "group messages", first)
    bob.leave()
    for number in range(5):
        ada.say(first, f"text {number}")
    ada.publish(f"{second}/g/e", {"m": [ada.uid, bob.uid]}, retain=True)
    ada.say(second, "in the second")
    bob.connect()
    bob.wait_text("text 4", "group messages", first)
    heard = [one for one in bob.texts("group messages", first) if one.startswith("text")]
    assert heard == [f"text {number}" for number in range(5)], heard
    bob.join(second)
    bob.wait_text("in the second", "group messages", second)


def parts_of_a_group(name):
    """A device hears those packets of a group that it has filters for, and what came since once it has one for the others."""
    owner = Account(name("owner"))
    ada, = people(name, "ada")
    gid = owner.call("POST", "/rooms", {"name": "Office"})["id"]
    ada.subscribe(f"{gid}/g/e")
    owner.call("POST", f"/rooms/{gid}/members", {"uids": [ada.uid]})
    ada.wait("group members", gid, lambda one: set(one["m"]) == {owner.uid, ada.uid})
    owner.send(f"room/{gid}", {"type": "text", "data": "before another came"})
    other = Account(name("other"))
    owner.call("POST", f"/rooms/{gid}/members", {"uids": [other.uid]})
    ada.wait("group members", gid, lambda one: other.uid in one["m"])
    texts = [f"text {number}" for number in range(3)]
    for text in texts:
        owner.send(f"room/{gid}", {"type": "text", "data": text})
    ada.subscribe(f"{gid}/g/m")
    ada.wait_text(texts[-1], "group messages", gid)
    assert ada.texts("group messages", gid) == texts, ada.heard


def states_in_a_group(name):
    ada, bob = people(name, "ada", "bob")
    gid = name("tea")
    ada.publish(f"{gid}/g/e", {"m": [ada.uid, bob.uid]}, retain=True)
    bob.join(gid)
    bob.subscribe(f"{gid}/o/c")
    ada.publish(f"{gid}/o/c", {"i": ada.uid, "c": "COMPOSING"}, qos=0)
    assert bob.wait("chatstate", gid)["i"] == ada.uid
