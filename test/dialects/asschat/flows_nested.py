"""Channels as endpoints of channels: the draft's example of three, and what follows from it."""
import functools
import time

from asschat import User
from side_by_side import flow, same

user = functools.cache(User)


def nest(outer, inner, mode=None):
    """Of the first's and the second's channels the second's becomes an endpoint of the first's; who manages it manages both for a moment."""
    (maker, outer_chid), (other, inner_chid) = (outer, inner)
    uid = other.clientid.split(":")[0]
    maker.does("add", outer_chid, uid)
    user(maker.clientid.split(":")[0]).http("PUT", f"/rooms/{outer_chid[1:]}/members/{uid}", {"role": "admin"})
    other.does("add", outer_chid, inner_chid + (f";{mode}" if mode else ""))
    maker.does("remove", outer_chid, uid)


def three(prefix):
    """ChID1 = [user1, user2], ChID2 = [user3, user4], ChID3 = [user5, ChID1, ChID2]."""
    people = {n: user(f"{prefix}-{n}").device() for n in "12345"}
    first, second, third = (f"${prefix}-ch{n}" for n in "123")
    user(f"{prefix}-x").device()
    people["1"].does("create", first, f"{prefix}-2")
    people["3"].does("create", second, f"{prefix}-4")
    people["5"].does("create", third, f"{prefix}-x")
    nest((people["5"], third), (people["1"], first))
    nest((people["5"], third), (people["3"], second))
    people["5"].does("remove", third, f"{prefix}-x")
    return people, first, second, third


def hears_once(device, body, chid=None):
    device.hears_message(body, chid)
    same(len(device.messages(body)), 1)


def hears_not(devices, body, behind):
    """`behind`: each has heard what was said after it."""
    for device in devices:
        same(device.messages(body), [])
        assert device.messages(behind), (device.clientid, behind)


@flow("ChID3 = [user5, ChID1, ChID2]: what user5 says reaches ChID1 and ChID2, what is said in those does not reach ChID3")
def example():
    people, first, second, third = three("nex")
    said = people["5"].says(third, "to all of you")
    for n, chid in (("1", first), ("2", first), ("3", second), ("4", second)):
        heard = people[n].hears_message("to all of you")
        same((heard.topic, heard.one("CHID"), heard.one("From")), (f"ass/msg/{chid}", chid, "user/nex-5"))
        same((heard.one("Id"), heard.all("Via")), (said.one("Id"), [third]))
    people["1"].says(first, "in the first")
    hears_once(people["2"], "in the first")
    same(people["1"].send(second, "not mine").one("Result"), "0x83")
    people["5"].says(third, "behind it")
    for n in "1234":
        hears_once(people[n], "behind it")
        hears_once(people[n], "to all of you")
    for n in "345":
        same(people[n].messages("in the first"), [])
    for body in ("to all of you", "behind it"):
        same(people["5"].messages(body), [])


@flow("where ChID1 and ChID2 have ChID3 as endpoint too, all three are connected: each device gets a message once, its sender none")
def connected():
    people, first, second, third = three("ncon")
    nest((people["1"], first), (people["5"], third))
    nest((people["3"], second), (people["5"], third))
    for n, chid in (("5", third), ("1", first), ("2", first), ("3", second), ("4", second)):
        people[n].says(chid, f"from {n}")
        for other in "12345":
            if other != n:
                people[other].hears_message(f"from {n}")
    people["4"].says(second, "the last")
    for n in "1235":
        people[n].hears_message("the last")
    time.sleep(1)
    for n in "12345":
        for other in "12345":
            same(len(people[n].messages(f"from {other}")), 0 if n == other else 1)


