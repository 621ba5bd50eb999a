"""Every flow of the page of ASSChat's second form, with people of its own, in both versions of MQTT."""
import functools
import hashlib
import json
import pathlib
import sys

import paho.mqtt.client as mqtt

from asschat_json import User
from side_by_side import flow, run, same

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / folder) for folder in ("asschat", "matrix")]
import asschat  # noqa: E402
import native  # noqa: E402

VERSIONS = {"3.1.1": mqtt.MQTTv311, "5": mqtt.MQTTv5}
user = functools.cache(User)


def in_both(title):
    """The flow is given names for its people, and a maker of devices."""

    def add(function):
        for name, version in VERSIONS.items():
            word = function.__name__.replace("_", "-")
            prefix = f"{word}{name[0]}"

            def go(prefix=prefix, version=version):
                people = lambda letters="ab", **options: [
                    user(f"{prefix}-{one}").device(version=version, **options) for one in letters
                ]
                function(prefix, people)

            flow(f"{title} (MQTT {name})")(go)
        return function

    return add


@in_both("a channel is made, its users are told, and messages go to all but their sender's client")
def create(name, people):
    ada, bob, cal = people("abc")
    phone = user(f"{name}-a").device("phone", version=ada.version)
    room = f"{name}-ch"
    answer = ada.creates(room, ada.uid, bob.uid, cal.uid, ch_name="Awesome Group!")
    same((answer["ch_id"], answer["rmsg"]), (room, "channel created"))
    for device in (ada, phone, bob, cal):
        told = device.hears_notification("CH_CREATED", room)
        same(told["from"], ada.clientid)
        assert told["msg_id"] >= 1 and told["timestamp"] > 1_500_000_000_000, told
    body = {"msg": "hello?", "type": "image", "file": "https://example/image.jpg"}
    ada.publish(f"ch/{room}", body)
    for device in (bob, cal, phone):
        heard = device.hears_message(room, "hello?")
        same((heard["type"], heard["body"], heard["from"]), ("ch_msg", body, ada.clientid))
        assert heard["msg_id"] > told["msg_id"] and "push" not in heard, heard
    bob.says(room, msg="and back")
    ada.hears_message(room, "and back")
    phone.hears_message(room, "and back")
    same([one["body"]["msg"] for one in ada.messages(room)], ["and back"])


@in_both("a channel without an id is given one; a request without want_reply is done and not answered")
def made(name, people):
    ada, bob = people()
    users = [{"user_id": bob.uid, "mode": 7}]
    channel = ada.does("ch_create", 201, users=users)["ch_id"]
    ada.says(channel, msg="in it")
    bob.hears_message(channel, "in it")
    quiet = {"req_id": "quiet", "ch_id": f"{name}-q", "users": users, "want_reply": False}
    ada.publish("ass/s/ch_create", quiet)
    bob.hears_notification("CH_CREATED", f"{name}-q")
    ada.hears_notification("CH_CREATED", f"{name}-q")
    same(ada.all(lambda _, text: '"quiet"' in text), [])


@in_both("any JSON, and text that is none, is a message's body, and comes as it was sent")
def bodies(name, people):
    ada, bob = people()
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    sent = [{"msg": "a", "color": "red"}, [1, {"two": None}], 7.5, True, None, {"deep": {"er": ["x"]}}, "plain"]
    for one in sent:
        ada.publish(f"ch/{room}", json.dumps(one))
    ada.publish(f"ch/{room}", "no JSON 👋")
    ada.says(room, msg="the end")
    bob.hears(lambda topic, text: topic == f"ch/{room}" and "the end" in text, "the last one")
    heard = bob.messages(room)
    same([one["body"] for one in heard], [*sent, "no JSON 👋", {"msg": "the end"}])
    same([one["msg_id"] for one in heard], list(range(heard[0]["msg_id"], heard[0]["msg_id"] + len(heard))))


