"""Which language a few sentences are in: enough to notice that a source suddenly speaks another.

Counts the small words that every sentence needs. Must say nothing rather than guess from a name or a number.
"""

import re
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+")
_SMALL = {
    "pl": "i w we z ze na do nie się jest są o od po za dla oraz przez że to jak który która które ich jego"
    " tym przy pod lub także może już będzie został została",
    "en": "the of and to in is are for on with that this by from at as it be was were has have will not or an"
    " our you your their",
    "de": "der die das und ist nicht mit den von zu im für auf ein eine sich dem des sind wird auch bei oder"
    " wir sie nach",
    "fr": "le la les des et est une dans pour que qui sur pas avec ce au du par plus ne sont nous vous",
    "es": "el la los las de y en que un una por con para es se del al no su más como",
    "cs": "je se na že jsou které který pro jako také byl bylo nebo při této podle může však",
    "uk": "і в на що не до за з від та це як для про або були його її",
    "ru": "и в на что не с по за к от это как для из или были его её",
}
_OF = {word: {code for code, words in _SMALL.items() if word in words.split()} for words in _SMALL.values()
       for word in words.split()}  # fmt: skip
MIN_SMALL_WORDS = 6


def spoken(text: str) -> str | None:
    """The code of the language of a text, None when that is not plain."""
    votes: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        codes = _OF.get(word)
        if codes:
            for code in codes:
                votes[code] += 1
    if not votes:
        return None
    (code, most), *others = votes.most_common(2)
    next_best = others[0][1] if others else 0
    return code if most >= MIN_SMALL_WORDS and most >= 2 * next_best else None
