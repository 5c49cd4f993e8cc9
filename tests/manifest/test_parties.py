"""Check digits: ISO 7064 MOD 11-2 for ISNI and ORCID, CISAC's two for IPI."""

from __future__ import annotations

import pytest

from royaltycli.manifest.parties import check_ipi, check_isni, check_orcid


@pytest.mark.parametrize(
    ("check", "written", "expected"),
    [
        (check_orcid, "0000-0002-1825-0097", "0000-0002-1825-0097"),
        (check_orcid, "https://orcid.org/0000-0002-1694-233x", "0000-0002-1694-233X"),
        (check_isni, "0000 0001 2103 2683", "0000000121032683"),
        (check_isni, "000000012103-2683", "0000000121032683"),
        (check_isni, "0000 0001 2150 090X", "000000012150090X"),
        (check_ipi, "00014107338", "00014107338"),
        (check_ipi, "i-000000229-7", "I-000000229-7"),
        (check_ipi, "I0000002297", "I-000000229-7"),
    ],
)
def test_right_numbers_in_their_usual_form(check, written, expected):
    assert check(written) == expected


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_orcid, "0000-0002-1825-0097"),
        (check_isni, "0000000121032683"),
        (check_ipi, "00014107338"),
    ],
)
def test_any_one_digit_changed_is_noticed(check, right):
    for at, digit in enumerate(right):
        if digit.isdigit():
            for other in set("0123456789") - {digit}:
                assert check(right[:at] + other + right[at + 1 :]) is None


def test_an_ipi_base_number_has_one_check_digit():
    assert [digit for digit in range(10) if check_ipi(f"I-000000229-{digit}")] == [7]


@pytest.mark.parametrize("check", [check_orcid, check_isni, check_ipi])
@pytest.mark.parametrize(
    "written", ["", "1", "x" * 16, "٠٠٠٠٠٠٠٠٠٠٠", "0" * 40, "I-٠٠٠٠٠٠٢٢٩-7", "0000-0002-1825-00970"]
)
def test_other_forms_are_refused(check, written):
    assert check(written) is None
