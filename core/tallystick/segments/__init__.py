"""Events as columns for questions: immutable Parquet files made from the log, and the live tail in memory that is not in a file yet.

Promises: everything here can be thrown away and made again from the log; a figure comes from files whose checksum
was right, or not at all.
Does not: decide what is on record (the engine's manifest lists the files that count), nor know what is voided (it is
told with each question). Described in `docs/segments.md`.
"""

from .customers_seen import first_customers
from .event_places import EventPlaces, newest_of
from .live_tail import LiveTail
from .merge_segments import merge_segments
from .plan_merge import MergePlan, plan_merge
from .segment_entry import SegmentEntry
from .segment_file import DamagedSegment, SegmentFile
from .segment_set import SegmentSet
from .store_segment import remove_unlisted
from .verify_segments import check_files, verify_segments
from .write_segments import write_segments

__all__ = [
    "DamagedSegment",
    "EventPlaces",
    "LiveTail",
    "MergePlan",
    "SegmentEntry",
    "SegmentFile",
    "SegmentSet",
    "check_files",
    "first_customers",
    "merge_segments",
    "newest_of",
    "plan_merge",
    "remove_unlisted",
    "verify_segments",
    "write_segments",
]
