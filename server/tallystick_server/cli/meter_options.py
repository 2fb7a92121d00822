"""Fields of a meter that only some aggregations have, as options that `meters create`, `update` and `preview` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from cyclopts import Group, Parameter

_GROUP = Group("For some aggregations", sort_key=80)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class MeterOptions:
    """What was given of them."""

    fields: Annotated[
        tuple[str, ...], Parameter(name="--fields", help="unique: several fields, counted together; repeatable.")
    ] = ()
    series: Annotated[
        str | None, Parameter(help="running_total, level, duration: the property whose values are apart, such as host.")
    ] = None
    timeout: Annotated[
        int | None,
        Parameter(help="running_total, level, duration: seconds without an event after which the level is 0."),
    ] = None
    statistic: Annotated[
        Literal["peak", "low", "closing", "average"] | None,
        Parameter(help="running_total, level: what of a window is its figure."),
    ] = None

    def given(self) -> dict[str, Any]:  # Any: JSON that the appliance checks
        """Return the fields of the definition that were given."""
        fields = [part.strip() for text in self.fields for part in text.split(",") if part.strip()]
        options = {
            "fields": fields or None,
            "series": self.series,
            "timeout": self.timeout,
            "statistic": self.statistic,
        }
        return {name: value for name, value in options.items() if value is not None}


NO_OPTIONS: Final = MeterOptions()
