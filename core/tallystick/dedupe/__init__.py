"""The dedupe index: which positions of the log may hold an event of a given identity. The log decides (see `docs/dedupe.md`)."""

from .check_run import check_run
from .dedupe_index import Candidates, DedupeIndex, OpenRun, Suspects
from .identity_hash import identity_hashes
from .merge_runs import merge_runs
from .pairs_digest import PairsDigest
from .plan_merge import plan_merge
from .run_entry import RunEntry
from .run_writer import remove_runs, remove_unlisted
from .sealed_keys import SealedKeys, write_run

__all__ = [
    "Candidates",
    "DedupeIndex",
    "OpenRun",
    "PairsDigest",
    "RunEntry",
    "SealedKeys",
    "Suspects",
    "check_run",
    "identity_hashes",
    "merge_runs",
    "plan_merge",
    "remove_runs",
    "remove_unlisted",
    "write_run",
]
