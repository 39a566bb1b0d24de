"""Bodies that would multiply in the cleaner are known before; those that institutions write are let by."""

import pytest

from services.domain.tameness import is_tame
from tests.measure import cpu_s

FONTS = "".join(f"<font size={n}>" for n in range(400))
MANY = "</p><p>x" * 2_000
ENDS = "</font>" * 400


def test_formatting_that_is_never_closed_is_put_around_everything() -> None:
    assert not is_tame(f"<p>{FONTS}{MANY}")


@pytest.mark.parametrize(
    "hidden",
    [
        f'<i title="{ENDS}">',
        f"<i title='>{ENDS}'>",
        f"<!-- {ENDS} -->",
        f"<textarea>{ENDS}</textarea>",
        f"<select>{ENDS}</select>",
        f"<table><tr><td>{ENDS}</td></tr></table>",
        f"<script><!--<script></script>{ENDS}</script>",
        f"<svg><p>{ENDS}</p></svg>",
    ],
)
def test_ends_that_nobody_hears_end_nothing(hidden: str) -> None:
    assert not is_tame(f"<p>{FONTS}</p>{hidden}{MANY}")


def test_a_long_address_is_not_copied_thousands_of_times() -> None:
    assert not is_tame(f'<p><a href="https://a.example/{"x" * 2_000}">{MANY}')


def test_what_is_nested_too_deep_is_not_tame() -> None:
    assert not is_tame("<div>" * 400)
    assert is_tame("<div>" * 200 + "</div>" * 200)


@pytest.mark.parametrize(
    "body",
    [
        "<p>Nabór <b>trwa</b> <a href='https://a.example/1'>tutaj</a><br>" * 2_000,
        '<table><tr><td><font face="Arial"><b>1</b></font><td><i>x</i></table>' * 1_000,
        "<ul><li>raz<li>dwa <strong>trzy</strong></ul>" * 1_000,
        "<!-- wp:paragraph --><p>a < b &amp; <em>c</em></p><!-- /wp:paragraph -->" * 1_000,
        "<!--[if gte mso 9]><xml><w:a></w:a></xml><![endif]--><p class=Mso><b><u>x</u></b><o:p></o:p></p>"
        * 500,
        "<p><a name=x>kotwica<p>bez końca" * 1_000,
        "</div></p></b>" * 1_000,
    ],
)
def test_what_institutions_write_is_tame(body: str) -> None:
    assert is_tame(body)


@pytest.mark.parametrize(
    "piece", ["<!--", "<a ", "<a b='", "<", "</", "<b", '<a href="x" ', "<!", "<td>", "<p a=b c "]
)
def test_the_count_is_quick_whatever_it_is_given(piece: str) -> None:
    assert cpu_s(lambda: is_tame(piece * (200_000 // len(piece)))) < 1.0
