"""Whose fault a failed call is, in words that help."""

import pytest

from services.domain import faults
from services.domain.faults import Fault
from services.http import FailureKind


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize("was_reached", [True, False])
def test_every_failure_of_the_client_has_a_fault_and_words_of_its_own(
    kind: FailureKind, was_reached: bool
) -> None:
    fault = faults.of_failure(kind.value, was_reached=was_reached)
    assert fault is not Fault.OURS
    said = faults.words(fault, kind.value, None)
    assert said
    assert said != faults.words(Fault.OURS, "unsent", None)


def test_a_time_out_is_theirs_only_when_they_were_reached() -> None:
    assert faults.of_failure("timeout", was_reached=True) is Fault.THEIRS
    assert faults.of_failure("timeout", was_reached=False) is Fault.NETWORK
    assert "answer first" in faults.words(Fault.THEIRS, "timeout", None)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (302, "redirects"),
        (401, "secret"),
        (404, "path"),
        (410, "gone"),
        (429, "pace"),
        (500, "log"),
        (418, "refused"),
    ],
)
def test_an_answer_is_theirs_and_says_what_to_look_at(status: int, word: str) -> None:
    fault = faults.of_status(status)
    assert fault is Fault.THEIRS
    assert word in faults.words(fault, "", status)


def test_what_was_taken_is_nobodys_fault() -> None:
    assert faults.of_status(204) is None
    assert faults.words(None, "", 204) == ""
