"""Every flow of ASSChat's draft, with people of its own."""
import functools
import hashlib
import time

import paho.mqtt.client as mqtt

import flows_nested  # noqa: F401
from asschat import PASSWORD, Device, User
from http_json import http
from side_by_side import flow, run, same

user = functools.cache(User)


def devices(prefix, names="ab", **options):
    """A device of each of so many users."""
    return [user(f"{prefix}-{name}").device(**options) for name in names]


def direct(one, other):
    """The channel of two users, as documented: named by their conversation."""
    first, second = sorted([one, other])
    return "$p-" + hashlib.sha256(f"p2p/{first}/{second}".encode()).hexdigest()[:24]


def quiet(device, body):
    same(device.messages(body), [])


@flow("a channel is created: acknowledged, told to its endpoints with CHID, OP and EP, and messages go to all but their sender")
def create():
    ada, bob, cal = devices("create", "abc")
    ack = ada.does("create", "$create-1", "user/create-b", "create-c")
    same((ack.one("CHID"), ack.topic), ("$create-1", "ass/ack"))
    for device in (ada, bob, cal):
        told = device.hears_notification("created", "$create-1", OP="user/create-a")
        same(sorted(told.all("EP")), ["user/create-a", "user/create-b", "user/create-c"])
    said = ada.says("$create-1", "hello 👋 всім", ("Тип", "значення 👋"), ("2", "two"))
    for name in ("Id", "Seq", "Ts"):
        assert said.one(name), said
    for device in (bob, cal):
        heard = device.hears_message("hello 👋 всім")
        same(heard.topic, "ass/msg/$create-1")
        same((heard.one("CHID"), heard.one("From")), ("$create-1", "user/create-a"))
        same([heard.one(name) for name in ("Id", "Seq", "Ts")], [said.one(name) for name in ("Id", "Seq", "Ts")])
        same((heard.one("Тип"), heard.one("2")), ("значення 👋", "two"))
    bob.says("$create-1", "and back")
    ada.hears_message("and back")
    cal.hears_message("and back")
    quiet(ada, "hello 👋 всім")
    quiet(bob, "and back")


@flow("a channel without CHID is given one, the same where the packet comes again")
def made():
    ada, bob = devices("made")
    ack = ada.does("create", None, "made-b")
    chid = ack.one("CHID")
    assert chid.startswith("$c-"), chid
    bob.hears_notification("created", chid, OP="user/made-a")
    ada.says(chid, "in it")
    bob.hears_message("in it", chid)


@flow("who is no endpoint may not send: 0x87; where there is no channel: 0x83")
def strangers():
    ada, bob, eve = devices("stranger", "abe")
    ada.does("create", "$stranger", "stranger-b")
    for chid in ("$stranger", "$nowhere", direct("stranger-b", "stranger-x")):
        ack = eve.send(chid, "let me in")
        same((ack.one("Result"), ack.one("CHID")), ("0x83", chid))
        assert ack.one("Reason") and ack.body, ack
    ada.does("add", "$stranger", "stranger-e")
    eve.hears_notification("endpoints-in", "$stranger")
    ada.does("remove", "$stranger", "stranger-e")
    eve.hears_notification("endpoints-out", "$stranger")
    same(eve.send("$stranger", "again").one("Result"), "0x87")
    quiet(bob, "again")


