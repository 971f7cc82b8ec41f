from pathlib import Path

import pytest
from tests.config.conftest import Desk

from tokenbudget.config.alerting import AlertSettings, MonitorSettings, system_zone
from tokenbudget.model.errors import BadConfig


def test_without_tables_the_built_in_values_hold(desk: Desk) -> None:
    settings = desk.strict(TZ="Asia/Tokyo")

    assert settings.alert_settings() == AlertSettings(zone="Asia/Tokyo")
    assert settings.alert_settings()[:6] == ("", "4h", 6, "critical", False, True)
    assert settings.monitor_settings() == MonitorSettings("30s", "auto")


def test_tables_are_read_and_the_zone_is_that_of_the_settings(desk: Desk) -> None:
    desk.write(
        desk.ours,
        'timezone = "Europe/Berlin"\n[alerts]\nquiet_hours = "22:00-07:00"\nrepeat = "1h"\n'
        'rate_per_hour = 2\npassing_level = "emergency"\ndesktop = true\nbell = false\n'
        '[monitor]\ninterval = "5s"\ntheme = "dark"\n',
    )
    settings = desk.strict(TZ="Asia/Tokyo")

    assert settings.alert_settings() == (
        "22:00-07:00", "1h", 2, "emergency", True, False, "Europe/Berlin",
    )  # fmt: skip
    assert settings.monitor_settings() == ("5s", "dark")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alerts.bel = true", "alerts in {} has no 'bel' (did you mean 'bell'?); it knows quiet_"),
        ("alerts.zone = 'UTC'", "has no 'zone'"),
        ("alerts.bell = 1", "alerts.bell in {} must be true or false, not 1"),
        ("alerts.rate_per_hour = true", "must be a number from 0 to 10,000, not True"),
        ("alerts.rate_per_hour = -1", "must be a number"),
        ("alerts.rate_per_hour = 1e400", "must be a number"),
        ("alerts.repeat = 4", 'must be a short text such as "4h", not 4'),
        (f"alerts.repeat = '{'x' * 10_000}'", "must be a short text"),
        ("alerts.quiet_hours = [1]", 'such as "22:00-07:00", not [1]'),
        ("alerts.quiet_hours = {a = {b = 1}}", "must be a short text"),
        ("monitor.interval = 30", 'monitor.interval in {} must be a short text such as "30s"'),
        ("monitor.colour = 'x'", "monitor in {} has no 'colour'"),
    ],
)
def test_another_kind_of_value_is_refused(desk: Desk, text: str, said: str) -> None:
    desk.write(desk.ours, text + "\n")
    settings = desk.strict()

    with pytest.raises(BadConfig) as refused:
        (settings.alert_settings(), settings.monitor_settings())
    assert said.format(desk.ours) in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("variable", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        (":Europe/Paris", "Europe/Paris"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_the_machines_zone_from_its_variable(variable: str, zone: str) -> None:
    assert system_zone(variable) == zone


def test_the_machines_zone_from_its_link(tmp_path: Path) -> None:
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Oslo").write_text("")
    (tmp_path / "localtime").symlink_to(tmp_path / "zoneinfo" / "Europe" / "Oslo")

    assert system_zone("", str(tmp_path / "localtime")) == "Europe/Oslo"
    assert system_zone("CET-1CEST", str(tmp_path / "localtime")) == "Europe/Oslo"
    assert system_zone("", str(tmp_path / "none")) == "UTC"
