"""A push worker is killed (SIGKILL) at random points of a fan-out: did every phone get the goal, and how many twice?
Then more goals come, one after the other, and the worker is killed beside each: did phones that listen to FCM topics
get one twice? With --activities it is kick-off, and what every phone is to get is a Live Activity.

`make bench-kills`. The whole system runs, its pushes go to the emulated APNs, whose ledger is the witness. Progress is
on stderr, the last line is JSON.
"""

from __future__ import annotations

import argparse
import json

from dev import push_kills


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--activities", action="store_true", help="begin Live Activities instead of announcing a goal")
    parser.add_argument("--topics", type=int, default=100, help="phones that listen to topics beside (default 100)")
    args = parser.parse_args()
    topics = 0 if args.activities else args.topics
    figures = push_kills.run(args.devices, args.kills, args.seed, activities=args.activities, topics=topics)
    for name, value in figures.items():
        print(f"{name:14}{value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
