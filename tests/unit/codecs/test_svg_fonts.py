"""Which fonts stand in for the generic families."""

import pwd

import pytest

from imageplane.codecs.svg_fonts import generic_families


def test_a_user_without_a_home_has_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = generic_families()

    def nobody(_user: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    generic_families.cache_clear()
    assert bool(generic_families().sans_serif) is bool(ours.sans_serif)
    generic_families.cache_clear()