@flow("who is an endpoint of several channels on the way gets a message once, also when it was away")
def once():
    ada, bob, cal = (user(f"nonce-{one}").device() for one in "abc")
    ada.does("create", "$nonce-in1", "nonce-b")
    ada.does("create", "$nonce-in2", "nonce-b")
    ada.does("create", "$nonce-out", "nonce-b", "nonce-c", "$nonce-in1", "$nonce-in2")
    created = bob.hears_notification("created", "$nonce-out", EP="$nonce-in1")
    same(sorted(created.all("EP")), ["$nonce-in1", "$nonce-in2", "user/nonce-a", "user/nonce-b", "user/nonce-c"])
    cal.says("$nonce-out", "several ways")
    hears_once(bob, "several ways", "$nonce-out")
    bob.away()
    for n in range(5):
        cal.says("$nonce-out", f"missed {n}")
    ada.hears_message("missed 4")
    time.sleep(1)
    bob.connect()
    bob.hears_message("missed 4")
    cal.says("$nonce-out", "the last")
    bob.hears_message("the last")
    time.sleep(1)
    for body in ["several ways", *(f"missed {n}" for n in range(5)), "the last"]:
        same(len(bob.messages(body)), 1)
    ada.does("remove", "$nonce-out", "nonce-b")
    bob.hears_notification("endpoints-out", "$nonce-out", EP="user/nonce-b")
    cal.says("$nonce-out", "by two ways")
    bob.hears_message("by two ways")
    cal.says("$nonce-out", "behind")
    bob.hears_message("behind")
    time.sleep(1)
    same(len(bob.messages("by two ways")), 1)


@flow("channels come in and go out as endpoints: told with EP $x, and without one no message goes there")
def notifications():
    ada, bob, cal = (user(f"nin-{one}").device() for one in "abc")
    ada.does("create", "$nin-x", "nin-c")
    ada.does("create", "$nin", "nin-b")
    ada.does("add", "$nin", "$nin-x")
    for device in (ada, bob):
        same(device.hears_notification("endpoints-in", "$nin", OP="user/nin-a").all("EP"), ["$nin-x"])
    bob.says("$nin", "in")
    hears_once(cal, "in", "$nin-x")
    ada.does("remove", "$nin", "$nin-x")
    for device in (ada, bob):
        same(device.hears_notification("endpoints-out", "$nin", OP="user/nin-a").all("EP"), ["$nin-x"])
    bob.says("$nin", "out")
    ada.says("$nin-x", "behind")
    hears_once(cal, "behind")
    same(cal.messages("out"), [])


@flow("a channel and its maker are two endpoints; removing down to one deletes the channel")
def least():
    ada, bob = (user(f"nleast-{one}").device() for one in "ab")
    ada.does("create", "$nleast-x", "nleast-b")
    ada.does("create", "$nleast", "$nleast-x")
    same(sorted(ada.hears_notification("created", "$nleast").all("EP")), ["$nleast-x", "user/nleast-a"])
    ada.says("$nleast", "to it")
    hears_once(bob, "to it", "$nleast-x")
    ada.does("remove", "$nleast", "$nleast-x")
    ada.hears_notification("deleted", "$nleast", OP="user/nleast-a")
    ada.does("create", "$nleast-2", "nleast-b", "$nleast-x")
    ada.does("remove", "$nleast-2", "nleast-b")
    ada.hears_notification("endpoints-out", "$nleast-2", EP="user/nleast-b")
    ada.says("$nleast-2", "still here")
    hears_once(bob, "still here", "$nleast-x")


@flow("who does not manage both channels may not connect them; who manages the inner one may end it; a channel is none of its own")
def rights():
    ada, bob, eve = (user(f"nright-{one}").device() for one in "abe")
    ada.does("create", "$nright-1", "nright-b")
    bob.does("create", "$nright-2", "nright-a")
    eve.does("create", "$nright-3", "nright-b")
    same(ada.command("add", "$nright-1", "$nright-2").one("Result"), "0x87")
    hidden = ada.command("add", "$nright-1", "$nright-3")
    nowhere = ada.command("add", "$nright-1", "$nright-none")
    same((hidden.one("Result"), nowhere.one("Result")), ("0x83", "0x83"))
    same(hidden.one("Reason"), nowhere.one("Reason").replace("none", "3"))
    same(ada.command("create", "$nright-new", "$nright-3").one("Result"), "0x83")
    same(bob.command("add", "$nright-1", "$nright-2").one("Result"), "0x87")
    same(ada.command("add", "$nright-1", "$nright-1").one("Result"), "0x83")
    user("nright-b").http("PUT", "/rooms/nright-2/members/nright-a", {"role": "admin"})
    ada.does("add", "$nright-1", "$nright-2")
    same(eve.command("remove", "$nright-1", "$nright-2").one("Result"), "0x83")
    ada.does("remove", "$nright-1", "nright-b")
    bob.does("remove", "$nright-1", "$nright-2")
    ada.hears_notification("deleted", "$nright-1")