@flow("endpoints are added and removed: told to all with CHID, EP and OP; who is out hears nothing any more")
def endpoints():
    ada, bob, cal, dan = devices("ep", "abcd")
    ada.does("create", "$ep", "ep-b")
    ada.does("add", "$ep", "user/ep-c", "user/ep-d")
    for device in (ada, bob, cal, dan):
        told = device.hears_notification("endpoints-in", "$ep", OP="user/ep-a")
        same(sorted(told.all("EP")), ["user/ep-c", "user/ep-d"])
    ada.says("$ep", "to all")
    for device in (bob, cal, dan):
        device.hears_message("to all")
    ada.does("remove", "$ep", "ep-c")
    for device in (ada, bob, cal, dan):
        same(device.hears_notification("endpoints-out", "$ep", OP="user/ep-a").all("EP"), ["user/ep-c"])
    ada.says("$ep", "without cal")
    dan.hears_message("without cal")
    quiet(cal, "without cal")
    dan.does("remove", "$ep", "ep-d")
    bob.hears_notification("endpoints-out", "$ep", OP="user/ep-d", EP="user/ep-d")
    same(bob.command("add", "$ep", "ep-c").one("Result"), "0x87")
    same(bob.command("remove", "$ep", "ep-a").one("Result"), "0x87")
    same(bob.command("delete", "$ep").one("Result"), "0x87")


@flow("a channel is deleted: told with CHID and OP, and nothing is sent there any more")
def delete():
    ada, bob = devices("del")
    ada.does("create", "$del", "del-b")
    ada.says("$del", "last words")
    bob.hears_message("last words")
    ada.does("delete", "$del")
    for device in (ada, bob):
        device.hears_notification("deleted", "$del", OP="user/del-a")
    same(bob.send("$del", "too late").one("Result"), "0x83")
    same(ada.command("delete", "$del").one("Result"), "0x83")
    same(ada.command("create", "$del", "del-b").one("Result"), "0x83")


@flow("a channel has two endpoints at least: one is refused, and removing down to one deletes it")
def least():
    ada, bob, cal = devices("least", "abc")
    for endpoints in ((), ("least-a",), ("user/least-a", "user/least-a")):
        same(ada.command("create", "$least-0", *endpoints).one("Result"), "0x83")
    ada.does("create", "$least", "least-b", "least-c")
    ada.does("remove", "$least", "least-c")
    bob.hears_notification("endpoints-out", "$least", EP="user/least-c")
    ada.does("remove", "$least", "least-b")
    for device in (ada, bob):
        device.hears_notification("deleted", "$least", OP="user/least-a")
    ada.does("create", "$least-2", "least-b")
    bob.does("remove", "$least-2", "least-b")
    ada.hears_notification("deleted", "$least-2", OP="user/least-b")


@flow("what is wrong is refused with 0x83 and a word: ids, endpoints, a channel in itself, modes, speeds, topics, bodies")
def wrong():
    ada, _ = devices("wrong")
    for chid in ("no-dollar", "$", "$" + "x" * 32, "$a b", "$a.b", "$ä"):
        same(ada.command("create", chid, "wrong-b").one("Result"), "0x83")
    for endpoint in ("user/", "a/b", "user/a b", ":wrong-b", "user/wrong-b/client/", "wrong-b;sing", "$" + "x" * 32):
        ack = ada.command("create", "$wrong", endpoint, "wrong-b")
        same(ack.one("Result"), "0x83")
        assert "EP" in ack.one("Reason"), ack
    same(ada.command("create", "$wrong", "wrong-b", "$wrong").one("Result"), "0x83")
    same(ada.command("create", "$wrong", "nobody-at-all").one("Result"), "0x83")
    same(ada.command("create", "$wrong", "wrong-b", Mode="sing").one("Result"), "0x83")
    for speed in ("0", "-1", "fast", "1.5", "1001"):
        same(ada.command("create", "$wrong", "wrong-b", MaxWriteSpeed=speed).one("Result"), "0x83")
    for topic in ("ass/cmd/rename", "ass/msg", "ass/msg/", "ass/ntf/$wrong", "ass/x"):
        same(ada.acked(ada.publish(topic, "x")).one("Result"), "0x83")
    ada.does("create", "$wrong", "wrong-b")
    for pairs in ([("Edit", "x")], [("Recall", "0")], [("Reply", "-1")], [("CHID", "$other")], [("Type", "event")]):
        same(ada.send("$wrong", "x", *pairs).one("Result"), "0x83")
    same(ada.send("$wrong", b"\xff\xfe").one("Result"), "0x83")


