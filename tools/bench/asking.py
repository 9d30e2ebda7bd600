"""How the benchmarks take their arguments."""

import argparse
from collections.abc import Callable
from typing import NoReturn


class OneSentence(argparse.ArgumentParser):
    """A parser that says what is wrong, and no more."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def number_from(least: int) -> Callable[[str], int]:
    """Reads numbers from that on."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} on")
        return int(text)

    return number