@in_both("push goes beside the body, and push.@ mentions whom it says")
def push(name, people):
    ada, bob, cal = people("abc")
    room = f"{name}-ch"
    ada.creates(room, bob.uid, cal.uid)
    for expression, mentioned in (("all()", ["@all"]), (f"except(all(), '{bob.uid}')", [cal.uid]), (f"'{bob.uid}'", [bob.uid])):
        ada.says(room, msg=expression, push={"sound": "bingbong.aiff", "@": expression})
        heard = bob.hears_message(room, expression)
        same((heard["push"], heard["body"]), ({"sound": "bingbong.aiff", "@": expression}, {"msg": expression}))
        stored = user(bob.uid).http("GET", f"/conversations/room%2F{room}/messages?limit=1")["messages"][0]
        same(stored["content"]["mentions"], mentioned)


@in_both("users come in and go out, told to all; who is out hears nothing any more, and may not send")
def users_in_out(name, people):
    ada, bob, cal, dan = people("abcd")
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    users = [{"user_id": cal.uid, "mode": 7}, {"user_id": dan.uid, "mode": 4}]
    same(ada.does("ch_users_update", 201, ch_id=room, users=users, notify_change=True)["rmsg"], "channel user added; push is each user's own to set")
    for device in (ada, bob, cal):
        device.hears_notification("CH_USERS_IN", room, cal.uid)
        device.hears_notification("CH_USERS_IN", room, dan.uid)
    dan.hears_notification("CH_USERS_IN", room, dan.uid)
    bob.says(room, msg="to all")
    for device in (ada, cal, dan):
        device.hears_message(room, "to all")
    dan.says(room, msg="may I?")
    same(dan.answered(lambda one: one["type"] == "ch_msg", "the refusal")["rcode"], 403)
    same(ada.does("ch_users_delete", 200, ch_id=room, users=[cal.uid])["rmsg"], "channel user deleted")
    for device in (ada, bob, cal, dan):
        same(device.hears_notification("CH_USERS_OUT", room)["notif"]["users"], [cal.uid])
    ada.says(room, msg="without cal")
    bob.hears_message(room, "without cal")
    cal.says(room, msg="let me in")
    same(cal.answered(lambda one: one["type"] == "ch_msg", "the refusal")["rcode"], 403)
    same([one["body"]["msg"] for one in cal.messages(room)], ["to all"])
    same(bob.asks("ch_users_delete", ch_id=room, users=[ada.uid])["rcode"], 403)


@in_both("modes are told and changed as bits; one's own push bit mutes the channel for oneself")
def modes(name, people):
    ada, bob = people()
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    modes_of = lambda device: {
        one["user_id"]: one["mode"]
        for one in device.does("ch_users_search", 200, query=f"eq('ch_id', '{room}')")["query_result"]
    }
    same(modes_of(bob), {ada.uid: 7, bob.uid: 7})
    bob.does("ch_users_update", 201, ch_id=room, users=[{"user_id": bob.uid, "mode": 6}])
    same(modes_of(bob), {ada.uid: 7, bob.uid: 6})
    muted = lambda: [one["muted"] for one in user(bob.uid).http("GET", "/conversations")["conversations"] if one["conv"] == f"room/{room}"]
    same(muted(), [True])
    ada.does("ch_users_update", 201, ch_id=room, users=[{"user_id": bob.uid, "mode": 3}])
    same(modes_of(ada), {ada.uid: 7, bob.uid: 3})
    same(muted(), [True])
    same(ada.asks("ch_users_update", ch_id=room, users=[{"user_id": bob.uid, "mode": 0}])["rcode"], 400)


@in_both("searches find what their query says, in the user's own channels alone")
def searches(name, people):
    ada, bob, eve = people("abe")
    tea, coffee, secret = f"{name}-tea", f"{name}-coffee", f"{name}-secret"
    ada.creates(tea, ada.uid, bob.uid, ch_name="Awesome Tea Team")
    ada.creates(coffee, bob.uid, eve.uid, ch_name="Coffee Group")
    eve.creates(secret, bob.uid, ch_name="A secret Team")
    found = lambda device, query: sorted(one["ch_id"] for one in device.does("ch_search", 200, query=query)["query_result"])
    for query, expected in (
        (f"eq('ch_id', '{tea}')", [tea]),
        ("expr('ch_name', '^A.*Team$')", [tea]),
        (f"or(eq('ch_id', '{tea}'), expr('ch_name', 'Coffee.*Group') )", sorted([tea, coffee])),
        (f"cs('users', ['{eve.uid}', 'nobody'])", [coffee]),
        (f"and(neq('ch_id', '{tea}'), gte('ch_name', 'A'))", [coffee]),
        (f"eq('ch_id', '{secret}')", []),
    ):
        same(found(ada, query), expected)
    one = ada.does("ch_search", 200, query=f"eq('ch_id', '{tea}')")["query_result"][0]
    users = sorted((each["user_id"], each["mode"]) for each in one.pop("users"))
    same((one, users), ({"ch_id": tea, "ch_name": "Awesome Tea Team", "persis": True}, [(ada.uid, 7), (bob.uid, 7)]))
    names = ada.does("ch_users_search", 200, query=f"eq('ch_id', '{tea}')")["query_result"]
    same(sorted(each["user_name"] for each in names), [ada.uid, bob.uid])
    same(eve.does("ch_users_search", 200, query=f"eq('ch_id', '{tea}')")["query_result"], [])
    for query in ("eq('ch_id'", "expr('ch_name', '(')", "eq('password', 'x')"):
        same(ada.asks("ch_search", query=query)["rcode"], 400)


