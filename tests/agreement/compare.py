"""Asks this library and h11 what they make of the same requests, and wants one answer.

PROGRAM is the example `agreement` (decode.rs, beside this file). Conversations come from a seeded generator; both
parsers read each to its end, and method, target, version, fields and body of every request are compared, and whether
the rest is refused. Where the two differ first, the difference must belong to one of the classes in classes.py. Ends
with code 1 where it does not.
"""

import argparse
import sys
from collections import Counter
from typing import Optional

import h11

from classes import CLASSES, Case, classify
from generator import Generator
from parsers import Outcome, ask_h11, ask_ours


def difference(wire: bytes, ours: Outcome, h11s: Outcome) -> Optional[Case]:
    """The first request on which they differ, if they do."""
    at = 0
    while at < min(len(ours.requests), len(h11s.requests)) and ours.requests[at].means(h11s.requests[at]):
        at += 1

    def end(outcome: Outcome):
        return (outcome.requests[at], None) if at < len(outcome.requests) else (None, outcome.refusal)

    (one, one_refusal), (other, other_refusal) = end(ours), end(h11s)
    if one is None and other is None and (one_refusal is None) == (other_refusal is None):
        return None
    before = ours.requests[at - 1] if at > 0 else None
    return Case(wire[h11s.starts[at] :], before, end(ours), end(h11s))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="PROGRAM")
    parser.add_argument("--count", type=int, default=50_000, help="conversations (default 50000)")
    parser.add_argument("--seed", type=int, default=9112, help="of the generator (default 9112)")
    parser.add_argument("--show", metavar="CLASS", help="print some differences of this class")
    options = parser.parse_args()

    generator = Generator(options.seed)
    wires = [generator.conversation() for _ in range(options.count)]
    requests = accepted = agreed = 0
    found: Counter = Counter()
    unlisted = []
    for wire, ours in zip(wires, ask_ours(options.program, wires)):
        h11s = ask_h11(wire)
        case = difference(wire, ours, h11s)
        accepted += len(ours.requests)
        requests += len(ours.requests) + (ours.refusal is not None)
        if case is None:
            agreed += 1
            continue
        of = classify(case)
        if of is None:
            unlisted.append(case)
            continue
        found[of.name] += 1
        if of.name == options.show and found[of.name] <= 10:
            print(f"{of.name}: {case}")

    print(f"h11 {h11.__version__}, seed {options.seed}, {len(wires)} conversations:", end=" ")
    print(f"{requests} requests, {accepted} accepted")
    print(f"  {agreed:6} conversations mean the same to both, to their ends")
    for one in CLASSES:
        print(f"  {found[one.name]:6} {one.name} ({one.reason})")
    print(f"  {len(unlisted):6} differ without a class")
    for case in unlisted[:20]:
        print(f"\nUNLISTED {case}")
    return 1 if unlisted else 0


if __name__ == "__main__":
    sys.exit(main())
