"""An answer as CSV: exact, unambiguous, and no program for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.usage.answer import UsageAnswer
from tallystick.usage.csv_answer import csv_pieces
from tallystick.usage.question import Compare, Fill, WindowSize
from tests.core.usage.asking import ask, call, meter, question

NOON = "2026-11-01T12:00:00Z"


def csv_lines(answer: UsageAnswer) -> Iterator[str]:
    return csv_pieces(answer, rows_at_once=1)


def test_an_answer_is_a_header_and_a_line_for_each_row() -> None:
    asked = question(
        "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z", group_by=("customer", "region"), window=WindowSize.DAY
    )
    answer = ask([call(NOON, value="1204.50", region="eu"), call("2026-11-02T00:00:00Z", value="1E-12")], asked)
    assert list(csv_lines(answer)) == [
        "start,end,customer,region,value,events\r\n",
        "2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,acme,eu,1204.5,1\r\n",
        "2026-11-02T00:00:00Z,2026-11-03T00:00:00Z,acme,,0.000000000001,1\r\n",
    ]


def test_large_figures_have_all_their_digits_and_no_exponent() -> None:
    answer = ask([call(NOON, value="1E+25") for _ in range(100)])
    assert list(csv_lines(answer))[1].split(",")[2] == "1" + "0" * 27


def test_no_figure_and_no_group_are_empty_cells_and_an_empty_text_is_quoted() -> None:
    assert list(csv_lines(ask([], question(fill=Fill.ZERO), meter("min"))))[1].endswith("Z,,0\r\n")
    answer = ask([call(NOON), call(NOON, region="")], question(group_by=("region",)))
    assert [line.split(",")[2] for line in csv_lines(answer)] == ["region", '""', ""]


@pytest.mark.parametrize(
    "text", ["=HYPERLINK()", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=1", "\uff1d1", "-"]
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    lines = "".join(csv_lines(ask([call(NOON, customer=text)], question(group_by=("customer",)))))
    assert list(csv.reader(io.StringIO(lines, newline="")))[1][2] == f"'{text}"


def test_a_negative_number_as_a_group_stays_a_number() -> None:
    answer = ask([call(NOON, customer="-5")], question(group_by=("customer",)))
    assert list(csv_lines(answer))[1].split(",")[2] == "-5"


def test_a_group_named_like_a_fixed_column_is_told_apart() -> None:
    answer = ask([call(NOON, value_="x")], question(group_by=("value", "=x")))
    assert next(csv_lines(answer)) == "start,end,group.value,'=x,value,events\r\n"


@given(
    texts=st.lists(
        st.text(max_size=6).filter(lambda text: "\0" not in text and text != ""), min_size=1, max_size=4, unique=True
    )
)
def test_whatever_the_texts_hold_a_reader_gets_them_back(texts: list[str]) -> None:
    events = [call(NOON, region=text) for text in texts]
    lines = list(csv_lines(ask(events, question(group_by=("region",)))))
    cells = [row[2] for row in csv.reader(io.StringIO("".join(lines), newline=""))][1:]
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in sorted(texts)]


@given(
    texts=st.lists(
        st.text(alphabet="=+-@\t\r\n\x1c\uff1d a\"',é5.", max_size=3) | st.none(), min_size=1, max_size=6, unique=True
    )
)
def test_pieces_of_any_size_make_the_same_file(texts: list[str | None]) -> None:
    events = [call(NOON, region=text) if text is not None else call(NOON) for text in texts]
    answer = ask(events, question(group_by=("region",)))
    whole = "".join(csv_pieces(answer))
    assert whole == "".join(csv_lines(answer))
    assert whole == "".join(csv_pieces(answer, rows_at_once=4))


def test_a_comparison_has_three_columns_more() -> None:
    events = [call("2026-10-05T00:00:00Z", value="3"), call(NOON, value="4")]
    assert list(csv_lines(ask(events, question(compare=Compare.PREVIOUS)))) == [
        "start,end,value,events,previous,change,change_percent\r\n",
        "2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,4,1,3,1,33.3333\r\n",
    ]
    answer = ask(events, question(compare=Compare.PREVIOUS, group_by=("change",), filter={"change": ("x",)}))
    assert next(csv_lines(answer)) == "start,end,group.change,value,events,previous,change,change_percent\r\n"
