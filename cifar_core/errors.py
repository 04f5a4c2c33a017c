"""Every error that a user can cause or meet, as one tree below `CifarError`.

Each message is one line: the rule or what failed, the value received, and what to do.
The command line prints it and exits with 2; the dashboard shows it in place.
"""


class CifarError(Exception):
    """Base of all errors that the user reads, in one sentence."""


class ConfigError(CifarError, ValueError):
    """A setting is outside its allowed values."""


class DataError(CifarError):
    """The images could not be had."""


class DataNotFound(DataError):
    """Nothing lies where the data was looked for."""


class DataFormatError(DataError, ValueError):
    """What lies there is not a data set in one of the known forms."""


class DownloadError(DataError):
    """No mirror gave the archive, or what came was damaged."""


class DownloadCancelled(DownloadError):
    """The download was cancelled, here or in another process."""


class ImageError(CifarError, ValueError):
    """One picture cannot be read."""


class RunError(CifarError):
    """A run cannot do what was asked of it."""


class RunNotFound(RunError, LookupError):
    """There is no run of that name."""


class RunNotWritable(RunError):
    """A run's folder, or the folder of all runs, cannot be written: rights, or a full disk."""


class RunDiverged(RunError, ArithmeticError):
    """The loss of a training became infinite or no number at all."""


def reason(error: BaseException) -> str:
    """Why, for the brackets of another error: one line, no path that an OSError repeats."""
    known = error.strerror if isinstance(error, OSError) else None
    return one_line(known or str(error)) or type(error).__name__


def one_line(text: str) -> str:
    """A text on one line, of 1,000 characters at most."""
    return " ".join(text.split())[:1000]


def quoted(text: str) -> str:
    """A path or a name for an error: in quotes, as it is but for what would break the line."""
    return "'" + "".join(one if one.isprintable() else repr(one)[1:-1] for one in text) + "'"


def counted(number: int, thing: str) -> str:
    """So many of a thing: '1 epoch', '2,000 epochs'."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
