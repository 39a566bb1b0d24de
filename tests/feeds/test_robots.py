"""robots.txt is read as RFC 9309 says."""

import pytest

from feeds.robots import allows

FILE = """# ours
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.pdf$
Disallow: /%7Ejan/

User-agent: OtherBot
User-agent: Goniec
Disallow: /only-goniec
"""


@pytest.mark.parametrize(
    ("path", "anybody", "goniec"),
    [
        ("/", True, True),
        ("/private/x", False, True),
        ("/private/open/x", True, True),
        ("/a.pdf", False, True),
        ("/a.pdf?x=1", True, True),
        ("/~jan/", False, True),
        ("/only-goniec/x", True, False),
    ],
)
def test_the_longest_rule_of_the_group_that_names_us_decides(path: str, anybody: bool, goniec: bool) -> None:
    url = f"https://a.example{path}"
    assert allows(200, FILE, url, agent="somebot") is anybody
    assert allows(200, FILE, url, agent="goniec") is goniec


@pytest.mark.parametrize(
    ("status", "verdict"), [(404, True), (403, True), (500, False), (503, False), (None, False)]
)
def test_a_site_without_the_file_allows_all_and_one_that_cannot_say_is_left_alone(
    status: int | None, verdict: bool
) -> None:
    assert allows(status, "", "https://a.example/x", agent="goniec") is verdict


def test_an_empty_disallow_allows_all_and_allow_wins_a_tie() -> None:
    assert allows(200, "User-agent: *\nDisallow:\n", "https://a.example/x", agent="goniec")
    assert allows(200, "User-agent: *\nDisallow: /x\nAllow: /x\n", "https://a.example/x", agent="goniec")


def test_a_flood_of_stars_costs_little() -> None:
    rules = "User-agent: *\n" + "Disallow: /" + "*a" * 5_000 + "b\n"
    assert allows(200, rules, "https://a.example/" + "a" * 1_000, agent="goniec")
