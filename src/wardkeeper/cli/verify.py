"""`wardkeeper verify`: reads every journal and seal, and names what was changed or taken away."""

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(args: argparse.Namespace) -> int:
    from wardkeeper.ledger import chain
    from wardkeeper.ledger.models import Entry, Seal

    del args
    findings = list(chain.verify())
    for finding in findings:
        print(f"{finding.what} {finding.where}")
    newest = Seal.objects.order_by("-last_entry").first()
    print(f"{Entry.objects.count()} entries, {len(findings)} findings")
    if newest is not None:
        # Kept outside, it shows even that everything was rewritten.
        print(f"newest seal, to entry {newest.last_entry}: {newest.hash}")
    return 1 if findings else 0
