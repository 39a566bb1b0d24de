import pytest

from services.domain import seal
from services.errors import SettingsError

KEY = "a key of the tests, long enough"


def test_what_was_sealed_is_read_back_with_the_same_key() -> None:
    sealed = seal.seal(KEY, "whsec_zażółć")
    assert "whsec" not in sealed
    assert seal.unseal(KEY, sealed) == "whsec_zażółć"


def test_another_key_says_that_it_is_the_wrong_one() -> None:
    sealed = seal.seal(KEY, "whsec_1")
    with pytest.raises(SettingsError, match="GONIEC_SECRET_KEY"):
        seal.unseal("another key of the tests", sealed)


def test_an_address_has_one_hash_whatever_its_case_and_none_without_the_key() -> None:
    assert seal.email_hash(KEY, "Anna@Example.org ") == seal.email_hash(KEY, "anna@example.org")
    assert seal.email_hash(KEY, "anna@example.org") != seal.email_hash(KEY + "!", "anna@example.org")


def test_each_purpose_has_its_own_key() -> None:
    assert seal.derived_key(KEY, "seal") != seal.derived_key(KEY, "email-hash")