@flow("Mode: read may not send, write receives nothing, read-write does both; for all or for one endpoint, and changed later")
def modes():
    ada, bob, cal, dan = devices("mode", "abcd")
    ada.does("create", "$mode", "mode-b;read", "mode-c;write", "mode-d", Mode="read-write")
    for device in (bob, cal, dan):
        device.hears_notification("created", "$mode")
    same(bob.send("$mode", "may I?").one("Result"), "0x87")
    cal.says("$mode", "from a writer")
    bob.hears_message("from a writer")
    ada.says("$mode", "not for writers")
    dan.hears_message("not for writers")
    bob.hears_message("not for writers")
    ada.does("add", "$mode", "mode-b", Mode="write")
    ada.hears_notification("mode", "$mode", EP="user/mode-b", OP="user/mode-a")
    bob.says("$mode", "now I may")
    dan.hears_message("now I may")
    ada.says("$mode", "and bob hears no more")
    dan.hears_message("and bob hears no more")
    ada.does("add", "$mode", "mode-c;read-write")
    ada.says("$mode", "welcome")
    cal.hears_message("welcome")
    cal.says("$mode", "thanks")
    dan.hears_message("thanks")
    for device, body in ((cal, "not for writers"), (bob, "and bob hears no more"), (bob, "welcome"), (cal, "and bob hears no more")):
        quiet(device, body)


@flow("who only writes is sent nothing of it when it comes back either, and reads nothing of it over HTTP")
def writers():
    ada, bob = devices("writer")
    ada.does("create", "$writer", "writer-b", Mode="write")
    bob.hears_notification("created", "$writer")
    bob.away()
    ada.says("$writer", "secret")
    bob.connect()
    bob.says("$writer", "I am back")
    ada.hears_message("I am back")
    ada.does("add", "$writer", "writer-b", Mode="read-write")
    ada.says("$writer", "now you hear")
    bob.hears_message("now you hear")
    quiet(bob, "secret")
    page = user("writer-b").http("GET", "/conversations/room%2Fwriter/messages")
    assert all(one["content"].get("data") != "secret" for one in page["messages"]), page


@flow("MaxWriteSpeed: what is too fast is refused with 0x97 and not delivered; a second later it is taken")
def speed():
    ada, bob = devices("speed")
    ada.does("create", "$speed", "speed-b", MaxWriteSpeed="2")
    same(bob.hears_notification("created", "$speed").one("MaxWriteSpeed"), "2")
    results = [ada.acked(one).one("Result") for one in [ada.publish("ass/msg/$speed", f"fast {n}") for n in range(10)]]
    assert results.count("0") >= 2 and "0x97" in results, results
    taken = [n for n, result in enumerate(results) if result == "0"]
    time.sleep(1.2)
    ada.says("$speed", "slowly")
    bob.hears_message("slowly")
    for n in range(10):
        same(len(bob.messages(f"fast {n}")), 1 if n in taken else 0)
    ada.does("add", "$speed", MaxWriteSpeed="100")
    bob.says("$speed", "one")
    bob.says("$speed", "two")
    bob.says("$speed", "three")


@flow("a notification that was not acknowledged is sent again at every connect until it is; one that was, is not")
def notified_again():
    ada = user("again-a").device()
    bob = user("again-b").device(acks=False)
    ada.does("create", "$again", "again-b")
    told = bob.hears_notification("created", "$again")
    ada.does("add", "$again", "again-a")
    ada.says("$again", "and a message")
    bob.hears_message("and a message")
    time.sleep(1.5)
    bob.away()
    bob.connect()
    again = bob.hears_notification("created", "$again", count=2)
    same((again.correlation, again.one("OP")), (told.correlation, "user/again-a"))
    bob.ack(again)
    ada.says("$again", "after the ack")
    bob.hears_message("after the ack")
    time.sleep(1.5)
    bob.away()
    bob.connect()
    ada.does("create", "$again-2", "again-b")
    bob.hears_notification("created", "$again-2")
    same(len(bob.notifications("created", "$again")), 2)
    same(len(bob.messages("and a message")), 1)


