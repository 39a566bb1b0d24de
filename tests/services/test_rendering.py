"""Mails say what they must, in both languages, safely, and within the mail readers' limits."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from services.domain import slots
from services.rendering import MAX_HTML_BYTES, Renderer, RenderError

TEMPLATES = Path(__file__).parents[2] / "templates"
RENDERER = Renderer(
    TEMPLATES,
    base_url="https://goniec.example/",
    operator_name="Biuro Obszaru",
    contact_url="https://goniec.example/kontakt",
)


def item(**changes: object) -> dict[str, object]:
    return {
        "title": "Bony na innowacje",
        "summary": "Do 60 000 zł na usługę badawczą.",
        "language": "pl",
        "url": "https://agencja.example/nabor?id=1&x=2",
        "notice_url": "https://goniec.example/n/1",
        "calendar_url": "https://goniec.example/n/1.ics",
        "institution": "Agencja Rozwoju",
        "tellers": [],
        "kind_label": "nabór",
        "published_at": datetime(2026, 11, 20, 9, 5, tzinfo=UTC),
        "deadline_at": None,
        "starts_at": None,
        "places": [],
        "event_type": "published",
        "section": "new",
        "changes": [],
        **changes,
    }


def digest(items: list[dict[str, object]], **changes: object) -> dict[str, object]:
    period = {"start": datetime(2026, 11, 17, 6, tzinfo=UTC), "end": datetime(2026, 11, 24, 6, tzinfo=UTC)}
    return {
        "items": items,
        "total": len(items),
        "more_count": 0,
        "period": period,
        **changes,
    }


CONTEXTS: dict[str, dict[str, object]] = {
    "alert": {"item": item(deadline_at=datetime(2026, 12, 4, 11, tzinfo=UTC), tellers=["Izba"])},
    "digest": digest([item(event_type="revised", section="changes"), item(), item()], more_count=9),
    "confirm": {"confirm_url": "https://goniec.example/c/x", "interests": ["Dotacje", "Toruń"]},
    "welcome": {
        "manage_url": "https://goniec.example/m/x",
        "interests": ["Dotacje", "Toruń"],
        "best": [{"title": "Bony", "institution": "Agencja", "url": "https://goniec.example/notices/1"}],
    },
    "endpoint": {
        "step": "70", "name": "hooks.example", "because": "HTTP 500: <b>zły dzień</b>",
        "zone": "Europe/Warsaw",
        "since": datetime(2026, 11, 20, 12, tzinfo=UTC), "until": datetime(2026, 11, 25, 12, tzinfo=UTC),
        "at": datetime(2026, 11, 23, 12, tzinfo=UTC),
    },
    "goodbye": {"export_url": "https://goniec.example/m/x/export", "why": "left"},
    "reconsent": {
        "stay_url": "https://goniec.example/stay/x", "interests": ["Dotacje", "Toruń"], "months": 12,
        "until": datetime(2026, 12, 23, 12, tzinfo=UTC),
    },
    "reconsent_last": {
        "stay_url": "https://goniec.example/stay/x", "interests": ["Dotacje", "Toruń"],
        "until": datetime(2026, 12, 23, 12, tzinfo=UTC),
    },
}  # fmt: skip
EVERY_MAIL = [(name, locale) for name in CONTEXTS for locale in ("pl", "en")]


class Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"https://goniec.example/{name}"


def tree(html: str) -> Any:
    return lxml.html.document_fromstring(html)


@pytest.mark.parametrize(("name", "locale"), EVERY_MAIL)
def test_a_mail_has_a_subject_one_h1_its_language_and_no_picture(name: str, locale: str) -> None:
    mail = RENDERER.email(name, locale, CONTEXTS[name])
    page = tree(mail.html)
    assert mail.subject
    assert "\n" not in mail.subject
    assert len(page.findall(".//h1")) == 1
    assert page.get("lang") == locale
    assert page.findall(".//img") == []
    assert {table.get("role") for table in page.iter("table")} == {"presentation"}
    assert "<script" not in mail.html


@pytest.mark.parametrize(("name", "locale"), EVERY_MAIL)
def test_the_text_part_says_and_links_what_the_html_part_does(name: str, locale: str) -> None:
    mail = RENDERER.email(name, locale, CONTEXTS[name])
    assert slots.slots_in(mail.text, mail.salt) == slots.slots_in(mail.html, mail.salt)
    hrefs = {link.get("href") for link in tree(slots.fill(mail.html, mail.salt, Values())).iter("a")}
    text = slots.fill(mail.text, mail.salt, Values())
    assert [href for href in hrefs if href not in text] == []
    assert max(len(line) for line in text.splitlines() if "http" not in line) <= 72


@pytest.mark.parametrize(("name", "locale"), EVERY_MAIL)
def test_every_class_that_has_a_style_is_written_into_its_element(name: str, locale: str) -> None:
    named = set(
        re.findall(r"^\.([a-z-]+)", (TEMPLATES / "email/styles.css").read_text("utf-8"), re.MULTILINE)
    )
    for element in tree(RENDERER.email(name, locale, CONTEXTS[name]).html).iter():
        if named & set((element.get("class") or "").split()):
            assert element.get("style"), element.get("class")


def test_readers_mails_carry_their_way_out() -> None:
    for name in ("alert", "digest"):
        mail = RENDERER.email(name, "pl", CONTEXTS[name])
        assert {"unsubscribe_url", "manage_url", "view_url", "why:0", "less:0"} <= slots.slots_in(
            mail.html, mail.salt
        )


def test_what_is_told_in_another_language_says_so_to_a_screen_reader() -> None:
    english = item(title="Call for partners", summary="Two days.", language="en")
    for name, context in (("alert", {"item": english}), ("digest", digest([english, item(language=None)]))):
        page = tree(RENDERER.email(name, "pl", context).html)
        told = {text: one.get("lang") for one in page.iter("h1", "h3", "p") if (text := one.text_content())}
        assert (told["Call for partners"], told["Two days."]) == ("en", "en")
        assert told.get("Bony na innowacje", "pl") == "pl"


def test_the_text_part_ends_in_a_signature_that_mail_programs_know() -> None:
    for name, locale in EVERY_MAIL:
        assert "\n-- \n" in RENDERER.email(name, locale, CONTEXTS[name]).text


def test_a_deadline_is_told_in_the_readers_zone_and_language() -> None:
    alert = {"item": item(deadline_at=datetime(2026, 12, 4, 11, tzinfo=UTC))}
    assert "Termin: 4 grudnia 2026, 12:00" in RENDERER.email("alert", "pl", alert).text
    assert "Deadline: 4 December 2026, 11:00" in RENDERER.email("alert", "en", {**alert, "zone": "UTC"}).text


def test_a_withdrawn_notice_says_so_first_and_shows_no_deadline() -> None:
    gone = item(event_type="withdrawn", deadline_at=datetime(2026, 12, 4, 11, tzinfo=UTC))
    mail = RENDERER.email("alert", "pl", {"item": gone})
    assert mail.subject == "Wycofane: Bony na innowacje"
    assert "już nie obowiązuje" in " ".join(mail.text.split())
    assert "Termin" not in mail.text + mail.html


def test_corrections_head_the_digest_and_reasons_keep_their_items() -> None:
    mail = RENDERER.email(
        "digest",
        "en",
        digest([item(event_type="withdrawn", section="changes"), item(section="closing"), item()]),
    )
    headings = [heading.text_content() for heading in tree(mail.html).iter("h2")]
    assert headings == ["Changes and withdrawals", "Deadlines ahead", "New"]
    places = [mail.html.index(slots.html_marker(f"why:{number}", mail.salt)) for number in range(3)]
    assert places == sorted(places)


def test_text_from_outside_is_escaped_in_html_and_stripped_of_control_characters() -> None:
    hostile = '<script>alert("x")</script>\r\nBcc: all@a.example\x00\u202e'
    mail = RENDERER.email("alert", "en", {"item": item(title=hostile, summary=hostile)})
    assert "<script>" not in mail.html
    assert mail.subject == '<script>alert("x")</script> Bcc: all@a.example'
    assert not re.search("[\x00\r\u202e]", mail.text + mail.html)


def test_a_link_that_is_not_of_the_web_is_left_out() -> None:
    shady = item(url="javascript:alert(1)")
    for name, context in (("alert", {"item": shady}), ("digest", digest([shady]))):
        mail = RENDERER.email(name, "en", context)
        assert "javascript:" not in mail.html + mail.text


def test_a_notice_with_a_title_alone_is_told_too() -> None:
    bare = item(summary=None, url=None, published_at=None)
    for name, context in (("alert", {"item": bare}), ("digest", digest([bare]))):
        mail = RENDERER.email(name, "en", context)
        assert "None" not in mail.html + mail.text


def test_text_from_outside_cannot_imitate_a_slot() -> None:
    forged = slots.html_marker("unsubscribe_url", "0" * 16)
    mail = RENDERER.email("alert", "en", {"item": item(title=forged)})
    assert forged in slots.fill(mail.html, mail.salt, Values())


def test_twenty_five_long_stories_fit_into_a_mail() -> None:
    long = item(
        title="Tytuł ogłoszenia " * 5, summary="Zdanie o naborze dla firm. " * 10, tellers=["Izba"] * 3
    )
    mail = RENDERER.email("digest", "pl", digest([long] * 25))
    assert len(slots.fill(mail.html, mail.salt, Values()).encode()) < MAX_HTML_BYTES
    assert not mail.is_clipped_by_gmail


def test_a_context_that_lacks_a_name_is_an_error_not_an_empty_place() -> None:
    with pytest.raises(RenderError, match="confirm_url"):
        RENDERER.email("confirm", "pl", {"interests": []})
    with pytest.raises(RenderError, match="nowhere"):
        RENDERER.email("nowhere", "pl", {})


def test_a_subject_has_no_personal_place(tmp_path: Path) -> None:
    for name in ("styles.css", "x/body.txt", "x/body.html"):
        (tmp_path / "email" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "email" / name).write_text("")
    (tmp_path / "email/x/subject.txt").write_text("{{ slot('why:0') }}")
    (tmp_path / "locale").symlink_to(TEMPLATES / "locale")
    renderer = Renderer(tmp_path, base_url="", operator_name="", contact_url="")
    with pytest.raises(RenderError, match="slot"):
        renderer.email("x", "pl", {})


def test_the_colours_of_text_have_contrast_in_light_and_dark() -> None:
    for name in ("styles.css", "_screens.style"):
        source = (TEMPLATES / "email" / name).read_text("utf-8")
        own = re.findall(r"\.([a-z-]+)[^{}]*\{([^}]*)\}", source)
        for style, rules in own:
            text = re.search(r"(?<![-\w])color: (#\w{6})", rules)
            ground = re.search(r"background-color: (#\w{6})", rules)
            if text and ground and style != "preheader":
                assert contrast(text.group(1), ground.group(1)) >= 4.5, (name, style)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("#525c63", "#ffffff"),
        ("#525c63", "#f1efe9"),
        ("#0b4f6c", "#ffffff"),
        ("#0b4f6c", "#f1efe9"),
        ("#ffffff", "#0b4f6c"),
        ("#aab6bd", "#1c2429"),
        ("#aab6bd", "#12181c"),
        ("#8ccbe8", "#1c2429"),
        ("#0c1d26", "#8ccbe8"),
    ],
)
def test_text_on_the_grounds_it_stands_on_has_contrast(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
