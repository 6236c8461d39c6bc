from tests.support.emulators import emulators, emulators_process

__all__ = ["emulators", "emulators_process"]
