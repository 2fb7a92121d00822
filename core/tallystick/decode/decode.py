"""From the bytes of a request to a batch: the valid events as columns, the others as rejections that say what is wrong.

Promises: never raises anything but the errors of `errors`; a bad event never takes its neighbours down; the same events give the same
batch whatever the format, the order of keys or the spelling of numbers.
How: all at once if everything is plainly right, by the compiled library where it is, else by whole columns.
If not, the body is cut into events and these are taken in runs of
a hundred and then of ten, so that a run without anything unusual is still fast; what is left goes through the rules one by one.
"""

from __future__ import annotations

from typing import Final

from tallystick.entropy import Entropy
from tallystick.event_batch import EventBatch
from tallystick.instant import Instant

from .batch_builder import BatchBuilder, batch_of
from .cloud_event_form import CloudEventForm
from .errors import BodyTooLarge, TooManyEvents, UnknownMediaType, UnreadableBody
from .fast_columns import Moment, columns_of_one
from .json_form import JsonForm, JsonLinesForm
from .limits import DecodeLimits
from .msgpack_form import MsgpackForm
from .native_form import read_natively
from .refused import Refused
from .sent_event import ABSENT
from .wire_form import WireForm

_JSON: Final = JsonForm()
_LINES: Final = JsonLinesForm()
_MSGPACK: Final = MsgpackForm()
_CLOUD_EVENTS: Final = CloudEventForm()
_FORMS: Final[dict[str, WireForm]] = {
    "application/json": _JSON,
    "application/x-ndjson": _LINES,
    "application/msgpack": _MSGPACK,
    "application/cloudevents+json": _CLOUD_EVENTS,
    "application/cloudevents-batch+json": _CLOUD_EVENTS,
}
# Names in use for the same formats.
_ALIASES: Final = {
    "application/ndjson": "application/x-ndjson",
    "application/jsonl": "application/x-ndjson",
    "application/x-jsonlines": "application/x-ndjson",
    "application/x-msgpack": "application/msgpack",
    "application/vnd.msgpack": "application/msgpack",
}
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# How many events are tried at once after the whole body was not plainly right.
_RUNS: Final = (100, 10)

MEDIA_TYPES: Final = tuple(_FORMS)


def decode_events(
    body: bytes, *, media_type: str, received_at: Instant, limits: DecodeLimits, entropy: Entropy
) -> EventBatch:
    """Return what the body holds; `body` is already decompressed.

    Costs under a microsecond an event on the fast path. Raises `UnreadableBody`, `TooManyEvents`, `BodyTooLarge`, `UnknownMediaType`.
    """
    decoded_bytes = len(body)
    form, body = _opened(body, media_type=media_type, limits=limits)
    moment = Moment(received_at=received_at, latest=received_at + limits.future_ns_max)
    if (batch := _native_batch(form, body, limits=limits, moment=moment, decoded_bytes=decoded_bytes)) is not None:
        return batch
    columns = form.whole(body, limits=limits, moment=moment)
    if columns is not None:
        return batch_of(
            columns, moment=moment, entropy=entropy, media_type=form.element_media_type, decoded_bytes=decoded_bytes
        )
    elements = form.split(body, limits=limits)
    if len(elements) > limits.events_max:
        raise TooManyEvents(limits.events_max)
    builder = BatchBuilder(moment)
    _take(form, elements, range(len(elements)), _RUNS, builder, moment)
    if builder.unreadable_detail is not None:
        name = media_type.partition(";")[0].strip()
        raise UnreadableBody(f"the body is not {name}: {builder.unreadable_detail}")
    return builder.batch(entropy=entropy, media_type=form.element_media_type, decoded_bytes=decoded_bytes)


def decode_plain_events(
    body: bytes, *, media_type: str, received_at: Instant, limits: DecodeLimits, entropy: Entropy
) -> EventBatch | None:
    """Return what `decode_events` would if all is plainly right and every event has an id; None where it takes longer to say.

    Costs a microsecond an event whatever is sent, so that it may run where nothing must be held up. Raises as `decode_events`.
    """
    form, opened = _opened(body, media_type=media_type, limits=limits)
    moment = Moment(received_at=received_at, latest=received_at + limits.future_ns_max)
    if (batch := _native_batch(form, opened, limits=limits, moment=moment, decoded_bytes=len(body))) is not None:
        return batch
    columns = form.whole(opened, limits=limits, moment=moment)
    if columns is None or ABSENT in columns.ids:
        return None
    return batch_of(
        columns, moment=moment, entropy=entropy, media_type=form.element_media_type, decoded_bytes=len(body)
    )


def _native_batch(
    form: WireForm, body: bytes, *, limits: DecodeLimits, moment: Moment, decoded_bytes: int
) -> EventBatch | None:
    """Return what the compiled library reads, if there is one and all is plainly right."""
    if form.native_form is None:
        return None
    events = read_natively(body, form.native_form, limits=limits, moment=moment)
    if events is None:
        return None
    return EventBatch(
        received_at=moment.received_at,
        indexes=range(events.rows),
        columns=events,
        rejected=[],
        media_type=form.element_media_type,
        decoded_bytes=decoded_bytes,
    )


def _opened(body: bytes, *, media_type: str, limits: DecodeLimits) -> tuple[WireForm, bytes]:
    """Return the form of a body, and the body without a byte order mark. Raises what makes it unreadable as a whole."""
    form = _form_of(media_type)
    if len(body) > limits.body_bytes_max:
        raise BodyTooLarge(limits.body_bytes_max)
    if form is not _MSGPACK and body.startswith(_BYTE_ORDER_MARK):
        body = body[len(_BYTE_ORDER_MARK) :]
    if not body or body.isspace():
        raise UnreadableBody("the body is empty: it must hold an event or an array of events")
    return form, body


def _take(
    form: WireForm,
    elements: list[bytes],
    indexes: range,
    runs: tuple[int, ...],
    builder: BatchBuilder,
    moment: Moment,
) -> None:
    """Decode these elements in runs, and what is not plainly right in shorter ones."""
    run = next((length for length in runs if length < len(indexes)), None)
    if run is None:
        for index in indexes:
            try:
                event = form.one(elements[index], moment=moment)
            except Refused as refused:
                builder.refuse(refused, elements[index], index)
            else:
                builder.add(columns_of_one(event, moment=moment), range(index, index + 1))
        return
    for start in range(indexes.start, indexes.stop, run):
        stretch = range(start, min(start + run, indexes.stop))
        columns = form.some(elements[stretch.start : stretch.stop], moment=moment)
        if columns is not None:
            builder.add(columns, stretch)
        else:
            _take(form, elements, stretch, tuple(length for length in runs if length < run), builder, moment)


def _form_of(media_type: str) -> WireForm:
    """Return the form of a media type, which may carry a charset."""
    form = _FORMS.get(media_type)
    if form is not None:
        return form
    essence, *parameters = media_type.split(";")
    name = essence.strip().lower()
    form = _FORMS.get(_ALIASES.get(name, name))
    if form is None:
        raise UnknownMediaType(media_type, known=MEDIA_TYPES)
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in _CHARSETS:
            raise UnknownMediaType(media_type, known=MEDIA_TYPES)
    return form
