"""What can go wrong in the engine, as a small tree of errors that carry facts and say what to do now.

A rejected event is no error: it is a value (`rejection.Rejected`), answered beside its accepted neighbours.
"""

from __future__ import annotations


class TallystickError(Exception):
    """The root of every error the engine raises on purpose."""


class NotFound(TallystickError, LookupError):
    """The named thing does not exist."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} has the key {key!r}")
        self.kind, self.key = kind, key


class NotCounted(TallystickError, LookupError):
    """An event that is in the log and yet is none of those asked about; `position` is where it stands."""

    def __init__(self, event_id: str, *, position: int, why: str) -> None:
        super().__init__(f"the event {event_id!r} at position {position} is not counted here: {why}")
        self.position, self.why = position, why


class AlreadyExists(TallystickError, ValueError):
    """A thing of this key exists, and creating it anew would change it behind its owner's back."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"a {kind} with the key {key!r} exists already; change it with PATCH")
        self.kind, self.key = kind, key


class InvalidQuestion(TallystickError, ValueError):
    """A question that cannot be answered as asked; `parameter` names the part at fault."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter, self.detail = parameter, detail


class InvalidDefinition(TallystickError, ValueError):
    """A meter, customer or key whose definition breaks a rule; `field` names the part at fault."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field, self.detail = field, detail


class PluginMissing(TallystickError, LookupError):
    """A meter's aggregation came from a plugin that is not installed here any more."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the aggregation {name!r} belongs to a plugin that is not installed here: install it again and restart, or change the meter's "
            "aggregation"
        )
        self.name = name


class PluginFailed(TallystickError):
    """A plugin's code raised, or answered what it may not; `stage` is the function that did. Nothing but this question is affected."""

    def __init__(self, name: str, package: str, stage: str, detail: str) -> None:
        super().__init__(f"the aggregation {name!r} of the plugin {package} failed in {stage}: {detail}")
        self.name, self.package, self.stage, self.detail = name, package, stage, detail


class Unavailable(TallystickError):
    """The engine cannot take this now, stored nothing of it, and will again after `retry_after_s`.

    `must_reopen`: the store first reopens, and recovers from what is on disk.
    """

    retry_after_s: int = 1
    must_reopen: bool = False


class Overloaded(Unavailable):
    """A queue is at its limit."""


class StoreFull(Unavailable):
    """The disk, the map or a quota has no room for the write."""

    retry_after_s = 5

    def __init__(self, detail: str, *, must_reopen: bool = False) -> None:
        super().__init__(detail)
        self.must_reopen = must_reopen


class StoreFailed(Unavailable):
    """A write or its fsync failed."""

    retry_after_s = 2
    must_reopen = True


class Closing(Unavailable):
    """The engine is shutting down."""


class StoreRefused(TallystickError):
    """The data directory cannot be opened by this program now; the message says why and what to do."""


class NewerFormat(StoreRefused):
    """The data directory was written by a newer version of the program."""

    def __init__(self, directory: str, *, found: int, known: int) -> None:
        super().__init__(
            f"{directory} has format {found}, and this program knows formats up to {known}: start the newer version that wrote it"
        )
        self.found, self.known = found, known


class DirectoryInUse(StoreRefused):
    """Another process has the data directory open."""

    def __init__(self, directory: str, *, holder: str) -> None:
        super().__init__(
            f"{directory} is in use by another process ({holder}): stop that one first, or choose another --data"
        )
        self.holder = holder


class DamagedStore(TallystickError):
    """What is on disk is not what was written; `position` is the first place known to be wrong."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(f"at position {position}: {detail}; restore from a backup taken before this position")
        self.position, self.detail = position, detail


class BrokenChain(DamagedStore):
    """A block does not hash to what its successor, or its own header, says."""

    def __init__(self, position: int, *, expected: bytes, found: bytes) -> None:
        super().__init__(position, f"block hash is {found.hex()}, expected {expected.hex()}")
        self.expected, self.found = expected, found


class DamagedBackup(TallystickError):
    """A backup is not what was written; `position` is the first place of the log that it does not have whole, 0 if that is not known."""

    def __init__(self, folder: str, *, file: str, position: int) -> None:
        place = f" at position {position}" if position else ""
        super().__init__(
            f"{folder} is damaged{place}, in {file}: use another backup, or take a new one into an empty folder"
        )
        self.position = position


class OtherLog(TallystickError):
    """A backup and a log have different blocks under the same number: one of them went on from an earlier state."""

    def __init__(self, folder: str, *, block: int) -> None:
        super().__init__(
            f"{folder} holds blocks up to {block} that are not of this log (another appliance, or one that was restored from an earlier "
            "backup): take the backup into an empty folder"
        )
        self.block = block
