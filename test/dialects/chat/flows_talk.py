"""Messages, history, files, and people of other protocols."""
import time

from bert import Atom
from chat import Device, Native, Person, feed_topic, texts
from records import make, p2p


def pair(era="v1", other="v1"):
    ada, bob = Person(era), Person(other)
    ada.friend(bob)
    return ada, bob


def leave(*people):
    for person in people:
        person.device.leave()


def text():
    """a text reaches every device of both sides as sent, with an id, the sender's msg_id and its neighbours"""
    ada, bob = pair()
    second = ada.another()
    topic = feed_topic(ada, bob)
    first_id = ada.say(bob, "Привіт 👋", created=1700000000123)
    first = bob.device.record("Message", topic, msg_id=first_id)
    assert texts(first) == ["Привіт 👋"] and first["status"] == "sent" and first["from"] == ada.id
    assert first["to"] == bob.id and first["created"] == 1700000000123 and first["id"] > 0
    assert first["feed_id"] == p2p(ada.id, bob.id)
    for device in (ada.device, second):
        assert device.record("Message", topic, msg_id=first_id)["id"] == first["id"]
    next_id = bob.say(ada, "hello")
    following = ada.device.record("Message", topic, msg_id=next_id)
    assert following["prev"] == first["id"] and following["id"] > first["id"]
    second.leave()
    leave(ada, bob)


def late_text():
    """in the later records the msg_id is acknowledged; each side reads its own set"""
    ada, bob = pair("late", "v1")
    msg_id = "key-380670000001_153080170071237_" + "A" * 70
    ada.say(bob, "hello", msg_id=msg_id, created=1530801700714)
    assert ada.device.record("Ack")["id"] == msg_id
    own = ada.device.record("Message", msg_id=msg_id)
    assert own["status"] == [] and own["created"] == 1530801700714
    assert bob.device.record("Message", msg_id=msg_id)["status"] == "sent"
    leave(ada, bob)


def refused():
    """a message of another's name, to another's feed, without content, too large, or to who bans is refused with a word"""
    ada, bob = pair()
    carl = Person()
    for fields, word in [
        ({"from_": bob.id}, "permission_denied"),
        ({"feed_id": p2p(bob.id, carl.id)}, "permission_denied"),
        ({"files": []}, "invalid_data"),
        ({"feed_id": None, "to": None}, "invalid_data"),
    ]:
        ada.say(bob, "no", **fields)
        assert ada.device.code() == (Atom("error"), Atom(word)), (fields, ada.device.code())
    ada.say(bob, "x" * 200_000)
    assert ada.device.code() == (Atom("error"), Atom("too_large"))
    bob.device.send("Friend", phone_id=bob.id, friend_id=ada.id, status="ban")
    bob.device.io()
    ada.say(bob, "still there?")
    assert ada.device.code() == (Atom("error"), Atom("banned"))
    carl.device.silent(lambda _topic, one: getattr(one, "name", "") == "Message")
    leave(ada, bob, carl)


def edits():
    """an edit and a removal are told to all under the message's id"""
    ada, bob = pair()
    msg_id = ada.say(bob, "helo")
    sent = bob.device.record("Message", msg_id=msg_id)
    ada.say(bob, "hello", id=sent["id"], status="edit")
    edited = bob.device.record("Message", id=sent["id"], status="edit")
    assert texts(edited) == ["hello"]
    bob.say(ada, "not mine", id=sent["id"], status="edit")
    assert bob.device.code()[0] == "error"
    ada.say(bob, "", id=sent["id"], status="edit", files=[], seenby=-1)
    removed = bob.device.record("Message", id=sent["id"], seenby=-1)
    assert removed["files"] == [] and removed["status"] == "edit"
    leave(ada, bob)


def deletes():
    """in the later records a message is deleted for oneself, or for all"""
    ada, bob = pair("late", "late")
    one = ada.device
    msg_id = ada.say(bob, "one")
    first = bob.device.record("Message", msg_id=msg_id)
    bob.say(ada, "", id=first["id"], seenby=[bob.id], status="delete")
    bob.device.record("Ack")
    bob.device.send("History", roster_id=bob.id, feed=p2p(ada.id, bob.id), size=-5, entity_id=0, status="get")
    assert bob.device.record("History")["data"] == []
    ada.say(bob, "", id=first["id"], status="delete")
    assert one.record("Message", id=first["id"], status="delete")["files"] == []
    leave(ada, bob)


