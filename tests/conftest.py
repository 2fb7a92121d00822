"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# Nothing is timed in tests: a machine that is busy elsewhere fails none. The rest is as before (in CI: the same examples each time).
settings.register_profile("tallystick", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tallystick")


def _skips_are_failures() -> bool:
    return os.environ.get("CI", "") not in ("", "0") or os.environ.get("TALLYSTICK_CI", "") not in ("", "0")


def _fail_what_was_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI everything a test needs is installed: one that was skipped shows nothing, and says so. An expected failure is no skip."""
    if report.skipped and not hasattr(report, "wasxfail") and _skips_are_failures():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test skipped in CI into a failure."""
    report = yield
    _fail_what_was_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a file skipped in CI as a whole (`importorskip`) into a failure."""
    report = yield
    _fail_what_was_skipped(report)
    return report
