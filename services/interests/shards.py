"""A share of all interests, by id: several matchers hold one each, and together they hold all, once."""

from typing import NamedTuple


class Shard(NamedTuple):
    """Interests whose id leaves `number` when divided by `of`. Written `1/4` to `4/4` for people."""

    number: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """What the setting names; the setting has been checked."""
        number, of = map(int, text.split("/"))
        return cls(number - 1, of)

    def __str__(self) -> str:
        return f"{self.number + 1}/{self.of}"

    @property
    def is_whole(self) -> bool:
        return self.of == 1