def replies():
    """an answer names the message that it answers"""
    ada, bob = pair()
    first = bob.device.record("Message", msg_id=ada.say(bob, "one"))
    answer = ada.device.record("Message", msg_id=bob.say(ada, "two", type="reply", edit_msg=first["id"]))
    assert answer["type"] == "reply" and answer["edit_msg"] == first["id"]
    leave(ada, bob)


def files():
    """a picture with its caption comes as it was sent, and in the words of the other set"""
    ada, bob = pair("v1", "late")
    picture = ada.desc("image", "https://files.example/a.png", size=70000, filename="a.png", info="640x480")
    msg_id = ada.say(bob, "", files=[ada.desc("text", "look"), picture])
    own = ada.device.record("Message", msg_id=msg_id)
    assert [desc["mime"] for desc in own["files"]] == ["text", "image"] and own["files"][1]["size"] == 70000
    theirs = bob.device.record("Message", msg_id=msg_id)
    assert texts(theirs) == ["look", "https://files.example/a.png"]
    leave(ada, bob)


def several_files():
    """several files are as many messages, each of which reaches the other"""
    ada, bob = pair()
    names = ["https://files.example/1.png", "https://files.example/2.png"]
    msg_id = ada.say(bob, "", files=[ada.desc("image", name) for name in names])
    first = bob.device.record("Message", msg_id=msg_id)
    found = bob.device.expect("the second", lambda _t, one: getattr(one, "name", "") == "Message" and texts(one) == names[1:])
    assert texts(first) == names[:1] and found[1]["prev"] == first["id"]
    leave(ada, bob)


def upload():
    """an upload is answered with link, and sent when it is complete"""
    ada, bob = pair()
    topic = feed_topic(ada, bob)
    picture = [ada.desc("image", "")]
    msg_id = ada.say(bob, "", files=picture, status="upload")
    link = ada.device.record("Message", topic, msg_id=msg_id, status="link")
    assert (link["from"], link["to"]) == (bob.id, ada.id)
    bob.device.silent(lambda _topic, one: getattr(one, "name", "") == "Message")
    done = [ada.desc("image", "https://files.example/a.png")]
    ada.say(bob, "", id=link["id"], msg_id=msg_id, files=done, status="complete")
    assert bob.device.record("Message", topic, msg_id=msg_id)["status"] == "sent"
    leave(ada, bob)


def history():
    """history goes back from the newest and forth from a message, entity included; a cursor marks what is read"""
    ada, bob = pair()
    feed = p2p(ada.id, bob.id)
    ids = [bob.device.record("Message", msg_id=ada.say(bob, str(n)))["id"] for n in range(6)]

    def page(size, entity):
        bob.device.send("History", roster_id=bob.id, feed=feed, size=size, entity_id=entity, status="get")
        answer = bob.device.record("History")
        return [one["id"] for one in answer["data"]], answer

    assert page(-3, 0)[0] == ids[3:]
    older, answer = page(-2, ids[2])
    assert older == ids[1:3] and answer["size"] == ids[1] and answer["entity_id"] == ids[2]
    assert page(2, ids[2])[0] == ids[2:4]
    bob.device.send("History", roster_id=bob.id, feed=feed, entity_id=ids[3], status="update")
    mark = bob.device.record("Contact", phone_id=ada.id, status="last_msg")
    assert mark["unread"] == 2 and mark["last_msg"]["id"] == ids[5] and mark["reader"] == ids[3]
    assert ada.device.record("Contact", phone_id=bob.id, reader=ids[3])["status"] == []
    bob.device.send("History", roster_id=bob.id, feed=feed, entity_id=0, status="update")
    assert bob.device.record("Contact", phone_id=ada.id, status="last_msg")["unread"] == 0
    bob.device.send("Cursor", feed=feed, side=1, position=ids[5])
    found = bob.device.expect("ok2", lambda _t, one: isinstance(one, tuple) and one[0] == "ok2")
    assert found[1][2] == 0
    bob.device.send("History", roster_id=bob.id, feed=p2p("380670099999_1", ada.id), size=-3, status="get")
    assert bob.device.code()[0] == "error"
    bob.device.send("History", roster_id=bob.id, feed=feed, status="delete")
    assert bob.device.record("History")["data"] == []
    assert page(-3, 0)[0] == []
    leave(ada, bob)