@in_both("ch_create of one's own channel changes it; a taken id of another's is refused")
def update(name, people):
    ada, bob, cal = people("abc")
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    users = [{"user_id": cal.uid, "mode": 7}]
    same(ada.does("ch_create", 200, ch_id=room, ch_name="Renamed", users=users)["rmsg"], "channel updated")
    cal.hears_notification("CH_USERS_IN", room, cal.uid)
    bob.hears_notification("CH_UPDATE", room)
    same(user(f"{name}-x").device(version=ada.version).asks("ch_create", ch_id=room, users=users)["rcode"], 409)


@in_both("a channel is deleted: told to all, and nothing is sent there any more")
def delete(name, people):
    ada, bob = people()
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    same(bob.asks("ch_delete", ch_id=room)["rcode"], 403)
    same(ada.does("ch_delete", 200, ch_id=room, notify_change=True)["rmsg"], "channel deleted")
    for device in (ada, bob):
        device.hears_notification("CH_DELETED", room)
    bob.says(room, msg="too late")
    same(bob.answered(lambda one: one["type"] == "ch_msg", "the refusal")["rcode"], 404)
    same(ada.asks("ch_delete", ch_id=room)["rcode"], 404)


@in_both("what a device missed comes when it is back, once and in order")
def offline(name, people):
    ada, bob = people()
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    ada.says(room, msg="0")
    bob.hears_message(room, "0")
    bob.away()
    for number in range(1, 6):
        ada.says(room, msg=f"{number}")
    ada.does("ch_users_update", 201, ch_id=room, users=[{"user_id": user(f"{name}-c").uid}])
    bob.connect()
    bob.hears_notification("CH_USERS_IN", room, f"{name}-c")
    same([one["body"]["msg"] for one in bob.messages(room)], [f"{number}" for number in range(6)])


@in_both("the status of contacts is told when it is subscribed and as it changes; of others nothing is told")
def status(name, people):
    ada, eve = people("ae")
    befriend(f"{name}-a", f"{name}-b")
    ada.subscribe(f"status/{name}-b/#")
    ada.hears_status(f"{name}-b", "offline")
    eve.subscribe(f"status/{name}-b/#")
    eve.subscribe(f"status/{ada.clientid}")
    (bob,) = people("b", will=(f"status/{name}-b:pc", "offline"))
    ada.hears_status(f"{name}-b", "online")
    ada.subscribe(f"status/{bob.clientid}")
    ada.hears_status(bob.clientid, "online")
    bob.publish(f"status/{bob.clientid}", "offline")
    ada.hears_status(f"{name}-b", "offline")
    bob.publish(f"status/{bob.clientid}", '"online"')
    ada.hears_status(f"{name}-b", "online")
    bob.cut()
    ada.hears_status(f"{name}-b", "offline")
    ada.publish(f"status/{bob.clientid}", "online")
    same(ada.answered(lambda one: one["type"] == "status", "the refusal")["rcode"], 403)
    same(eve.all(lambda topic, text: topic.startswith("status/") and text == "online"), [])


def befriend(one, other):
    user(one).http("POST", f"/roster/{user(other).uid}/request", {})
    user(other).http("POST", f"/roster/{one}/confirm", {})


