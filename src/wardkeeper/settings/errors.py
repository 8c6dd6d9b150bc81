"""What is wrong with the settings, said so that it can be mended without the source."""

from collections.abc import Sequence


class SettingsError(Exception):
    """The settings cannot be used. `problems` has one line each: path, origin, what is allowed."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