@flow("what happened while a device was away is told when it is back: notifications and messages, each once")
def away():
    ada, bob = devices("away")
    ada.does("create", "$away", "away-b")
    bob.hears_notification("created", "$away")
    bob.away()
    ada.does("add", "$away", user("away-c").uid)
    for n in range(5):
        ada.says("$away", f"missed {n}")
    bob.connect()
    bob.hears_notification("endpoints-in", "$away", EP="user/away-c")
    bob.hears_message("missed 4")
    bodies = [one.body for one in bob.all(lambda one: one.topic == "ass/msg/$away")]
    same(bodies, [f"missed {n}" for n in range(5)])
    same(len(bob.notifications("endpoints-in", "$away")), 1)


@flow("a device that hears notifications only later is told then what it has not acknowledged")
def heard_later():
    ada = user("later-a").device()
    bob = user("later-b").device(filters=("ass/msg/+", "ass/ack"))
    ada.does("create", "$later", "later-b")
    ada.says("$later", "early")
    bob.hears_message("early")
    same(bob.notifications("created", "$later"), [])
    bob.subscribe("ass/ntf/+")
    bob.hears_notification("created", "$later", OP="user/later-a")


@flow("a message goes to all clients user1:…, and to the sender's other clients, never to the sending one")
def several():
    first, second = user("many-a").device("mobile"), user("many-a").device("pc:1")
    bob = user("many-b").device()
    first.does("create", "$many", "many-b")
    bob.hears_notification("created", "$many")
    bob.says("$many", "to both")
    for device in (first, second):
        device.hears_message("to both")
    first.says("$many", "from the first")
    same(second.hears_message("from the first").one("From"), "user/many-a")
    quiet(first, "from the first")


def of(device, chid):
    """All that a device was told of a channel, but the answers to what it sent."""
    return device.all(lambda one: one.one("CHID") == chid and one.topic != "ass/ack")


@flow("an endpoint may be one client: it alone hears and writes, is told of it, and the user's other clients are told nothing, then or later")
def client():
    ada, cal = devices("client", "ac")
    pc, phone = user("client-b").device("pc"), user("client-b").device("phone")
    ada.does("create", "$client", "user/client-b/client/client-b:pc", "client-c")
    for device in (ada, cal, pc):
        told = device.hears_notification("created", "$client", OP="user/client-a")
        same(sorted(told.all("EP")), ["user/client-a", "user/client-b/client/client-b:pc", "user/client-c"])
    ada.says("$client", "for the pc")
    pc.hears_message("for the pc")
    pc.says("$client", "from the pc")
    same(ada.hears_message("from the pc").one("From"), "user/client-b")
    refused = phone.send("$client", "me too")
    same(refused.one("Result"), "0x87")
    assert "other devices" in refused.one("Reason"), refused
    for verb, endpoint in (("add", "client-b:phone"), ("add", "client-b"), ("remove", "client-b:pc"), ("remove", "client-b")):
        same(phone.command(verb, "$client", endpoint).one("Result"), "0x87")
    phone.away()
    ada.says("$client", "while the phone was away")
    pc.hears_message("while the phone was away")
    phone.connect()
    new = user("client-b").device("new")
    for device in (phone, new):
        ada.does("create", f"$client-{device.clientid[9:]}", "client-b")
        device.hears_notification("created", f"$client-{device.clientid[9:]}")
        same(of(device, "$client"), [])
    listed = user("client-b").http("GET", "/conversations")["conversations"]
    assert all(one["conv"] != "room/client" for one in listed), listed
    pc.away()
    ada.says("$client", "while the pc was away")
    pc.connect()
    pc.hears_message("while the pc was away")
    same([one.body for one in of(pc, "$client")][-2:], ["while the phone was away", "while the pc was away"])


