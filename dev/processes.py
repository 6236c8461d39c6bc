"""honcho's processes, which the embedded run ends together, whenever Ctrl-C comes."""

from __future__ import annotations

import signal
import threading
from typing import Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer
from honcho.process import Process


class Output(Printer):  # type: ignore[misc]
    """Prints every process's lines and remembers the first process that ended (`clock stopped (rc=1)`)."""

    first_end = ""

    def write(self, message: Message) -> None:
        super().write(message)
        if message.name == SYSTEM_PRINTER_NAME and " stopped (rc=" in message.data and not self.first_end:
            self.first_end = message.data.strip()


class PatientProcess(Process):  # type: ignore[misc]
    """Survives Ctrl-C until its command runs: honcho would otherwise wait for ever for the command's process id.

    Ctrl-C reaches the whole process group. exec resets a handler, whereas SIG_IGN would be inherited.
    """

    def run(self, *args: Any, **kwargs: Any) -> None:
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        super().run(*args, **kwargs)


class ProcessManager(Manager):  # type: ignore[misc]
    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._process_ctor = PatientProcess

    def _start(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super()._start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def terminate(self) -> None:
        """Wait until every process has an id: honcho fails on one without and leaves the others running."""
        if self._all_started():
            super().terminate()
        else:
            again = threading.Timer(0.05, self.terminate)
            again.daemon = True
            again.start()
