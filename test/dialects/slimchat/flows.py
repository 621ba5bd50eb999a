"""Every flow of the SlimChat draft, each by itself, with people of its own."""
import functools
import json
import time

import paho.mqtt.client as mqtt

from http_json import http, must_refuse
from side_by_side import flow, run, same
from slimchat import PASSWORD, Device, User

user = functools.cache(User)


def pair(prefix, **options):
    one, other = user(f"{prefix}-a"), user(f"{prefix}-b")
    return one.device("1", **options), other.device("1", **options)


def is_text(data):
    return lambda _, packet: packet.get("content", {}).get("data") == data


@flow("login answers a Client: clientid and ticket")
def login():
    device = user("login").device("1")
    same(device.clientid, "slim-login-1")
    assert device.ticket
    wrong = {"username": "login", "password": "wrong password", "clientid": "slim-login-2"}
    must_refuse(401, http, "POST", "/login", wrong)


@flow("a text goes to user/{uid}, field by field, and comes back to its sender once, with ts, on the client's own topic")
def text():
    jack, rose = pair("text")
    sent = jack.send("user/text-b", "blabla", ts=1)
    topic, packet = rose.hears_message(sent)
    same(topic, "$IM/user/text-b")
    same(
        {name: packet[name] for name in ("id", "from", "to", "type", "thread", "content")},
        {
            "id": sent,
            "from": "text-a",
            "to": "text-b",
            "type": "chat",
            "thread": "thread1",
            "content": {"type": "text", "data": "blabla"},
        },
    )
    assert abs(packet["ts"] / 1000 - time.time()) < 600, packet["ts"]
    ack = jack.acked(sent)
    same((ack["ts"], ack["from"], ack["content"]), (packet["ts"], "text-a", packet["content"]))
    back = rose.send("user/text-a", "and back")
    jack.hears_message(back)
    same(len(jack.all(lambda _, one: one.get("id") == sent)), 1)


@flow("the same without the dollar: IM/…")
def without_dollar():
    jack, rose = pair("plain", form="IM/")
    sent = jack.send("user/plain-b", "hi")
    same(rose.hears_message(sent)[0], "$IM/user/plain-b")
    assert jack.acked(sent)
    rose.send("user/plain-a", "hello")
    same(jack.hears(is_text("hello"), "hello")[0], "IM/user/plain-a")


@flow("MQTT 5 as well, and with subscriptions of one's own")
def with_subscriptions():
    jack = user("five-a").device("1", version=mqtt.MQTTv5)
    rose = user("five-b").device("1", version=mqtt.MQTTv5, filters=("$IM/user/five-b/#", "$IM/user/five-b"))
    sent = jack.send("user/five-b", "hi")
    same(rose.hears_message(sent)[0], "$IM/user/five-b")
    assert jack.acked(sent)
    jack.send("user/five-b", "last")
    rose.hears(is_text("last"), "last")
    same(len(rose.all(lambda _, one: one.get("id") == sent)), 1)


@flow("all devices of a user hear what is sent to it, and the sender's other devices what it sent")
def several_devices():
    first, second = user("many-a").device("c1"), user("many-a").device("c2")
    rose = user("many-b").device("1")
    sent = rose.send("user/many-a", "to both")
    for device in (first, second):
        same(device.hears_message(sent)[0], "$IM/user/many-a")
    own = first.send("user/many-b", "from the first")
    topic, packet = second.hears_message(own)
    same((topic, packet["from"], packet["to"]), ("$IM/user/many-a", "many-a", "many-b"))


@flow("user/{uid}/client/{clientId} reaches that device alone")
def one_device():
    first, second = user("one-a").device("c1"), user("one-a").device("c2")
    rose = user("one-b").device("1")
    sent = rose.send(f"user/one-a/client/{second.clientid}", "only you")
    same(second.hears_message(sent)[0], second.topic)
    assert rose.acked(sent)
    after = rose.send("user/one-a", "both")
    first.hears_message(after)
    same(first.all(lambda _, one: one.get("id") == sent), [])


@flow("what is for one device reaches no other one when that comes back, either")
def one_device_of_two():
    first, second = user("back-a").device("c1"), user("back-a").device("c2")
    rose = user("back-b").device("1")
    first.hears_message(rose.send("user/back-a", "before"))
    first.away()
    sent = rose.send(f"user/back-a/client/{second.clientid}", "only you")
    second.hears_message(sent)
    first.connect()
    first.hears_message(rose.send("user/back-a", "both"))
    same(first.all(lambda _, one: one.get("id") == sent), [])


@flow("node/{nodeId} is an endpoint")
def node():
    jack, door = user("node-a").device("1"), user("door").device("1")
    sent = jack.send("node/door", "open")
    packet = door.hears_message(sent)[1]
    same((packet["from"], packet["to"]), ("node-a", "node/door"))
    assert jack.acked(sent)