@flow("clients come in and go out one by one, named as EP: user/{uid}/client/{clientId}; with the user all come in, and none goes alone then")
def clients():
    ada, cal = devices("clients", "ac")
    pc, phone = user("clients-b").device("pc"), user("clients-b").device("phone")
    ada.does("create", "$clients", "clients-b:pc", "clients-c")
    pc.hears_notification("created", "$clients")
    ada.says("$clients", "before the phone")
    pc.hears_message("before the phone")
    ada.does("add", "$clients", "clients-b:phone")
    for device in (ada, cal, pc, phone):
        told = device.hears_notification("endpoints-in", "$clients", OP="user/clients-a")
        same(told.all("EP"), ["user/clients-b/client/clients-b:phone"])
    ada.says("$clients", "to both")
    for device in (pc, phone):
        device.hears_message("to both")
    pc.says("$clients", "to my other one")
    phone.hears_message("to my other one")
    quiet(pc, "to my other one")
    ada.does("remove", "$clients", "user/clients-b/client/clients-b:pc")
    for device in (ada, cal, pc, phone):
        told = device.hears_notification("endpoints-out", "$clients", OP="user/clients-a")
        same(told.all("EP"), ["user/clients-b/client/clients-b:pc"])
    ada.says("$clients", "to the phone alone")
    phone.hears_message("to the phone alone")
    quiet(phone, "before the phone")
    same(pc.send("$clients", "am I in?").one("Result"), "0x87")
    ada.does("add", "$clients", "user/clients-b")
    for device in (ada, phone, pc):
        device.hears_notification("endpoints-in", "$clients", EP="user/clients-b")
    pc.says("$clients", "back again")
    phone.hears_message("back again")
    ada.says("$clients", "to all of them")
    for device in (pc, phone):
        device.hears_message("to all of them")
    quiet(pc, "to the phone alone")
    same(ada.command("remove", "$clients", "clients-b:pc").one("Result"), "0x83")
    ada.does("remove", "$clients", "clients-b")
    for device in (pc, phone):
        same(device.hears_notification("endpoints-out", "$clients", EP="user/clients-b").all("EP"), ["user/clients-b"])


@flow("the last client takes its user out, itself too; each client counts as an endpoint; its mode is its user's")
def last_client():
    ada, eve = devices("last", "ae")
    pc, phone = user("last-b").device("pc"), user("last-b").device("phone")
    same(ada.command("create", "$last-0", "last-a:pc").one("Result"), "0x83")
    for endpoint in ("user/last-b/client/last-a:pc", "user/last-b/client/other", "user/last-b/client/"):
        same(ada.command("create", "$last-0", endpoint, "last-e").one("Result"), "0x83")
    ada.does("create", "$last", "last-b:pc;read", "last-b:phone;read", "last-e:pc")
    for device in (pc, phone, eve):
        device.hears_notification("created", "$last")
    same(pc.send("$last", "may I?").one("Result"), "0x87")
    ada.does("add", "$last", "last-b:pc;read-write")
    pc.says("$last", "now I may")
    phone.hears_message("now I may")
    eve.does("remove", "$last", "last-e:pc")
    for device in (ada, eve, pc):
        told = device.hears_notification("endpoints-out", "$last", OP="user/last-e")
        same(told.all("EP"), ["user/last-e/client/last-e:pc"])
    same(eve.send("$last", "gone").one("Result"), "0x87")
    ada.does("remove", "$last", "last-a")
    pc.says("$last", "the two of us")
    phone.hears_message("the two of us")
    pc.does("remove", "$last", "last-b:phone")
    for device in (pc, phone):
        device.hears_notification("deleted", "$last", OP="user/last-b")


