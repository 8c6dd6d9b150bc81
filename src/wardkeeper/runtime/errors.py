"""What may go wrong between us and the machine."""


class RefusalError(Exception):
    """The machine or the data does not allow it. Its text is one line for the operator, exit status 2."""


class EngineError(Exception):
    """An engine did not start, or died; its log says why."""