@in_both("nobody hears what is another's: answers, channels, status")
def isolation(name, people):
    ada, bob, eve = people("abe")
    room = f"{name}-ch"
    for topic in ("#", f"ass/c/{ada.clientid}", f"ch/{room}", "ch/+", f"status/{ada.clientid}", "status/#", "ass/c/+"):
        eve.subscribe(topic)
    ada.creates(room, bob.uid)
    ada.says(room, msg="for bob alone")
    bob.hears_message(room, "for bob alone")
    eve.publish(f"ass/c/{ada.clientid}", {"type": "ch_notif", "notif": {"type": "FORGED"}})
    eve.publish(f"status/{ada.clientid}", "offline")
    same(eve.answered(lambda one: one["type"] == "status", "the refusal")["rcode"], 403)
    same(eve.asks("ch_users_search", query=f"eq('ch_id', '{room}')")["query_result"], [])
    bob.says(room, msg="done")
    ada.hears_message(room, "done")
    same(ada.all(lambda _, text: "FORGED" in text or text == "offline"), [])
    # Who is no contact looks offline, whether or not it is there.
    other = eve.all(lambda topic, _: topic != f"ass/c/{eve.clientid}")
    same(set(other) - {(f"status/{ada.clientid}", "offline")}, set())


@in_both("a client registers the token that it is notified by, as one it has, and takes it back")
def notified(name, people):
    ada, bob = people()
    token = hashlib.sha256(name.encode()).hexdigest()
    tokens = lambda: user(f"{name}-a").http("GET", "/push/tokens")["tokens"]
    answer = ada.does("push_token_reg", 201, push_target="APNS", device_token=token)
    same(answer["rmsg"], "device token registered")
    ada.does("push_token_reg", 201, push_target="APNS", device_token=token)
    [kept] = tokens()
    same((kept["kind"], kept["appId"], kept["clientId"]), ("apns", "com.example.asschat", ada.clientid))
    same(kept["token"], f"…{token[-6:]}")
    ada.does("push_token_reg", 201, push_target="FCM", device_token=f"{name}:{token}")
    same(sorted(one["kind"] for one in tokens()), ["apns", "fcm"])
    same(ada.does("push_token_unreg", 200)["rmsg"], "device token unregistered")
    same(tokens(), [])


@in_both("what is wrong is answered with a code and words, and nothing is lost of what is right")
def wrong(name, people):
    ada, bob = people()
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    for verb, request, code in (
        ("ch_create", {"ch_id": 5, "users": []}, 400),
        ("ch_create", {"ch_id": "a/b", "users": [{"user_id": bob.uid}]}, 400),
        ("ch_create", {"ch_id": f"{name}-none", "users": [{"user_id": "nobody-there"}]}, 404),
        ("ch_create", {"ch_id": f"{name}-alone", "users": []}, 400),
        ("ch_create", {"ch_id": f"{name}-p", "users": [{"user_id": bob.uid}], "persis": False}, 400),
        ("ch_users_update", {"ch_id": room, "users": [{"user_id": bob.uid, "mode": "7"}]}, 400),
        ("ch_users_update", {"ch_id": f"{name}-none", "users": [{"user_id": bob.uid}]}, 404),
        ("ch_users_delete", {"ch_id": room, "users": {}}, 400),
        ("ch_search", {"query": ["eq"]}, 400),
        ("ch_invent", {}, 404),
        ("push_token_reg", {"push_target": "APNS", "device_token": "t"}, 400),
        ("push_token_reg", {"push_target": "GCM", "device_token": "t" * 32}, 400),
    ):
        answer = ada.asks(verb, **request)
        same(answer["rcode"], code)
        assert answer["rmsg"], answer
    ada.publish("ass/s/ch_create", b"\xff\xfe")
    ada.answered(lambda one: one["type"] == "ch_create" and "UTF-8" in one["rmsg"], "that it is no UTF-8")
    ada.publish(f"ch/{room}", json.dumps({"msg": "x" * 100_000}))
    same(ada.answered(lambda one: one["type"] == "ch_msg", "that it is too large")["rcode"], 413)
    ada.says(f"{name}-none", msg="hi")
    ada.answered(lambda one: one["type"] == "ch_msg" and one["rcode"] == 404, "that there is no channel")
    ada.says(room, msg="all is well")
    bob.hears_message(room, "all is well")