@flow("two users without a channel of their making have one: $p-…, told before its first message; its endpoints do not change")
def two():
    ada, bob = devices("two")
    chid = direct("two-a", "two-b")
    same(ada.send(chid, "not yet").one("Result"), "0x83")
    same(ada.command("create", chid, "two-x").one("Result"), "0x83")
    ada.does("create", chid, "user/two-b")
    ada.says(chid, "hi bob")
    created = bob.hears_notification("created", chid, OP="user/two-a")
    same(sorted(created.all("EP")), ["user/two-a", "user/two-b"])
    message = bob.hears_message("hi bob", chid)
    assert bob.heard.index(created) < bob.heard.index(message)
    bob.says(chid, "hi ada")
    ada.hears_message("hi ada", chid)
    late = user("two-b").device("late")
    late.says(chid, "from a device that heard nothing of it")
    ada.hears_message("from a device that heard nothing of it", chid)
    for verb in ("add", "remove"):
        same(ada.command(verb, chid, "two-b").one("Result"), "0x87")
    same(ada.command("delete", chid).one("Result"), "0x87")


@flow("rooms of others are channels: $ and the id, or $r-… where that is no channel id")
def rooms():
    ada, bob = devices("rooms")
    http_ada = user("rooms-a")
    http_ada.http("POST", "/rooms", {"id": "rooms.tea", "name": "tea", "members": ["rooms-b"]})
    http_ada.http("POST", "/messages", {"to": "room/rooms.tea", "content": {"type": "text", "data": "over HTTP"}})
    chid = "$r-" + hashlib.sha256(b"room/rooms.tea").hexdigest()[:24]
    bob.hears_notification("created", chid, OP="user/rooms-a")
    bob.hears_message("over HTTP", chid)
    bob.says(chid, "over MQTT")
    ada.hears_message("over MQTT", chid)
    late = user("rooms-b").device("late")
    late.says(chid, "found by its digest")
    ada.hears_message("found by its digest", chid)


@flow("edits, recalls, reactions, answers and files have properties of their own, both ways")
def kinds():
    ada, bob = devices("kinds")
    ada.does("create", "$kinds", "kinds-b")
    seq = ada.says("$kinds", "frist", ("Id", "k1")).one("Seq")
    same(bob.hears_message("frist").one("Id"), "k1")
    ada.says("$kinds", "first", ("Edit", seq))
    same(bob.hears_message("first").one("Edit"), seq)
    bob.says("$kinds", "👍", ("Reaction", seq))
    same(ada.hears_message("👍").one("Reaction"), seq)
    bob.says("$kinds", "an answer", ("Reply", seq))
    same(ada.hears_message("an answer").one("Reply"), seq)
    ada.says("$kinds", "https://media.example/a.png", ("Name", "a.png"), ("Caption", "look"), content_type="image/png")
    image = bob.hears_message("https://media.example/a.png")
    same((image.content_type, image.one("Name"), image.one("Caption")), ("image/png", "a.png", "look"))
    ada.says("$kinds", "", ("Recall", seq))
    same(bob.hears(lambda one: one.one("Recall") == seq, "the recall").body, "message removed")
    user("kinds-a").http(
        "POST", "/messages", {"to": "room/kinds", "content": {"type": "poll", "question": "Tea?", "options": ["yes", "no"]}}
    )
    bob.hears(lambda one: one.topic == "ass/msg/$kinds" and "Tea?" in one.body, "the poll in words")


@flow("User Defined Notifications: an application's own types, with CHID, OP, Type and a body, acknowledged as the others")
def defined():
    ada = user("own-a").device()
    bob = user("own-b").device(acks=False)
    ada.does("create", "$own", "own-b")
    bob.ack(bob.hears_notification("created", "$own"))
    ada.says("$own", "the kettle boils", ("Type", "x-kettle"))
    told = bob.hears_notification("x-kettle", "$own", OP="user/own-a")
    same(told.body, "the kettle boils")
    time.sleep(1.5)
    bob.away()
    bob.connect()
    bob.ack(bob.hears_notification("x-kettle", "$own", count=2))
    same(len(bob.notifications("created", "$own")), 1)
    user("own-a").http("POST", "/rooms/own/archive")
    bob.hears_notification("archive", "$own", OP="user/own-a")


