"""Words of a text for an array index that two Chinese characters can use.

Trigram indexes miss two-character words (打印, 断网), so runs of CJK characters
become overlapping pairs; Latin words and numbers stay whole, lower-cased.
"""

import re

RUNS = re.compile(r"[0-9a-z]+(?:[.\-_/][0-9a-z]+)*|[\u3400-\u9fff\uf900-\ufaff]+")
LONGEST_WORD = 64
MOST_TERMS = 400
"""A pasted log must not make one row's index entry larger than all others together."""


def terms_of(*texts: str) -> list[str]:
    """Distinct index terms of `texts`, at most MOST_TERMS, in order of appearance.

    A compound such as `sw-03.ward-2` gives itself and its parts.
    """
    found: dict[str, None] = {}
    for text in texts:
        for run in RUNS.findall(text.lower()):
            for term in _terms_of_run(run):
                found.setdefault(term)
            if len(found) >= MOST_TERMS:
                return list(found)[:MOST_TERMS]
    return list(found)


def terms_of_query(text: str) -> list[str]:
    """Terms that all must be present for `text` to match; empty if nothing in it can be searched."""
    terms: dict[str, None] = {}
    for run in RUNS.findall(text.lower()):
        if run[0] > "\u2fff":
            pairs = [run[at : at + 2] for at in range(len(run) - 1)] or [run]
            terms.update(dict.fromkeys(pairs))
        else:
            terms.setdefault(run[:LONGEST_WORD])
    return list(terms)


def _terms_of_run(run: str) -> list[str]:
    if run[0] > "\u2fff":
        # Single characters too, so that one typed character already narrows the list.
        return [*(run[at : at + 2] for at in range(len(run) - 1)), *run]
    parts = re.split(r"[.\-_/]", run)
    return [run[:LONGEST_WORD], *(part[:LONGEST_WORD] for part in parts if len(parts) > 1)]


def sort_key(text: str) -> str:
    """A key that orders Chinese by pinyin under plain byte comparison.

    GB 2312 lays its 3,755 everyday characters out in pinyin order, so the GBK bytes
    sort as a reader expects; the built-in PostgreSQL has no ICU to do it.
    """
    return text.lower().encode("gbk", "replace").hex()[:120]
