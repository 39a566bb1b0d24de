"""A few small integers for each row of a matcher, packed: {row: numbers} without an object for any of them.

A million rows are some thirty megabytes here and half a gigabyte as tuples in a dictionary.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

PAGE_ROWS = 1024
_ROOMY = 1024  # numbers that a page may waste before it is worth packing anew
NUMBERS = "I"


class Page:
    """Rows that lie together; `starts` says where in `data` a row's record is: its length, then itself."""

    __slots__ = ("data", "starts", "wasted")

    def __init__(self) -> None:
        self.starts = array(NUMBERS, bytes(PAGE_ROWS * array(NUMBERS).itemsize))
        self.data = array(NUMBERS, [0])  # place 0 means: no record
        self.wasted = 0

    def put(self, place: int, numbers: Sequence[int]) -> None:
        self.drop(place)
        self.starts[place] = len(self.data)
        self.data.append(len(numbers))
        self.data.extend(numbers)

    def get(self, place: int) -> Sequence[int]:
        start = self.starts[place]
        return self.data[start + 1 : start + 1 + self.data[start]] if start else ()

    def drop(self, place: int) -> None:
        start = self.starts[place]
        if not start:
            return
        self.starts[place] = 0
        self.wasted += 1 + self.data[start]
        if self.wasted > _ROOMY and self.wasted * 2 > len(self.data):
            self._pack()

    def _pack(self) -> None:
        kept = [(place, self.get(place)) for place, start in enumerate(self.starts) if start]
        self.data, self.wasted = array(NUMBERS, [0]), 0
        for place, numbers in kept:
            self.starts[place] = len(self.data)
            self.data.append(len(numbers))
            self.data.extend(numbers)


class Records:
    """Rows may be any numbers, best such that lie close together. Not safe in several threads."""

    def __init__(self) -> None:
        self._pages: dict[int, Page] = {}

    def put(self, row: int, numbers: Sequence[int]) -> None:
        number, place = divmod(row, PAGE_ROWS)
        if (page := self._pages.get(number)) is None:
            page = self._pages[number] = Page()
        page.put(place, numbers)

    def get(self, row: int) -> Sequence[int]:
        """The record of a row; empty when it has none."""
        page = self._pages.get(row // PAGE_ROWS)
        return page.get(row % PAGE_ROWS) if page else ()

    def of(self, rows: Iterable[int]) -> Iterator[tuple[int, Sequence[int]]]:
        """(row, its record) of rows that have one; soon done when they are sorted."""
        at = -1
        starts = data = array(NUMBERS)
        for row in rows:
            if row // PAGE_ROWS != at:
                at = row // PAGE_ROWS
                page = self._pages[at]
                starts, data = page.starts, page.data
            start = starts[row % PAGE_ROWS]
            yield row, data[start + 1 : start + 1 + data[start]]

    def drop(self, row: int) -> None:
        page = self._pages.get(row // PAGE_ROWS)
        if page is None:
            return
        page.drop(row % PAGE_ROWS)
        if not any(page.starts):
            del self._pages[row // PAGE_ROWS]

    def pages(self) -> Iterator[tuple[int, Page]]:
        return iter(sorted(self._pages.items()))

    def place_page(self, number: int, page: Page) -> None:
        """A page as it was, from a snapshot."""
        self._pages[number] = page