@flow("who wants to be asked first is told, and is an endpoint when it adds itself")
def asked():
    ada, bob = devices("asked")
    user("asked-b").http("PUT", "/invitations", {"invitations": "ask"})
    ada.does("create", "$asked", "asked-b", user("asked-c").uid)
    bob.hears_notification("invitation", "$asked", OP="user/asked-a")
    same(bob.send("$asked", "not yet").one("Result"), "0x87")
    bob.does("add", "$asked", "asked-b")
    ada.hears_notification("endpoints-in", "$asked", EP="user/asked-b")
    bob.says("$asked", "here I am")


@flow("an answer goes to the Response Topic that the packet names, with its correlation data")
def response_topic():
    ada, _ = devices("resp")
    correlation = ada.publish("ass/cmd/create", "", [("CHID", "$resp"), ("EP", "resp-b")], response="ass/ack/mine")
    ack = ada.hears(lambda one: one.correlation == correlation, "the ack")
    same((ack.topic, ack.one("Result")), ("ass/ack/mine", "0"))


@flow("properties count by their names, in whatever order clients write them")
def order():
    ada, bob, cal = devices("order", "abc")
    pairs = [("1", "one"), ("EP", "order-b"), ("EP", "order-c"), ("Mode", "read-write"), ("CHID", "$order")]
    same(ada.acked(ada.publish("ass/cmd/create", "", pairs)).one("Result"), "0")
    for device in (bob, cal):
        device.hears_notification("created", "$order")


@flow("a large channel is acknowledged at once and made in the background; its endpoints are told in several packets")
def large():
    ada, = devices("large", "a")
    names = [f"large-{n}" for n in range(120)]
    for name in names:
        http("POST", "/register", {"username": name, "password": PASSWORD})
    last = Device("large-119", "pc")
    ada.does("create", "$large", *names)
    created = last.hears_notification("created", "$large")
    more = last.hears_notification("endpoints-in", "$large")
    same(sorted([*created.all("EP"), *more.all("EP")]), sorted(f"user/{one}" for one in ["large-a", *names]))
    ada.says("$large", "hello all")
    last.hears_message("hello all")
    correlation = ada.publish("ass/cmd/create", "", [("CHID", "$large-2"), *(("EP", one) for one in [*names, "nobody-there"])])
    ada.hears(lambda one: one.correlation == correlation and one.one("Result") == "0", "that it is accepted")
    refusal = ada.hears(lambda one: one.correlation == correlation and one.one("Result") == "0x83", "that it came to nothing")
    assert "nobody-there" in refusal.one("Reason"), refusal


@flow("QoS 0 is as good as 1")
def qos0():
    ada, bob = devices("qos")
    ada.does("create", "$qos", "qos-b")
    same(ada.send("$qos", "no handshake", qos=0).one("Result"), "0")
    bob.hears_message("no handshake")


@flow("MQTT 3.1.1 is refused at CONNECT, or in words where only topics say that it is ASSChat")
def old():
    refused = Device(user("old-b").uid, "old", version=mqtt.MQTTv311, fails=True)
    assert refused.reason.is_failure, refused.reason
    refused.mqtt.loop_stop()
    user("old-a")
    plain = Device("old-a", "old", version=mqtt.MQTTv311, client_id="old-a", token=PASSWORD)
    plain.mqtt.publish("ass/msg/$create-1", "hi", qos=1)
    assert "MQTT 5" in plain.hears(lambda one: one.topic == "ass/ack", "a word").body