@flow("rooms: made, invited to, agreed, written in, left, over HTTP and MQTT")
def room():
    jack, rose = pair("room")
    cal = user("room-c").device("1")
    room = {"id": "room-rd", "name": "room", "nick": "Room1", "group": "RD", "avatar": "http://gravatar.com/k.png"}
    made = jack.http("POST", "/rooms/", room)
    same({name: made[name] for name in room}, room)
    cal.http("PUT", "/invitations", {"invitations": "ask"})
    jack.http("POST", "/rooms/room-rd/members/", {"uids": ["room-b", "room-c"]})
    cal.http("POST", "/rooms/room-rd/join")
    topic, event = rose.hears(
        lambda _, one: one.get("type") == "event" and one["content"]["data"].get("event") == "join", "that cal joined"
    )
    same((topic, event["from"]), ("$IM/room/room-rd", "room-c"))
    members = rose.http("GET", "/rooms/room-rd/members/")["members"]
    same(sorted(one["uid"] for one in members), ["room-a", "room-b", "room-c"])
    sent = jack.send("room/room-rd", "hello all")
    for device in (rose, cal):
        topic, packet = device.hears_message(sent)
        same((topic, packet["type"], packet["to"]), ("$IM/room/room-rd", "grpchat", "room-rd"))
    assert jack.acked(sent)
    rose.http("POST", "/rooms/room-rd/leave")
    late = jack.send("room/room-rd", "who is here?")
    cal.hears_message(late)
    refusal = rose.refused(rose.send("room/room-rd", "let me in"))
    same(refusal["code"], "not_member")
    same(rose.all(lambda _, one: one.get("id") == late), [])
    cal.http("POST", "/rooms/room-rd/block")
    must_refuse(403, jack.http, "POST", "/rooms/room-rd/members/", {"uids": ["room-c"]})
    cal.http("POST", "/rooms/room-rd/unblock")
    jack.http("POST", "/rooms/room-rd/members/", {"uids": ["room-c"]})
    same([one["id"] for one in jack.http("GET", "/rooms")["rooms"]], ["room-rd"])


def befriend(one, other):
    one.presence(f"user/{other.uid}", "subscribe")
    other.hears_presence(one.uid, "subscribe")
    other.presence(f"user/{one.uid}", "subscribed")
    one.hears_presence(other.uid, "subscribed")


@flow("subscriptions: asked, agreed, ended, refused, told to both sides")
def subscriptions():
    jack, rose = pair("sub")
    befriend(jack, rose)
    buddies = jack.http("GET", "/roster")["contacts"]
    same([(one["id"], one["relation"]) for one in buddies], [("sub-b", "contact")])
    for name in ("id", "name", "nick", "group", "avatar"):
        assert name in buddies[0], name
    jack.presence("user/sub-b", "unsubscribe")
    rose.hears_presence("sub-a", "unsubscribe")
    cal = user("sub-c").device("1")
    jack.presence("user/sub-c", "subscribe")
    cal.hears_presence("sub-a", "subscribe")
    cal.presence("user/sub-a", "unsubscribed")
    jack.hears_presence("sub-c", "unsubscribed")


@flow("the roster over HTTP: added, noted, blocked, unblocked, removed")
def roster():
    jack, rose = pair("roster")
    jack.http("POST", "/roster", {"id": "roster-b", "group": "friend"})
    [buddy] = jack.http("GET", "/roster")["contacts"]
    same((buddy["id"], buddy["group"]), ("roster-b", "friend"))
    jack.http("PUT", "/roster/roster-b", {"nick": "Rosie"})
    same(jack.http("GET", "/roster")["contacts"][0]["nick"], "Rosie")
    jack.http("POST", "/roster/roster-b/block")
    same(rose.refused(rose.send("user/roster-a", "hi"))["code"], "blocked")
    jack.http("POST", "/roster/roster-b/unblock")
    assert rose.acked(rose.send("user/roster-a", "hi again"))
    jack.http("DELETE", "/roster/roster-b")
    same(jack.http("GET", "/roster")["contacts"], [])


@flow("presence: coming, show, status, vcard, going, told to contacts on their own topic and to nobody else")
def presence():
    jack, rose = pair("pres")
    cal = user("pres-c").device("1")
    befriend(jack, rose)
    jack.presence("user/pres-a", "online", show="away", status="at lunch", vcard={"tel": "1"})
    topic, packet = rose.hears_presence("pres-a", "online", show="away", status="at lunch")
    same(topic, "$IM/user/pres-b")
    same((packet["id"], packet["vcard"]), ("pres-a", {"tel": "1"}))
    for show, told in (("dnd", "dnd"), ("online", "chat")):
        jack.presence("user/pres-a", "online", show=show, status=show)
        rose.hears_presence("pres-a", "online", show=told, status=show)
    jack.presence("user/pres-a", "online", show="chat", status="online", vcard={"tel": "2"})
    rose.hears_presence("pres-a", "online", vcard={"tel": "2"})
    jack.away()
    rose.hears_presence("pres-a", "offline")
    jack.heard.clear()
    jack.connect()
    jack.hears_presence("pres-b", "online")
    same(cal.all(lambda _, one: one.get("from") == "pres-a"), [])