@flow("a channel that is deleted is no endpoint any more once somebody speaks: with one endpoint left the outer one is deleted too")
def ended():
    ada, bob = (user(f"nended-{one}").device() for one in "ab")
    user("nended-c").device()
    ada.does("create", "$nended-in", "nended-c")
    ada.does("create", "$nended-one", "$nended-in")
    ada.does("create", "$nended-two", "nended-b", "$nended-in")
    ada.does("delete", "$nended-in")
    for outer in ("one", "two"):
        ada.says(f"$nended-{outer}", "is anybody there")
    same(bob.hears_notification("endpoints-out", "$nended-two").all("EP"), ["$nended-in"])
    ada.hears_notification("deleted", "$nended-one")
    ada.says("$nended-two", "still here")
    bob.hears_message("still here")


@flow("Mode of a channel as endpoint: write gets nothing; read is not heard, though the other has it as endpoint")
def modes():
    ada, bob, cal = (user(f"nmode-{one}").device() for one in "abc")
    ada.does("create", "$nmode-x", "nmode-c")
    ada.does("create", "$nmode", "nmode-b", "$nmode-x;write")
    ada.does("add", "$nmode-x", "$nmode")
    bob.says("$nmode", "for writers not")
    cal.says("$nmode-x", "from within")
    hears_once(bob, "from within", "$nmode")
    ada.does("add", "$nmode", "$nmode-x", Mode="read")
    bob.says("$nmode", "to readers")
    hears_once(cal, "to readers", "$nmode-x")
    cal.says("$nmode-x", "unheard")
    time.sleep(1)
    ada.does("add", "$nmode", "$nmode-x", Mode="read-write")
    cal.says("$nmode-x", "heard again")
    hears_once(bob, "heard again")
    same((cal.messages("for writers not"), bob.messages("unheard")), ([], []))


@flow("MaxWriteSpeed of the inner channel counts too: what is too fast for it is not delivered there, and not later")
def speed():
    ada, bob, cal = (user(f"nspeed-{one}").device() for one in "abc")
    ada.does("create", "$nspeed-x", "nspeed-c", MaxWriteSpeed="2")
    ada.does("create", "$nspeed", "nspeed-b", "$nspeed-x")
    for ack in [ada.publish("ass/msg/$nspeed", f"fast {n}") for n in range(12)]:
        same(ada.acked(ack).one("Result"), "0")
    bob.hears_message("fast 11")
    time.sleep(1.5)
    ada.says("$nspeed", "slowly")
    hears_once(cal, "slowly", "$nspeed-x")
    heard = [one.body for one in cal.all(lambda one: one.topic == "ass/msg/$nspeed-x")]
    assert 3 <= len(heard) < 13, heard
    same(heard, sorted(heard, key=lambda body: int(body.split()[1]) if body != "slowly" else 99))


@flow("edits, recalls, reactions and answers are about the copy: with its Seq; what an owner recalls is gone in both")
def kinds():
    ada, bob, cal = (user(f"nkind-{one}").device() for one in "abc")
    ada.does("create", "$nkind-x", "nkind-c")
    cal.says("$nkind-x", "one more, so that Seq differs")
    ada.does("create", "$nkind", "nkind-b", "$nkind-x")
    seq = bob.says("$nkind", "frist").one("Seq")
    place = cal.hears_message("frist").one("Seq")
    assert place != seq, place
    bob.says("$nkind", "first", ("Edit", seq))
    same(cal.hears_message("first").one("Edit"), place)
    ada.says("$nkind", "👍", ("Reaction", seq))
    same(cal.hears_message("👍").one("Reaction"), place)
    ada.says("$nkind", "an answer", ("Reply", seq))
    same(cal.hears_message("an answer").one("Reply"), place)
    ada.says("$nkind", "", ("Recall", seq))
    same(cal.hears(lambda one: one.one("Recall") == place, "the recall").one("CHID"), "$nkind-x")
    page = user("nkind-c").http("GET", "/conversations/room%2Fnkind-x/messages")
    gone = [one for one in page["messages"] if one["seq"] == int(place)]
    same([one["recalled"]["by"] for one in gone], ["nkind-a"])
    early = ada.says("$nkind-x", "only within").one("Seq")
    cal.says("$nkind-x", "about it", ("Reply", early))