@flow("who first came over 3.1.1 is told what was said meanwhile when it comes over MQTT 5")
def newer():
    ada = user("newer-a").device()
    user("newer-b")
    ada.does("create", "$newer", "newer-b")
    old = Device("newer-b", "old", version=mqtt.MQTTv311, client_id="newer-b", token=PASSWORD)
    old.mqtt.publish("ass/msg/$newer", "hi", qos=1)
    old.hears(lambda one: one.topic == "ass/ack", "a word")
    ada.says("$newer", "while it is here")
    ada.says("$newer", "here too")
    time.sleep(1)
    old.away()
    ada.says("$newer", "while it is away")
    new = Device("newer-b", "new", client_id="newer-b", token=PASSWORD)
    new.hears_message("while it is away")
    bodies = [one.body for one in new.heard if one.topic == "ass/msg/$newer"]
    same(bodies, ["while it is here", "here too", "while it is away"])


@flow("a new client is told nothing of a channel that its user has left, also when it comes again")
def left():
    ada, bob = user("left-a").device(), user("left-b").device()
    user("left-c")
    ada.does("create", "$left", "left-b", "left-c")
    ada.says("$left", "before")
    bob.hears_message("before")
    ada.does("remove", "$left", "left-b")
    bob.hears_notification("endpoints-out", "$left", EP="user/left-b")
    ada.does("create", "$left-other", "left-b")
    for keeps in (3_600, 0):
        new = user("left-b").device(f"new{keeps}", keeps=keeps)
        for _ in range(2):
            ada.says("$left-other", "now")
            new.hears_message("now")
            new.away()
            new.connect()
        same([one for one in new.heard if one.topic.endswith("$left")], [])


@flow("create without CHID that comes again, in any order of its endpoints, is the same channel and is accepted")
def again():
    ada = user("again-a").device()
    for one in "bc":
        user(f"again-{one}")
    acks = lambda: ada.all(lambda one: one.topic == "ass/ack" and one.correlation == b"same")
    for count, endpoints in enumerate((("again-b", "again-c"), ("again-b", "again-c"), ("user/again-c", "again-b")), 1):
        ada._publish("ass/cmd/create", "", [("EP", one) for one in endpoints], b"same")
        ada.hears(lambda _, count=count: len([one for one in ada.heard if one.correlation == b"same"]) >= count, f"ack {count}")
    same({(one.one("Result"), one.one("CHID")) for one in acks()}, {("0", acks()[0].one("CHID"))})


@flow("what stands twice, or names no message, is refused; a text that was uploaded is a file")
def once_each():
    ada, bob = user("each-a").device(), user("each-b").device()
    ada.does("create", "$each", "each-b")
    for pairs in ([("Id", "one"), ("Id", "two")], [("Edit", "")], [("Reply", "0")], [("Reaction", "")]):
        same(ada.send("$each", "hi", *pairs).one("Result"), "0x83")
    file = http("POST", "/attachments", raw=b"plain words", token=user("each-a").token)
    ada.says("$each", file["url"], ("Name", "words.txt"), content_type="text/plain")
    heard = bob.hears(lambda one: one.one("Name") == "words.txt", "the file")
    same(heard.content_type, "text/plain")
    ada.says("$each", "https://example.org/", content_type="text/plain")
    bob.hears_message("https://example.org/")


@flow("a client id is the user id, or that, a colon and more: with another one a token is refused")
def client_ids():
    name = user("ids-a").uid
    login = {"username": name, "password": PASSWORD, "device": "pc", "dialect": "asschat"}
    token = http("POST", "/login", login)["token"]
    for wrong_id in ("ids-b:pc", "other"):
        refused = Device(name, client_id=wrong_id, token=token, fails=True)
        assert refused.reason.is_failure, wrong_id
        refused.mqtt.loop_stop()
    Device(name, client_id=f"{name}:pc", token=token)


if __name__ == "__main__":
    run()