@flow("offline is said, and is so for contacts until online is said")
def said_offline():
    jack, rose = pair("off")
    befriend(jack, rose)
    rose.hears_presence("off-a", "online")
    jack.presence("user/off-a", "offline")
    rose.hears_presence("off-a", "offline")
    jack.presence("user/off-a", "online", status="back")
    rose.hears_presence("off-a", "online", status="back")


@flow("a picture: POST /attachements/, its URL in a message, GET of the URL by the other one alone")
def picture():
    jack, rose = pair("pic")
    cal = user("pic-c").device("1")
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6364f8cf500f000386018"
        "05a347d6b0000000049454e44ae426082"
    )
    uploaded = jack.http("POST", "/attachements/?name=p.png", raw=png)
    sent = jack.send("user/pic-b", {"type": "image", "data": uploaded["url"]})
    packet = rose.hears_message(sent)[1]
    same(packet["content"]["type"], "image")
    url = packet["content"]["data"]
    assert url.startswith("http"), url
    same(rose.http("GET", url), png)
    must_refuse(404, cal.http, "GET", url)


@flow("content of other types goes through as it is: audio, video, edits, recalls, reactions, an application's own")
def contents():
    jack, rose = pair("kinds")
    first = rose.hears_message(jack.send("user/kinds-b", "helo"))[1]
    seq = first["seq"]
    for content in (
        {"type": "audio", "data": "https://media.example/a.mp3"},
        {"type": "location", "latitude": 52.5, "longitude": 13.4},
        {"type": "edit", "seq": seq, "data": "hello"},
        {"type": "reaction", "seq": seq, "data": "👍"},
        {"type": "x-weather", "data": {"celsius": 21}},
        {"type": "recall", "seq": seq},
    ):
        got = rose.hears_message(jack.send("user/kinds-b", content))[1]["content"]
        same({name: got[name] for name in content}, content)


@flow("what came while a device was away is heard once, in order, when it is back")
def away():
    jack, rose = pair("away")
    before = jack.send("user/away-b", "before")
    rose.hears_message(before)
    rose.away()
    sent = [jack.send("user/away-b", f"meanwhile {number}") for number in range(5)]
    for one in sent:
        jack.acked(one)
    rose.connect()
    rose.hears_message(jack.send("user/away-b", "after"))
    heard = rose.all(lambda _, packet: packet.get("type") == "chat")
    same([packet["content"]["data"] for _, packet in heard], ["before", *[f"meanwhile {n}" for n in range(5)], "after"])


@flow("what was sent before a user had any device is heard by the first one")
def before_any():
    user("early-b")
    jack = user("early-a").device("1")
    sent = jack.send("user/early-b", "welcome")
    jack.acked(sent)
    user("early-b").device("1").hears_message(sent)


@flow("a message that is sent twice is stored once and acknowledged the same")
def twice():
    jack, rose = pair("twice")
    sent = jack.send("user/twice-b", "once", id="same-id")
    first = jack.acked(sent)
    jack.heard.clear()
    jack.send("user/twice-b", "once", id="same-id")
    same(jack.acked(sent)["ts"], first["ts"])
    rose.hears_message(jack.send("user/twice-b", "end"))
    same(len(rose.all(lambda _, one: one.get("id") == "same-id")), 1)


@flow("a receipt is told to the sender as an event, and said by one")
def receipts():
    jack, rose = pair("read")
    packet = rose.hears_message(jack.send("user/read-b", "read me"))[1]
    content = {"type": "event", "data": {"event": "receipt", "read": packet["seq"]}}
    rose.publish("user/read-a", {"id": "r1", "type": "event", "content": content})

    def is_read(_, one):
        data = one["content"]["data"] if one.get("type") == "event" else {}
        return isinstance(data, dict) and data.get("event") == "receipt" and data.get("read") == packet["seq"]

    event = jack.hears(is_read, "that it was read")[1]
    same((event["from"], event["content"]["data"]["uid"]), ("read-b", "read-b"))


