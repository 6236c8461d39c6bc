from tests.emulated import emulators, emulators_process

__all__ = ["emulators", "emulators_process"]
