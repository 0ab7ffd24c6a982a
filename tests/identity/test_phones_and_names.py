"""Phones by data, names in one spelling, and masks that keep their promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.rules.names import NameInvalid, mask_name, read_name
from services.identity.rules.phones import PhoneInvalid, mask_phone, mobile_prefixes, read_phone


@pytest.mark.parametrize(
    "typed",
    [
        *("13805711234", "+8613805711234", "0086 138 0571 1234", "138-0571-1234"),
        "１３８０５７１１２３４",
    ],
)
def test_a_phone_is_eleven_digits_however_typed(typed: str) -> None:
    assert read_phone(typed) == "13805711234"


@pytest.mark.parametrize(
    "refused",
    ["", "1380571123", "138057112345", "12805711234", "14405711234", "+85291234567", "138o5711234"],
)
def test_other_numbers_are_refused(refused: str) -> None:
    with pytest.raises(PhoneInvalid):
        read_phone(refused)


@given(st.sampled_from(sorted(mobile_prefixes())), st.integers(0, 99_999_999))
def test_a_masked_phone_does_not_hold_the_phone(prefix: str, rest: int) -> None:
    number = read_phone(f"{prefix}{rest:08d}")
    assert mask_phone(number) == f"{prefix}****{number[-4:]}"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("王小明", "王小明"),
        (" 王 ", "王"),
        ("买买提·艾力", "买买提·艾力"),
        ("Ｊａｎｅ  Doe", "Jane Doe"),
        ("O'Neill", "O'Neill"),
    ],
)
def test_a_name_has_one_spelling(typed: str, name: str) -> None:
    assert read_name(typed) == name


@pytest.mark.parametrize(
    "refused", ["", " ", "·", "x" * 51, "王\u200b明", "=HYPERLINK(1)", "王<b>", "王3", "\x00"]
)
def test_what_is_no_name_is_refused(refused: str) -> None:
    with pytest.raises(NameInvalid):
        read_name(refused)


@given(st.text(min_size=1, max_size=60))
def test_a_name_that_is_read_reads_the_same_again_and_its_mask_shows_one_character(
    text: str,
) -> None:
    try:
        name = read_name(text)
    except NameInvalid:
        return
    assert read_name(name) == name
    assert len(mask_name(name)) == len(name)
    assert sum(sign != "*" for sign in mask_name(name)) <= 1
