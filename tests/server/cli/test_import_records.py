"""From the lines and rows of files to events: nothing rounded, nothing lost, ids that stay."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tallystick.amount import canonical_amount
from tallystick_server.cli.failure import Failure
from tallystick_server.cli.intake.batch import BATCH_BYTES_MAX, batches
from tallystick_server.cli.intake.csv_records import csv_records
from tallystick_server.cli.intake.field_map import FieldMap, TimeReading
from tallystick_server.cli.intake.input_file import InputFile
from tallystick_server.cli.intake.jsonl_records import jsonl_records
from tallystick_server.cli.intake.parquet_records import parquet_records, shortest
from tallystick_server.cli.intake.record import EVENT_BYTES_MAX, MadeUpIds, Record

PLAIN = FieldMap([], [], [])


def lines(content: bytes, fields: FieldMap = PLAIN, seed: str | None = None) -> list[Record]:
    return list(jsonl_records(io.BytesIO(content), fields, MadeUpIds(seed)))


def rows(content: str | bytes, fields: FieldMap = PLAIN) -> list[Record]:
    data = content if isinstance(content, bytes) else content.encode()
    return list(csv_records(io.BytesIO(data), fields, MadeUpIds(None), file="a.csv"))


def event(record: Record) -> dict[str, object]:
    assert record.fault is None, record
    return json.loads(record.event, parse_float=str, parse_int=str)


def test_a_line_with_an_id_passes_byte_by_byte() -> None:
    line = b'{"id":"1", "value":1.50000000000000000000001,"type":"a","customer":"b","type":"twice"}'
    assert [record.event for record in lines(b"\n" + line + b"\n\n")] == [line]


def test_a_line_without_an_id_gets_one_and_keeps_the_rest() -> None:
    [record] = lines(b' {"type":"a","value":0.10} \n')
    assert record.event.endswith(b'"type":"a","value":0.10}')
    assert event(record)["id"]


@pytest.mark.parametrize("line", [b"{}", b'{"id":null}', b'{ "id" : null , "type":"a" }'])
def test_an_empty_object_and_a_null_id_get_an_id(line: bytes) -> None:
    assert event(lines(line)[0])["id"]


def test_ids_stay_when_a_file_grows_or_is_packed_and_differ_between_lines() -> None:
    first = lines(b'{"type":"a"}\n{"type":"a"}\n')
    grown = lines(b'{"type":"a"}\n{"type":"a"}\n{"type":"a"}\n')
    assert [record.event for record in grown[:2]] == [record.event for record in first]
    assert len({event(record)["id"] for record in grown}) == 3


def test_an_edited_record_keeps_its_id_so_that_a_correction_is_no_second_event() -> None:
    first = lines(b'{"type":"a"}\n{"type":"b","value":"x"}\n')
    corrected = lines(b'{"type":"a"}\n{"type":"b","value":1}\n')
    assert [event(record)["id"] for record in first] == [event(record)["id"] for record in corrected]


def test_a_seed_makes_ids_that_do_not_depend_on_the_first_record() -> None:
    assert event(lines(b'{"a":1}', seed="x")[0])["id"] == event(lines(b'{"b":1}', seed="x")[0])["id"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json", "invalid_json"),
        (b'[{"type":"a"}]', "invalid_json"),
        (b'"text"', "invalid_json"),
        (b'{"a":"\xff"}', "invalid_json"),
        (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep"),
        (b'{"a":"' + b"x" * EVENT_BYTES_MAX + b'"}', "invalid_event"),
    ],
    ids=["words", "array", "string", "not utf-8", "deep", "long"],
)
def test_a_line_that_is_no_event_is_a_fault_and_its_neighbours_pass(line: bytes, code: str) -> None:
    before, bad, after = lines(b'{"id":"1"}\n' + line + b'\n{"id":"2"}')
    assert before.fault is None
    assert after.event == b'{"id":"2"}'
    if bad.fault is not None:  # what the probe cannot see is left to the appliance
        assert bad.fault.code in {code, "invalid_encoding"}
        assert bad.place == "line 2"


def test_mapped_json_moves_fields_and_makes_properties_of_the_rest() -> None:
    fields = FieldMap(["customer=account", "properties.n=count"], ["type=call"], ["noise"])
    [record] = lines(b'{"id":7,"account":"acme","count":1.10,"noise":1,"region":"eu","gone":null}', fields)
    assert event(record) == {
        "id": "7",
        "customer": "acme",
        "type": "call",
        "properties": {"n": "1.10", "region": "eu"},
    }


def test_csv_columns_become_fields_by_name_and_the_rest_properties() -> None:
    [record] = rows("id,type,customer,value,region,zip,version,n\n1,call,acme,1.50,eu,01234,1.10,812\n")
    assert json.loads(record.event) == {
        "id": "1",
        "type": "call",
        "customer": "acme",
        "value": 1.5,
        "properties": {"region": "eu", "zip": "01234", "version": "1.10", "n": 812},
    }
    assert b'"value":1.50' in record.event


def test_empty_cells_are_absent_and_blank_rows_are_skipped() -> None:
    records = rows("id,type,customer,value,region\n\n1,call,acme,,\n")
    assert [event(record) for record in records] == [{"id": "1", "type": "call", "customer": "acme"}]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(mark: str) -> None:
    [record] = rows(mark.join(["id", "type", "customer"]) + "\n" + mark.join(["1", "call", "acme"]) + "\n")
    assert event(record) == {"id": "1", "type": "call", "customer": "acme"}


def test_a_row_of_another_width_or_no_utf8_is_a_fault_of_its_own() -> None:
    good, short, bad, last = rows(b"\xef\xbb\xbfid,type\n1,a\n2\n3,\xff\n4,b\n")
    assert (good.fault, last.fault) == (None, None)
    assert short.fault is not None
    assert short.fault.code == "invalid_event"
    assert bad.fault is not None
    assert bad.fault.code == "invalid_encoding"


def test_a_mapped_column_that_is_missing_is_named_with_those_that_are_there() -> None:
    with pytest.raises(Failure, match="no column 'account'; it has: id, type"):
        rows("id,type\n1,a\n", FieldMap(["customer=account"], [], []))


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(Failure, match="two columns are called 'a'"):
        rows("a,a\n1,2\n")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**25), max_value=10**25, places=12))
def test_a_number_in_a_cell_is_the_same_number_in_the_event(value: Decimal) -> None:
    text = f"{value:f}"
    [record] = rows(f"id,value,n\n1,{text},{text}\n")
    found = json.loads(record.event, parse_float=str, parse_int=str)
    assert found["value"] == text
    assert canonical_amount(found["properties"]["n"]) == canonical_amount(text)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_any_text_in_a_cell_arrives_as_it_is(cells: list[str]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", *(f"c{at}" for at in range(len(cells)))])
    writer.writerow(["1", *cells])
    [record] = rows(text.getvalue())
    found = json.loads(record.event, parse_float=str, parse_int=str).get("properties", {})
    assert found == {f"c{at}": cell for at, cell in enumerate(cells) if cell}


@pytest.mark.parametrize(
    ("text", "reading", "expected"),
    [
        ("2026-11-01T10:00:00Z", TimeReading(), '"2026-11-01T10:00:00Z"'),
        ("1793527200123", TimeReading(), '"2026-11-01T10:00:00.123Z"'),
        ("1793527200", TimeReading("s"), '"2026-11-01T10:00:00Z"'),
        ("1793527200.123456789", TimeReading("s"), '"2026-11-01T10:00:00.123456789Z"'),
        ("1793527200123456789", TimeReading("ns"), '"2026-11-01T10:00:00.123456789Z"'),
        ("2026-11-01 10:00:00", TimeReading(zone=ZoneInfo("Europe/Berlin")), '"2026-11-01T09:00:00Z"'),
        ("2026-11-01 10:00:00+02:00", TimeReading(zone=ZoneInfo("Europe/Berlin")), '"2026-11-01 10:00:00+02:00"'),
        ("2026-11-01 10:00:00", TimeReading(), '"2026-11-01 10:00:00"'),
        ("-5", TimeReading("s"), '"-5"'),
    ],
)
def test_times_are_read_exactly_and_never_guessed(text: str, reading: TimeReading, expected: str) -> None:
    fragment = reading.fragment(text)
    assert fragment is not None
    assert fragment.decode() == expected


def parquet(tmp_path: Path, frame: pl.DataFrame, fields: FieldMap = PLAIN) -> list[Record]:
    path = tmp_path / "a.parquet"
    frame.write_parquet(path)
    return list(parquet_records(str(path), fields, MadeUpIds(None)))


def test_parquet_keeps_decimals_integers_times_and_texts_exactly(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": [1],
            "type": ["call"],
            "customer": ["acme"],
            "time": pl.Series([1793527200123456789]).cast(pl.Datetime("ns", "UTC")),
            "value": pl.Series([Decimal("12345678901234567890123456.123456789012")], dtype=pl.Decimal(38, 12)),
            "n": [2**63 - 1],
            "f": [0.1],
            "g": pl.Series([0.1], dtype=pl.Float32),
            "big": [1e22],
            "on": [True],
            "text": ["1.10"],
            "none": pl.Series([None], dtype=pl.String),
        }
    )
    [record] = parquet(tmp_path, frame)
    assert event(record) == {
        "id": "1",
        "type": "call",
        "customer": "acme",
        "time": "2026-11-01T10:00:00.123456789Z",
        "value": "12345678901234567890123456.123456789012",
        "properties": {
            "n": "9223372036854775807",
            "f": "0.1",
            "g": "0.1",
            "big": "10000000000000000000000",
            "on": True,
            "text": "1.10",
        },
    }


def test_parquet_times_without_a_zone_need_one(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "time": [datetime(2026, 11, 1, 10)]})  # noqa: DTZ001 - that is the case
    with pytest.raises(Failure, match="--timezone"):
        parquet(tmp_path, frame)
    fields = FieldMap([], [], [], TimeReading(zone=ZoneInfo("Europe/Berlin")))
    assert event(parquet(tmp_path, frame, fields)[0])["time"] == "2026-11-01T09:00:00Z"


def test_a_parquet_column_that_no_event_can_hold_is_named(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "tags": [["a", "b"]]})
    with pytest.raises(Failure, match=r"'tags'.*--ignore"):
        parquet(tmp_path, frame)
    assert event(parquet(tmp_path, frame, FieldMap([], [], ["tags"]))[0]) == {"id": "1"}


def test_a_file_that_is_no_parquet_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 or not")
    with pytest.raises(Failure, match="cannot be read as Parquet"):
        list(parquet_records(str(path), PLAIN, MadeUpIds(None)))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_float_becomes_the_shortest_decimal_that_reads_back_as_it(values: list[float]) -> None:
    for value in values:
        digits = shortest(value)
        assert float(digits) == value
        assert "e" not in digits


def packed(kind: str, content: bytes) -> bytes:
    if kind == "gzip":
        return gzip.compress(content)
    return zstandard.ZstdCompressor().compress(content) if kind == "zstd" else content


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd"])
def test_packed_files_are_read_as_if_they_were_not(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    content = b"".join(b'{"id":"%d"}\n' % number for number in range(50_000))
    path.write_bytes(packed(kind, content) + (packed(kind, b'{"id":"last"}\n')))
    with InputFile(str(path), None).stream() as stream:
        assert sum(1 for _ in jsonl_records(stream, PLAIN, MadeUpIds(None))) == 50_001


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_packed_file_that_is_cut_off_is_a_failure_not_an_early_end(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.x"
    path.write_bytes(packed(kind, b'{"id":"1"}\n' * 1_000)[:-5])
    with pytest.raises(Failure, match="cut off"), InputFile(str(path), "jsonl").stream() as stream:
        list(jsonl_records(stream, PLAIN, MadeUpIds(None)))


@given(st.lists(st.integers(1, 2_000_000), max_size=30), st.integers(1, 7))
def test_batches_hold_every_record_once_in_order_within_the_limits(sizes: list[int], events_max: int) -> None:
    records = [Record(str(at), b"x" * size) for at, size in enumerate(sizes)]
    cut = list(batches(((record, 0) for record in records), events_max=events_max))
    assert [record.place for batch in cut for record in batch.records] == [record.place for record in records]
    for batch in cut:
        assert len(batch.records) <= events_max
        assert len(batch.records) == 1 or len(batch.body()) <= BATCH_BYTES_MAX


def test_dates_in_parquet_are_midnights_in_the_zone(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"], "time": [datetime(2026, 11, 1, tzinfo=UTC).date()]})
    fields = FieldMap([], [], [], TimeReading(zone=ZoneInfo("Europe/Berlin")))
    assert event(parquet(tmp_path, frame, fields)[0])["time"] == "2026-10-31T23:00:00Z"
