"""What a test expects of an outcome before it looks closer."""

from collections.abc import Callable

from services.http import Client, Failure, Response

OpenClient = Callable[..., Client]


def answered(answer: Response | Failure) -> Response:
    assert isinstance(answer, Response), answer
    return answer


def failed(answer: Response | Failure) -> Failure:
    assert isinstance(answer, Failure), answer
    return answer