def late_history():
    """in the later records size and entity_id come back as they were; a window lies around a message"""
    ada, bob = pair("late", "late")
    feed = p2p(ada.id, bob.id)
    ids = [bob.device.record("Message", msg_id=ada.say(bob, str(n)))["id"] for n in range(6)]
    bob.device.send("History", roster_id=bob.id, feed=feed, size=-2, entity_id=ids[4], status="get")
    answer = bob.device.record("History")
    assert (answer["size"], answer["entity_id"]) == (-2, ids[4])
    assert [one["id"] for one in answer["data"]] == ids[3:5]
    bob.device.send("History", roster_id=bob.id, feed=feed, size=3, entity_id=ids[2], status="double_get")
    assert ids[2] in [one["id"] for one in bob.device.record("History")["data"]]
    bob.device.send("History", roster_id=bob.id, feed=(Atom("act"), "publish", bob.id), status="get")
    assert bob.device.record("History")["data"] == []
    leave(ada, bob)


def typing():
    """who writes is told to the other side, in its set"""
    ada, bob = pair("v1", "late")
    ada.device.send("Typing", author=ada.id, room=bob.id)
    assert bob.device.record("Typing", feed_topic(ada, bob))["phone_id"] == ada.id
    bob.device.send("Typing", feed_topic(ada, bob), phone_id=bob.id, comments="typing")
    assert ada.device.record("Typing", feed_topic(ada, bob))["author"] == bob.id
    leave(ada, bob)


def offline():
    """what came while a device was away is there when it is back, each message once and in order"""
    ada, bob = pair()
    bob.device.leave()
    sent = [ada.say(bob, str(n)) for n in range(20)]
    ada.device.record("Message", msg_id=sent[-1])
    back = Device(bob.client_id, bob.token).connect()
    back.record("Message", msg_id=sent[-1], since=0)
    came = [one["msg_id"] for _topic, one in back.heard if getattr(one, "name", "") == "Message"]
    assert [one for one in came if one in sent] == sent
    back.leave()
    ada.device.leave()


def native():
    """a native user and a phone talk; what chat has no word for comes as text"""
    ada, nina = Person(), Native()
    feed = p2p(ada.id, nina.uid)
    conv = "/".join(feed)
    ada.device.send("Message", feed_id=feed, msg_id="n-1", from_=ada.id, to=nina.uid,
                    files=[ada.desc("text", "hello"), ada.desc("image", "https://files.example/a.png")], status="client")
    ada.device.record("Message", msg_id="n-1", status="sent")
    [stored] = nina.history(conv)
    assert stored["from"] == ada.id and stored["content"]["type"] == "image" and stored["content"]["data"] == "hello"
    to = f"user/{ada.id}"
    nina.send(to, {"type": "text", "data": "hi"})
    assert texts(ada.device.record("Message", from_=nina.uid)) == ["hi"]
    nina.send(to, {"type": "poll", "question": "Tea?", "options": ["yes", "no"]})
    ada.device.expect("the poll", lambda _t, one: getattr(one, "name", "") == "Message" and "Tea?" in str(texts(one)))
    nina.send(to, {"type": "reaction", "seq": stored["seq"], "data": "👍"})
    found = ada.device.expect("the reaction", lambda _t, one: getattr(one, "name", "") == "Message" and one["type"] == "reply")
    assert "👍" in texts(found[1])[0]
    nina.send(to, {"type": "location", "latitude": 50.45, "longitude": 30.5})
    ada.device.expect("the place", lambda _t, one: getattr(one, "name", "") == "Message" and one["files"] and one["files"][0]["mime"] == "place")
    ada.device.leave()


def calls():
    """a call that ended is a message of its own, and a place is sent to oneself"""
    ada, bob = pair("late", "late")
    data = [make("late", "Feature", id="1", key="DURATION", value="62", group="CALL_DATA")]
    msg_id = ada.say(bob, "", files=[ada.desc("videoCall", "", data=data)])
    assert bob.device.record("Message", msg_id=msg_id)["files"][0]["mime"] == "videoCall"
    ada.device.send("Loc", x=50.45, y=30.523333, z=0.0)
    ada.device.record("Message", "/".join(["p2p", ada.id, ada.id]))
    ada.device.send("Loc", x=500.0, y=30.0, z=0.0)
    assert ada.device.code() == (Atom("error"), Atom("invalid_data"))
    leave(ada, bob)


def order():
    """a hundred messages of one device arrive once each, in order"""
    ada, bob = pair()
    sent = []
    for n in range(100):
        sent.append(ada.say(bob, str(n)))
    bob.device.record("Message", msg_id=sent[-1], since=0)
    time.sleep(0.5)
    came = [one["msg_id"] for _topic, one in bob.device.heard if getattr(one, "name", "") == "Message"]
    assert came == sent
    leave(ada, bob)


FLOWS = [text, late_text, refused, edits, deletes, replies, files, several_files, upload, history, late_history, typing,
         offline, native, calls, order]
