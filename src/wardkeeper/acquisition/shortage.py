"""Tells a shortage of our own machine from a fact about a device."""

import errno

_OURS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS))
_IN_RUST_S_WORDS = tuple(f"(os error {each})" for each in sorted(_OURS))


def is_shortage(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that this machine has no socket or memory left.

    Then a poll says nothing: "unreachable" would raise an alarm for every device at
    once. Rust libraries put the number into the text, without errno.
    """
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, OSError) and (each.errno in _OURS or str(each).endswith(_IN_RUST_S_WORDS)):
            return True
        each = each.__cause__ or each.__context__
    return False
