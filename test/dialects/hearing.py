"""What a client of a dialect heard, and how it waits for it; for the clients in Python."""
import os
import threading
import time

WAIT_SECONDS = float(os.environ.get("WAIT_SECONDS", "30"))


class Hearing:
    """`heard` is all that came, in order; a tuple is handed to `matches` part by part. `clientid` says whose it is."""

    def __init__(self, clientid):
        self.clientid = clientid
        self.heard = []
        self.news = threading.Condition()

    def note(self, one):
        with self.news:
            self.heard.append(one)
            self.news.notify_all()

    def all(self, matches):
        with self.news:
            return [one for one in self.heard if _fits(matches, one)]

    def hears(self, matches, what):
        """The first that matches; waits for it."""
        end = time.monotonic() + WAIT_SECONDS
        with self.news:
            while True:
                for one in self.heard:
                    if _fits(matches, one):
                        return one
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.clientid} did not hear {what}; it heard {self.heard[-8:]}")
                self.news.wait(left)


def _fits(matches, one):
    return matches(*one) if isinstance(one, tuple) else matches(one)
