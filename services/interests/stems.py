"""Snowball stems, for words that no dictionary knows and for English. The one home of PyStemmer."""

import threading

import Stemmer  # type: ignore[import-not-found]


class Stems:
    """Polish and English stems; safe in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._polish = Stemmer.Stemmer("polish", 0)
        self._english = Stemmer.Stemmer("english", 0)

    def polish(self, form: str) -> str:
        with self._lock:
            return str(self._polish.stemWord(form))

    def english(self, form: str) -> str:
        with self._lock:
            return str(self._english.stemWord(form))
