import pytest

from naba.cli.keys import Command, _config, rows
from tests.conftest import Run


@pytest.mark.parametrize("command", list(Command))
def test_every_key_has_a_meaning(command: Command) -> None:
    found = list(rows(_config(command)))
    assert found
    assert [key for key, _, _, meaning in found if not meaning] == []


def test_keys_are_shown_with_default_bounds_and_meaning(naba: Run) -> None:
    code, out, errors = naba("keys", "build")
    assert (code, errors) == (0, "")
    told = " ".join(out.split())
    assert "resolve.method" in told and "majority | dawid-skene" in told
    assert "overlap_words" in told and "≥ 5" in told


def test_command_without_a_configuration_is_told(naba: Run) -> None:
    code, _, errors = naba("keys", "card")
    assert code == 2
    assert "'card' is not one of 'build'" in errors
