"""A command of the operator's own: it is given `web=4 worker=2` and has to be done within a minute."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping

from db.domain.errors import Refused, Unavailable

TIMEOUT_S = 60.0


class CommandScaler:
    """command: as in a shell, but no shell reads it."""

    name = "command"

    def __init__(self, command: str) -> None:
        self.words = shlex.split(command)

    def apply(self, processes: Mapping[str, int]) -> dict[str, int]:
        words = [*self.words, *(f"{kind}={count}" for kind, count in processes.items())]
        try:
            ended = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{self.words[0]} was not done within {TIMEOUT_S:.0f} s") from None
        except OSError as error:
            raise Refused(f"{self.words[0]} cannot be run: {error.strerror}") from None
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or ["it says nothing"])[-1][:200]
            raise Unavailable(f"{self.words[0]} ended with {ended.returncode}: {last}")
        return dict(processes)
