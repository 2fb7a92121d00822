"""What an author of a plugin imports: an aggregation of one's own, in three functions and a struct.

    class Longest(State, frozen=True):
        seconds: Decimal

    class LongestCall(AggregatorPlugin[Longest, NoOptions]):
        summary = "the longest call"

        def fold(self, batch: Batch) -> Longest:
            return Longest(max(batch.decimals("amount")))

        def merge(self, left: Longest, right: Longest) -> Longest:
            return Longest(max(left.seconds, right.seconds))

        def read(self, state: Longest) -> Decimal:
            return state.seconds

A package names the class under the entry point group `tallystick.aggregators`; the entry point's name is what meters call it.
`docs/plugins.md` walks through a whole package, `tallystick.testing.aggregator_check` checks the rules in one line of test.
Promises: names of this package are kept between minor versions; nothing else of `tallystick` is for plugins.
"""

from .aggregator_plugin import AggregatorPlugin, NoOptions, Options, State
from .batch import Batch
from .input import Input, number, text

__all__ = [
    "AggregatorPlugin",
    "Batch",
    "Input",
    "NoOptions",
    "Options",
    "State",
    "number",
    "text",
]
