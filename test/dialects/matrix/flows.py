"""Everybody to everybody: from each protocol to each, one to one with receipts, and in one room. A line of JSON a case."""
import json
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from members import KINDS

WAIT_SECONDS = 30
ROOM = "chat.2Fmatrix"
EACH_SAYS = 5


def eventually(condition, why):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, why()
        time.sleep(0.02)


def case(title, work):
    outcome = {"title": title}
    try:
        work()
    except Exception:
        outcome["error"] = traceback.format_exc()
    print(json.dumps(outcome), flush=True)


def people(side):
    """One of each protocol."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(KINDS, pool.map(lambda kind: KINDS[kind](f"{kind}-{side}"), KINDS)))


def direct(senders, receivers):
    pairs = [(a, b) for a, one in senders.items() for b, other in receivers.items() if one.has_direct and other.has_direct]
    # All at once: each conversation is one of two, and waits for no other.
    with ThreadPoolExecutor(len(pairs)) as pool:
        sent = {(a, b): pool.submit(senders[a].send, receivers[b].uid, f"{a} to {b}") for a, b in pairs}
    for a, b in pairs:
        both = sorted(receivers[b].confirms & senders[a].sees)
        receipts = f", and is told: {', '.join(both)}" if both else ""
        case(f"{a} to {b}: one text, once{receipts}", lambda: one_pair(senders[a], receivers[b], f"{a} to {b}", sent[a, b].result(), both))


def one_pair(sender, receiver, text, sent, receipts):
    arrived = lambda: receiver.told(sender.uid)
    eventually(arrived, lambda: "it did not come")
    assert arrived() == [(sender.uid, text)], arrived()
    for what in receipts:
        assert not sender.saw(what, receiver.uid, text, sent), f"{what} was told before it was said"
        receiver.confirm(what, sender.uid, text)
        eventually(lambda: sender.saw(what, receiver.uid, text, sent), lambda: f"{what} was not told")
    assert arrived() == [(sender.uid, text)], arrived()


def room(everybody):
    """`everybody`: name → member. All say something at the same time, each for itself in order."""
    guests = {name: one for name, one in everybody.items() if not one.has_direct}
    # A topic of guests is a room from the first word of a guest on.
    for one in guests.values():
        one.join(ROOM)
    for name, one in everybody.items():
        if name not in guests:
            case(f"{name} comes into the room", lambda: one.join(ROOM))
    start = threading.Barrier(len(everybody))

    def talk(name):
        start.wait(WAIT_SECONDS)
        for number in range(EACH_SAYS):
            everybody[name].say(ROOM, f"<{name} {number}>")

    with ThreadPoolExecutor(len(everybody)) as pool:
        list(pool.map(talk, everybody))
    reader = everybody["native x"].device
    log = lambda: [said(one) for one in reader.history(f"room/{ROOM}") if "<" in f"{one['content'].get('data')}"]
    eventually(lambda: len(log()) >= EACH_SAYS * len(everybody), lambda: f"the log has {log()}")
    stored = log()
    case("each message is in the log once, each member's in its order", lambda: check_log(stored, everybody))
    for name, one in everybody.items():
        case(f"{name} has the room's messages once, in the order of seq", lambda: check_member(name, one, everybody, stored))


def said(message):
    return (message["from"], message["content"]["data"])


def check_log(stored, everybody):
    for name, one in everybody.items():
        own = [text for _, text in stored if text.startswith(f"<{name} ")]
        assert own == [f"<{name} {number}>" for number in range(EACH_SAYS)], own
        assert all(uid == one.uid for uid, text in stored if text in own), stored


def check_member(name, member, everybody, stored):
    wanted = [text for _, text in stored if member.echoes or not text.startswith(f"<{name} ")]
    texts = lambda: [text[text.index("<") :] for _, text in member.told_in(ROOM) if "<" in text]
    eventually(lambda: len(texts()) >= len(wanted), lambda: f"{len(texts())} of {len(wanted)} came: {texts()}")
    assert texts() == wanted, f"{texts()} are not {wanted}"
    for uid, text in member.told_in(ROOM):
        if "<" in text:
            check_sender(uid, text, member, everybody)


def check_sender(uid, text, member, everybody):
    sender = everybody[text[text.index("<") + 1 : text.rindex(" ")]]
    nick = getattr(sender, "nick", None)
    # A guest has a nick: beside its name, before the text, or in place of its name where guests are among themselves.
    as_guest = nick is not None and (uid == nick or uid == sender.uid)
    assert uid == sender.uid or as_guest, (uid, text)
    assert text.startswith("<") or (nick is not None and text.startswith(f"{nick}: <")), text


def main():
    senders, receivers = people("x"), people("y")
    direct(senders, receivers)
    everybody = {f"{kind} {side}": one for side, those in (("x", senders), ("y", receivers)) for kind, one in those.items()}
    try:
        room(everybody)
    finally:
        for one in everybody.values():
            getattr(one, "leave", lambda: None)()


try:
    main()
except Exception:
    print(json.dumps({"title": "the matrix is run", "error": traceback.format_exc()}), flush=True)
    sys.exit(1)
