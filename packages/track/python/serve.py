"""Serves a tracker: a line of JSON in, a line of JSON out, until the input ends.

The first argument is a Python file with a function for every call. What it prints goes to stderr.
"""

import importlib.util
import json
import os
import signal
import sys


def main() -> None:
    # Ctrl-C ends the run, which then says how it ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(answer: dict) -> None:
        replies.write(json.dumps(answer) + "\n")
        replies.flush()

    spec = importlib.util.spec_from_file_location("calls", sys.argv[1])
    calls = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(calls)
    except ImportError as error:
        reply({"missing": error.name or str(error)})
        return
    reply({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply({"ok": getattr(calls, request["call"])(**request["given"])})
        except Exception as error:  # Told to whoever asked; the next call may work.
            reply({"error": f"{type(error).__name__}: {error}".split("\n")[0]})
    if hasattr(calls, "end"):
        calls.end()


main()