@in_both("who wants to be asked first is told, and is in when it adds itself")
def asked(name, people):
    ada, bob = people()
    user(bob.uid).http("PUT", "/invitations", {"invitations": "ask"})
    room = f"{name}-ch"
    ada.creates(room, bob.uid, user(f"{name}-c").uid)
    bob.hears_notification("CH_INVITATION", room)
    bob.does("ch_users_update", 201, ch_id=room, users=[{"user_id": bob.uid, "mode": 7}])
    ada.hears_notification("CH_USERS_IN", room, bob.uid)
    bob.says(room, msg="here I am")
    ada.hears_message(room, "here I am")


@in_both("devices of both forms and native ones talk in one channel and one to one")
def everybody(name, people):
    (ada,) = people("a")
    bob = asschat.User(f"{name}-b").device()
    cal = native.Device(f"{name}-c")
    room = f"{name}-ch"
    ada.creates(room, bob.uid, cal.uid, ch_name="All")
    bob.hears_notification("created", f"${room}", OP=f"user/{ada.uid}")
    ada.says(room, msg="from ada")
    bob.hears_message("from ada", f"${room}")
    bob.says(f"${room}", "from bob")
    same(ada.hears_message(room, "from bob")["from"], bob.clientid)
    cal.send(f"room/{room}", "from cal")
    ada.hears_message(room, "from cal")
    bob.hears_message("from cal", f"${room}")
    ada.publish(f"ch/{room}", json.dumps({"color": "red"}))
    bob.hears_message('[x-asschat] {"color": "red"}', f"${room}")
    dan = user(f"{name}-d").device(version=ada.version)
    ada.does("ch_users_update", 201, ch_id=f"${room}", users=[{"user_id": dan.uid, "mode": 5}])
    bob.hears_notification("endpoints-in", f"${room}", EP=f"user/{dan.uid}")
    cal.send(f"room/{room}", "for dan")
    dan.hears_message(room, "for dan")
    direct = "$p-" + hashlib.sha256("/".join(["p2p", *sorted([ada.uid, bob.uid])]).encode()).hexdigest()[:24]
    ada.does("ch_create", 201, ch_id=direct, users=[{"user_id": bob.uid, "mode": 7}])
    ada.says(direct, msg="just us")
    bob.hears_message("just us", direct)
    bob.says(direct, "yes")
    ada.hears_message(direct, "yes")


@in_both("client ids may be written with a slash, as on the page")
def slash(name, people):
    ada, bob = people(mark="/")
    same(ada.clientid, f"{name}-a/pc")
    room = f"{name}-ch"
    ada.creates(room, bob.uid)
    same(bob.hears_notification("CH_CREATED", room)["from"], f"{name}-a/pc")
    bob.says(room, msg="hi")
    same(ada.hears_message(room, "hi")["from"], f"{name}-b/pc")
    befriend(ada.uid, bob.uid)
    ada.subscribe(f"status/{bob.clientid}")
    ada.hears_status(bob.clientid, "online")
    bob.publish(f"status/{bob.clientid}", "offline")
    ada.hears_status(bob.clientid, "offline")


@flow("QoS 0 is as good as 1")
def qos0():
    ada, bob = user("qos-a").device(), user("qos-b").device()
    ada.creates("qos-ch", bob.uid)
    ada.publish("ch/qos-ch", {"msg": "no handshake"}, qos=0)
    bob.hears_message("qos-ch", "no handshake")


@flow("who has no token of the form speaks it by its topics, and subscribes itself")
def by_topics():
    user("topics-a")
    ada = user("topics-b").device()
    ada.creates("topics-ch", "topics-a")
    plain = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "topics-a", protocol=mqtt.MQTTv311)
    plain.username_pw_set("topics-a", asschat.PASSWORD)
    heard = []
    plain.on_message = lambda _client, _userdata, message: heard.append(message.topic)
    plain.on_connect = lambda client, *_: client.subscribe([("ch/+", 1), ("ass/c/+", 1)])
    plain.connect(asschat.HOST, asschat.PORT, 30)
    plain.loop_start()
    plain.publish("ch/topics-ch", json.dumps({"msg": "it is me"}), qos=1)
    same(ada.hears_message("topics-ch", "it is me")["from"], "topics-a")
    plain.disconnect()
    plain.loop_stop()


if __name__ == "__main__":
    run()
