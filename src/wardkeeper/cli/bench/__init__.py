"""`wardkeeper bench NAME`: measured figures. Each module beside this one is a bench.

A bench has `run(scale) -> dict[str, float]`: the figures, named with their unit, of `scale` times the usual
input. Its docstring is its description in docs/reference/bench.md. It starts and ends what it needs.
"""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wardkeeper import __version__


def names() -> list[str]:
    """Every bench, as it is called on the command line: `snmp_poll.py` is `snmp-poll`."""
    return sorted(
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(__path__)
        if not module.ispkg and not module.name.startswith("_")
    )


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=names(), metavar="NAME", help=f"one of: {', '.join(names())}")
    parser.add_argument("--scale", type=_scale, default=1.0, help="times the usual input (default 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--write", metavar="FILE", type=Path, help="also put the figures into this page")


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:  # noqa: PLR2004 - no bench of ours is meant for more
        raise argparse.ArgumentTypeError("more than 0, at most 1000")
    return value


def run(args: argparse.Namespace) -> int:
    module = importlib.import_module(f"{__name__}.{args.name.replace('-', '_')}")
    figures: Mapping[str, float] = module.run(args.scale)
    result = {
        "bench": args.name,
        "figures": {name: _rounded(value) for name, value in figures.items()},
        "machine": machine(),
        "settings": {"scale": args.scale, **getattr(module, "SETTINGS", {})},
    }
    if args.write:
        from wardkeeper.cli.bench import _page

        _page.put(args.write, result, description=(module.__doc__ or "").strip())
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result["figures"].items():
            print(f"{name:<28} {value:g}")
        print(
            "on " + ", ".join(f"{name} {value}" for name, value in result["machine"].items()), file=sys.stderr
        )
    return 0


def _rounded(value: float) -> float:
    # Four digits: the next run differs in the third.
    return float(f"{value:.4g}")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = ""
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory_kb = next(
        (int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0
    )
    return {
        "wardkeeper": __version__,
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model or platform.machine(),
        "memory_gb": round(memory_kb / (1 << 20)),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
