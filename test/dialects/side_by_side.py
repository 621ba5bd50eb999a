"""Flows, run several at a time; a line of JSON says how each went. Each flow has people of its own."""
import concurrent.futures
import json
import os
import sys
import traceback

AT_ONCE = int(os.environ.get("FLOWS_AT_ONCE", "6"))
titled = []


def flow(title):
    """Adds the function to those that are run."""

    def add(function):
        titled.append((title, function))
        return function

    return add


def same(got, expected):
    if got != expected:
        raise AssertionError(f"got {got!r}, expected {expected!r}")


def run(flows=titled):
    """`flows`: (title, function). Titles with one of the words of FLOWS are run, where there are any."""
    words = os.environ.get("FLOWS", "").split()
    wanted = [one for one in flows if not words or any(word in one[0] for word in words)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = [pool.submit(outcome_of, *one) for one in wanted]
        for done in concurrent.futures.as_completed(outcomes):
            sys.stdout.write(json.dumps(done.result()) + "\n")
            sys.stdout.flush()


def outcome_of(title, flow):
    try:
        flow()
    except Exception:
        return {"title": title, "error": traceback.format_exc()}
    return {"title": title}
