"""`wardkeeper token create USER`: an API token, alone on the last line."""

import argparse
import sys


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("create",), help="what to do")
    parser.add_argument("user", metavar="USER", help="whose rights the token has")
    parser.add_argument("--name", default="command line", help="what it is for, as its owner's list shows it")
    parser.add_argument("--days", type=int, help="valid for this long; without it until it is taken back")


def run(args: argparse.Namespace) -> int:
    from wardkeeper.registry.people import services
    from wardkeeper.registry.people.models import Person

    person = Person.objects.filter(username__iexact=args.user).first()
    if person is None:
        print(f"wardkeeper: there is no user {args.user!r}", file=sys.stderr)
        return 2
    print(services.create_token(person, name=args.name, days=args.days))
    return 0
