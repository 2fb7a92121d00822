"""What a thing need not have can be taken away again, by the name of the option that gave it."""

from __future__ import annotations

from tests.server.cli.command_line import CommandLine


def test_every_optional_field_of_a_meter_can_be_cleared(cli: CommandLine) -> None:
    level = [
        "--event-type",
        "seat",
        "--aggregation",
        "level",
        "--series",
        "host",
        "--timeout",
        "60",
        "--statistic",
        "low",
    ]
    shown = ["--unit", "seat", "--dimension", "region", "--filter", "plan=pro", "--field", "properties.seats"]
    assert cli("meters", "create", "cleared", *level, *shown) == 0, cli.err
    names = ["unit", "dimension", "filter", "field", "statistic", "timeout", "series"]
    meter = cli.answer("meters", "update", "cleared", *[f"--clear={name}" for name in names])
    assert {name: meter[name] for name in ("unit", "statistic", "timeout", "series")} == dict.fromkeys(
        ("unit", "statistic", "timeout", "series")
    )
    assert (meter["dimensions"], meter["filter"], meter["field"]) == ([], {}, "value")


def test_every_optional_field_of_a_customer_can_be_cleared(cli: CommandLine) -> None:
    given = ["--name", "Acme", "--email", "ops@acme.example", "--timezone", "Europe/London", "--metadata", "plan=pro"]
    assert cli("customers", "create", "cleared", *given) == 0, cli.err
    names = ["name", "email", "timezone", "metadata"]
    customer = cli.answer("customers", "update", "cleared", *[f"--clear={name}" for name in names])
    assert [customer[name] for name in ("name", "email", "time_zone", "metadata")] == [None, None, "UTC", {}]


def test_every_optional_field_of_a_signal_can_be_cleared(cli: CommandLine) -> None:
    assert cli("meters", "create", "watched-and-cleared", "--event-type", "x", "--aggregation", "count") == 0, cli.err
    assert cli("channels", "add", "slack://TokenA/TokenB/TokenC", "--key", "cleared") == 0, cli.err
    watched = ["--meter", "watched-and-cleared", "--at-least", "5", "--customer", "acme", "--group-by", "region"]
    told = [
        "--filter",
        "plan=pro",
        "--timezone",
        "Europe/London",
        "--channel",
        "cleared",
        "--template",
        "x",
        "--name",
        "N",
    ]
    assert cli("signals", "create", "cleared", *watched, *told) == 0, cli.err
    names = ["name", "customer", "filter", "group-by", "timezone", "channel", "template"]
    signal = cli.answer("signals", "update", "cleared", *[f"--clear={name}" for name in names])
    assert [signal[name] for name in ("name", "scope", "template")] == [None, {"customer": None}, None]
    assert [signal[name] for name in ("filter", "group_by", "channels", "timezone")] == [{}, [], [], "UTC"]


def test_what_is_cleared_is_not_given_too_and_is_something_that_can_be_missing(cli: CommandLine) -> None:
    assert cli("meters", "update", "any", "--clear", "unit", "--unit", "x") == 2
    assert "--clear unit takes away what is given beside it" in cli.err
    assert cli("meters", "update", "any", "--clear", "event-type") == 2
    assert "--clear" in cli.err