@flow("people of other protocols are heard and reached: over Parley's own HTTP")
def native():
    jack = user("other-a").device("1")
    native = user("other-b")
    login = {"username": native.uid, "password": PASSWORD, "device": "web"}
    token = http("POST", "/login", login)["token"]
    sent = {"id": "n1", "to": "user/other-a", "content": {"type": "text", "data": "from elsewhere"}}
    http("POST", "/messages", sent, token)
    packet = jack.hears_message("n1")[1]
    same((packet["from"], packet["type"], packet["thread"]), ("other-b", "chat", "p2p/other-a/other-b"))
    jack.acked(jack.send("user/other-b", "to elsewhere"))
    page = http("GET", "/conversations/p2p%2Fother-a%2Fother-b/messages", token=token)
    same([one["content"]["data"] for one in page["messages"]], ["from elsewhere", "to elsewhere"])


@flow("what cannot be is refused with a code and words on the client's own topic: nothing reaches anybody")
def refusals():
    jack, rose = pair("no")
    same(jack.refused(jack.send("domain/b.example/user/no-b", "hi"))["code"], "forbidden")
    same(jack.refused(jack.send("user/nobody-there", "hi"))["code"], "not_found")
    same(jack.refused(jack.send("room/no-such-room", "hi"))["code"], "not_found")
    same(jack.refused(jack.send("user/no-b", {"type": "shout"}))["code"], "invalid_packet")
    same(jack.refused(jack.send("user/no-b", "hi", type="shout"))["code"], "invalid_packet")
    jack.publish("user/no-b", '{"id":"torn","content":{')
    same(jack.refused("torn")["code"], "invalid_packet")
    jack.publish("user/no-b", {"id": "empty"})
    same(jack.refused("empty")["code"], "invalid_packet")
    jack.presence("user/no-b", "online", id="p1")
    same(jack.refused("p1")["code"], "forbidden")
    jack.mqtt.publish("chat/node/no-b", json.dumps({"id": "old", "content": {"type": "text"}}), qos=1)
    same(jack.refused("old")["code"], "forbidden")
    sent = jack.send("user/no-b", "that is all")
    rose.hears_message(sent)
    same(len(rose.all(lambda _, one: one.get("type") == "chat")), 1)


@flow("nobody is heard as another, nor hears another: from is who sends; others' topics are one's own tree")
def isolation():
    jack, rose = pair("iso")
    eve = user("iso-e").device("1", filters=("#", "$IM/#", "$IM/user/iso-b", "$share/g/$IM/user/iso-b", "im/dn/iso-b/m"))
    sent = eve.send("user/iso-b", "I am jack", **{"from": "iso-a"})
    same(rose.hears_message(sent)[1]["from"], "iso-e")
    secret = jack.send("user/iso-b", "secret")
    rose.hears_message(secret)
    eve.hears_message(jack.send("user/iso-e", "not secret"))
    same(eve.all(lambda _, one: one.get("id") == secret), [])


@flow("a client id may have a slash, as those of uid/android")
def slash():
    jack = user("slash-a").device("1")
    user("slash-b")
    rose = Device("slash-b", "slash-b/android")
    same(rose.clientid, "slash-b/android")
    rose.hears_message(jack.send("user/slash-b", "hi"))
    own = rose.send("user/slash-a", "and back")
    same(rose.acked(own)["from"], "slash-b")
    sent = jack.send("user/slash-b/client/slash-b/android", "to that one")
    topic, packet = rose.hears_message(sent)
    same((topic, packet["to"]), (rose.topic, "user/slash-b/client/slash-b/android"))
    same(rose.topic, "$IM/user/slash-b/client/slash-b/android")
    assert jack.acked(sent)


@flow("a message larger than the server takes is refused with its id, though MQTT 3.1.1 confirms it")
def too_large():
    jack, rose = pair("large")
    sent = jack.send("user/large-b", "x" * 200_000)
    same(jack.refused(sent)["code"], "too_large")
    rose.hears_message(jack.send("user/large-b", "short"))
    same(rose.all(lambda _, one: one.get("id") == sent), [])


@flow("who connects by the account's password subscribes by itself: $IM/#")
def by_password():
    jack = user("pass-a").device("1")
    user("pass-b")
    rose = Device("pass-b", "pass-phone", filters=("$IM/#",), ticket=PASSWORD)
    jack.send("user/pass-b", "hi")
    same(rose.hears(is_text("hi"), "hi")[0], "$IM/user/pass-b")
    assert rose.acked(rose.send("user/pass-a", "and back"))


@flow("a Will that is a message is sent when the connection breaks; one that says offline leaves other devices be")
def wills():
    rose = user("will-b").device("1")
    last = json.dumps({"id": "last-words", "type": "chat", "content": {"type": "text", "data": "gone"}})
    jack = user("will-a").device("1", will=("$IM/user/will-b", last, 1))
    jack.mqtt._sock_close()
    rose.hears_message("last-words")


if __name__ == "__main__":
    run()
