"""The options that describe a meter, the same for creating, changing and trying one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from cyclopts import Group, Parameter

from .asking import assignments, grouped, listed, without_none
from .failure import BadUse
from .json_file import json_object

_METER: Final = Group("Meter", sort_key=5)


@Parameter(name="*", group=_METER)
@dataclass(frozen=True)
class MeterFields:
    """What a meter asks; those not given are not set."""

    event_type: Annotated[str | None, Parameter(help="Which events it looks at.")] = None
    aggregation: Annotated[
        str | None, Parameter(help="count, sum, min, max, unique, or another that `tallystick aggregators` lists.")
    ] = None
    field: Annotated[str | None, Parameter(name="--field", help="`value`, `customer` or `properties.NAME`.")] = None
    fields: Annotated[
        tuple[str, ...], Parameter(name="--fields", help="unique: several fields, counted together; repeatable.")
    ] = ()
    meter_filter: Annotated[
        tuple[str, ...],
        Parameter(name=["--filter", "-f"], help="property=value; values of one property are alternatives."),
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
    option: Annotated[
        tuple[str, ...], Parameter(name="--option", help="name=JSON, for a plugin's aggregation; repeatable.")
    ] = ()
    unit: Annotated[str | None, Parameter(help="What one of it is.")] = None
    file: Annotated[
        str | None,
        Parameter(
            name="--file",
            allow_leading_hyphen=True,
            help="A JSON file with the definition (`-`: stdin); options beat it.",
        ),
    ] = None

    def given(self) -> dict[str, Any]:  # Any: JSON that the appliance checks
        """Return the fields that were given: those of the file, and the options over them. Raises `BadUse`."""
        found = json_object(self.file) if self.file is not None else {}
        options: dict[str, Any] = {  # Any: as above
            "field": self.field,
            "fields": listed(self.fields) or None,
            "event_type": self.event_type,
            "aggregation": self.aggregation,
            "filter": grouped(assignments("--filter", self.meter_filter)) or None,
            "timeout": self.timeout,
            "series": self.series,
            "statistic": self.statistic,
            "options": dict(_json_of(text) for text in self.option) or None,
            "unit": self.unit,
        }
        return found | without_none(options)

    def whole(self) -> dict[str, Any]:  # Any: as above
        """Return a whole meter, but for its key. Raises `BadUse` where what every meter has is missing."""
        meter = self.given()
        for needed in ("event_type", "aggregation"):
            if needed not in meter:
                raise BadUse(f"give --{needed.replace('_', '-')}, or --file with the definition")
        return meter


NO_FIELDS: Final = MeterFields()


def _json_of(text: str) -> tuple[str, object]:
    import msgspec

    ((name, value),) = assignments("--option", (text,))
    try:
        return name, msgspec.Raw(msgspec.json.format(value.encode(), indent=-1))
    except msgspec.DecodeError:
        return name, value  # a bare word is a text
