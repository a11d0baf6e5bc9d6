"""What happens where a training fails: one sentence for the user, and no new folder without a result in it."""

import re
import shutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from sb3_ext.zoo.errors import UsageError, first_line

# Errors whose message means nothing without their type.
TERSE = (AssertionError, AttributeError, KeyError, IndexError, EOFError, NotImplementedError, MemoryError)


def tells_of_nan(error: BaseException) -> bool:
    """
    Whether an error is about numbers that are not finite: the fault of hyperparameters with which training diverges.

    :param error: The error
    """
    return re.search(r"\b(nan|inf)\b", str(error).lower()) is not None


class NewFolders:
    """
    Remembers which of some folders, and of those above them, are not there yet, to remove what is made of them.

    :param folders: Folders that are about to be made
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = [folder for folder in folders if not folder.exists()]
        self._above = [parent for folder in self.folders for parent in folder.parents if not parent.exists()]

    def remove(self) -> None:
        """Remove the folders with all that is in them, and those above them that are empty."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        # The longest paths first; another run may have put something into a folder that this one made.
        for folder in sorted(self._above, key=lambda path: -len(path.parts)):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def as_usage_error(error: Exception, doing: str, in_full: bool) -> UsageError:
    """
    The one sentence for an error.

    :param error: What was raised
    :param doing: What could not be done, for instance "maskable_dqn on EchoLab-v0 cannot be set up"
    :param in_full: Whether to print the traceback to standard error
    :return: the error to raise in its place; a ``UsageError`` as it is
    """
    # A mere refusal has no more to tell.
    if in_full and not (isinstance(error, UsageError) and error.__cause__ is None):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, UsageError):
        return error
    said = first_line(error)
    name = type(error).__name__
    if isinstance(error, TERSE) and said != name:
        said = f"{name}: {said}"
    if tells_of_nan(error) and "diverged" not in said:
        said += " (there is nan or inf: the training has diverged)"
    return UsageError(f"{doing}: {said}")
