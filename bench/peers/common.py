"""Shared by the Python peers: the task, the command line and the line protocol of bench/protocol.mjs."""

import argparse
import json
import os
import sys
import time

import numpy as np

PRIME = 97
VOCABULARY = PRIME + 2
BATCH = 512
# Divisors of the 4,656 validation rows: each peer evaluates in its fastest batch size.
EVALUATION_BATCHES = (4656, 1164, 582, 291)


def arguments(modes, *required):
    parser = argparse.ArgumentParser()
    for name in required:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--mode", choices=modes, default=modes[-1])
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def division(seed):
    """Tokens [rows, 4] and labels [rows] of a / b mod 97, split in half by NumPy's legacy shuffle."""
    a, b = np.divmod(np.arange(PRIME * (PRIME - 1)), PRIME - 1)
    b = b + 1
    inverse = np.array([pow(int(x), PRIME - 2, PRIME) for x in b])
    tokens = np.stack([a, np.full_like(a, PRIME), b, np.full_like(a, PRIME + 1)], axis=1)
    labels = a * inverse % PRIME
    order = np.random.RandomState(seed).permutation(len(labels))
    train, validation = order[: len(order) // 2], order[len(order) // 2 :]
    return (tokens[train], labels[train]), (tokens[validation], labels[validation])


def now():
    """Milliseconds."""
    return time.perf_counter() * 1e3


def fastest(candidates, run, tries=3):
    """The candidate with the smallest best time of `run(candidate)`, after one warm-up run."""
    best = {}
    for candidate in candidates:
        run(candidate)
        times = []
        for _ in range(tries):
            start = now()
            run(candidate)
            times.append(now() - start)
        best[candidate] = min(times)
    return min(best, key=best.get)


def keep_to_cores(threads):
    """Limits this process to as many cores as threads, if the system supports it; returns the number. XLA reads it once, at import."""
    if not hasattr(os, "sched_setaffinity"):
        return threads
    cores = sorted(os.sched_getaffinity(0))[:threads]
    os.sched_setaffinity(0, cores)
    return len(cores)


def serve(ready, epoch, evaluate):
    """Reports `ready`, then answers every line `go` with a timed epoch and evaluation, until standard input ends."""
    print(json.dumps({"ready": True, **ready}), flush=True)
    for line in sys.stdin:
        if line.strip() != "go":
            continue
        timed = epoch()
        start = now()
        accuracy = evaluate()
        print(json.dumps({**timed, "evalMs": now() - start, "accuracy": accuracy}), flush=True)
