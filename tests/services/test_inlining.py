"""Styles go into a template's elements without touching what Jinja2 will read."""

import pytest

from services.inlining import Inliner, InliningError

INLINER = Inliner(".a { color: red; } .b { margin: 0; }")


def test_elements_get_their_styles_and_tags_come_back_as_they_were() -> None:
    source = "{% if x > 1 and y < 2 %}<p class=\"a\">{{ name['x']|e }}</p>{% endif %}"
    assert INLINER.inline(source, "t") == (
        '{% if x > 1 and y < 2 %}<p class="a" style="color: red;">{{ name[\'x\']|e }}</p>{% endif %}'
    )


def test_rows_made_in_a_loop_stay_in_their_table() -> None:
    source = '<table>{% for r in rows %}<tr><td class="b">{{ r }}</td></tr>{% endfor %}</table>'
    styled = INLINER.inline(source, "t")
    assert (
        styled.index("<table") < styled.index("{% for") < styled.index("{{ r }}") < styled.index("{% endfor")
    )


def test_an_expression_in_an_attribute_is_kept() -> None:
    assert "href=\"{{ slot('a') }}\"" in INLINER.inline('<a class="a" href="{{ slot(\'a\') }}">x</a>', "t")


def test_text_in_a_bare_table_is_an_error_that_names_the_template() -> None:
    with pytest.raises(InliningError, match=r"email/x\.html"):
        INLINER.inline("{{ first }}<table>{{ second }}<tr><td>{{ third }}</td></tr></table>", "email/x.html")
    with pytest.raises(InliningError, match="tag"):
        INLINER.inline("<p>{{ first }}</p><table><tr>{{ second }}<td>{{ third }}</td></tr></table>", "x")


def test_a_statement_inside_an_elements_tag_is_an_error() -> None:
    with pytest.raises(InliningError, match="expression"):
        INLINER.inline("<p {% if x %}class='a'{% endif %}>x</p>", "t")


def test_comments_of_templates_are_dropped() -> None:
    assert INLINER.inline("{# why {{ x }} #}\n<p>x</p>", "t") == "<p>x</p>"
