"""docs/reference/workflows.md, from the workflows that the practices register."""

from scripts.reference.markdown import code, page, table
from wardkeeper.ledger.workflow import Workflow, registered

INTRODUCTION = """
How a record of each practice moves. A record keeps the version under which it was opened. What a move asks for
stands beside it; a guard may refuse it and says why.
"""


def reference() -> str:
    ordered = sorted(registered(), key=lambda workflow: workflow.kind)
    return page("Workflows", INTRODUCTION, *(_section(workflow) for workflow in ordered))


def _section(workflow: Workflow) -> str:
    states = table(
        ("state", "title", "open"),
        [(code(state.name), state.title, "yes" if state.is_open else "no") for state in workflow.states],
    )
    moves = table(
        ("move", "from", "to", "right", "asks for", "guards"),
        [
            (
                code(move.name),
                ", ".join(move.sources),
                move.target,
                code(move.right) + (", requester" if move.requester_may else ""),
                ", ".join(f"{rule.name}{'' if rule.required else ' (may be empty)'}" for rule in move.fields),
                ", ".join(code(guard) for guard in move.guards),
            )
            for move in workflow.moves
        ],
    )
    head = f"Numbers `YYYYMMDD-{workflow.code}-NNNN`, version {workflow.version}, begins as `{workflow.initial}`."
    return "\n\n".join([f"## {workflow.kind}", head, states, moves])
