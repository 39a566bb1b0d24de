"""What machines that watch are told."""

from typing import Literal

from services.api.answers import Told


class Health(Told):
    status: Literal["alive"]


class ReadyCheck(Told):
    name: str
    is_ok: bool
    text: str


class Readiness(Told):
    """Whether work can be done; `work` tells what waits, and makes nobody unready."""

    is_ok: bool
    checks: list[ReadyCheck]
