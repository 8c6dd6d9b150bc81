"""`wardkeeper parked list|retry|drop`: messages that a room could not take."""

import argparse
import json
import sys
from dataclasses import asdict


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("list", "retry", "drop"),
        help="show them, oldest first; hand them to their handlers again, now; forget them for good",
    )
    parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="as `parked list` shows them")
    parser.add_argument("--group", default="", help="those of this group")
    parser.add_argument("--all", action="store_true", help="retry or drop all")
    parser.add_argument("--json", action="store_true", help="list: one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """0: nothing (left) parked among the chosen; 1: something is; 2: misuse."""
    from wardkeeper.bus.parking import UnknownParked

    if args.action != "list" and not (args.numbers or args.group or args.all):
        print(f"wardkeeper: parked {args.action}: give numbers, --group or --all", file=sys.stderr)
        return 2
    try:
        return {"list": _list, "retry": _retry, "drop": _drop}[args.action](args)
    except UnknownParked as error:
        print(f"wardkeeper: {error}", file=sys.stderr)
        return 2


def _list(args: argparse.Namespace) -> int:
    from wardkeeper.bus import parking

    found = parking.listed(args.numbers, group=args.group)
    for each in found:
        if args.json:
            print(json.dumps(asdict(each) | {"parked_at": each.parked_at.isoformat()}, ensure_ascii=False))
            continue
        print(
            f"{each.id}  {each.parked_at:%Y-%m-%d %H:%M:%S}  {each.group}  {each.topic}  tries {each.tries}"
        )
        print(f"    {each.error}")
        print(f"    {each.text}")
    if not found and not args.json:
        print("nothing is parked")
    return 1 if found else 0


def _retry(args: argparse.Namespace) -> int:
    from wardkeeper.bus import parking
    from wardkeeper.bus.worker import subscriptions

    failed = 0
    for outcome in parking.retry(args.numbers, group=args.group, subscriptions=subscriptions()):
        failed += bool(outcome.error)
        print(f"{outcome.id}  {outcome.error or 'done'}")
    return 1 if failed else 0


def _drop(args: argparse.Namespace) -> int:
    from wardkeeper.bus import parking

    print(f"dropped {parking.drop(args.numbers, group=args.group)}")
    return 0
