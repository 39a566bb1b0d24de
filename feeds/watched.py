"""A page's list, watched by CSS rules: which part is an item, and where its title, link, date and text stand.

For publishers that have no feed. Only what the rules name is taken, and a rule that finds nothing is told in
the report: a page that was rebuilt must never look like a page without news.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from feeds import markup
from feeds.draft import EntryDraft, FeedDraft, Frame
from feeds.errors import BrokenFeed, NotAFeed
from feeds.links import web_link
from feeds.markup import Element
from feeds.text import as_html

RULES = ("item", "title", "link", "date", "summary")
MAX_RULE_CHARS = 300
_LINKS = "a[href]"


def read(text: str, frame: Frame) -> FeedDraft:
    """The items of a page in its order; BrokenFeed when the rule for items finds none."""
    rules = frame.habits.rules
    root = markup.page(text) if "<" in text else None
    if root is None:
        raise NotAFeed("This is not a web page.", looks="text")
    if not rules.get("item"):
        raise BrokenFeed("A watched page needs a rule for its items.", rule="item")
    items = select(root, rules["item"])
    if not items:
        raise BrokenFeed(
            f"The rule for items “{rules['item']}” finds nothing on this page: was it rebuilt?", rule="item"
        )
    base = markup.base_of(root, frame.base_url)
    entries = [_entry(item, rules, base) for item in items]
    report = [
        f"the rule for {name} “{rules[name]}” finds nothing in any of {len(items)} items"
        for name in RULES[1:]
        if rules.get(name) and not any(select(item, rules[name]) for item in items)
    ]
    return FeedDraft(
        "watched page",
        title_markup=as_html(markup.title_of(root)),
        link=frame.base_url,
        language=root.get("lang"),
        entries=entries,
        report=report,
    )


def fault_of(rule: str) -> str | None:
    """What is wrong with a CSS rule; None when it can be used."""
    if len(rule) > MAX_RULE_CHARS:
        return f"it is longer than {MAX_RULE_CHARS} characters"
    try:
        _path(rule)
    except (SelectorError, ValueError, etree.XPathError) as exc:
        return str(exc) or "it is no CSS selector"
    return None


def select(element: Element, rule: str) -> Sequence[Element]:
    """The elements below `element` that a rule names, in the page's order."""
    try:
        found = _path(rule)(element)
    except (SelectorError, etree.XPathError) as exc:
        raise BrokenFeed(f"The rule “{rule[:100]}” is no CSS selector that can be used.", rule=rule) from exc
    return [one for one in cast(list[object], found) if isinstance(one, etree._Element)]


@lru_cache(64)
def _path(rule: str) -> etree.XPath:
    return etree.XPath(HTMLTranslator().css_to_xpath(rule, prefix="descendant-or-self::"))


def _entry(item: Element, rules: Mapping[str, str], base: str) -> EntryDraft:
    link = _one(item, rules.get("link") or _LINKS)
    title = _one(item, rules["title"]) if rules.get("title") else link
    date = _one(item, rules["date"]) if rules.get("date") else None
    summary = _one(item, rules["summary"]) if rules.get("summary") else None
    words = markup.words_of(title if title is not None else item)
    return EntryDraft(
        link=_address(link, base),
        title_markup=as_html(words or markup.words_of(item)),
        summary_markup=as_html(markup.words_of(summary)) if summary is not None else "",
        content_base=base,
        raw_published=_date(date) if date is not None else None,
        kind=None,
    )


def _one(item: Element, rule: str) -> Element | None:
    return next(iter(select(item, rule)), None)


def _address(link: Element | None, base: str) -> str | None:
    """Of the link, or of the first one inside what the rule named."""
    if link is None:
        return None
    if link.get("href") is None:
        link = _one(link, _LINKS)
    return web_link(link.get("href"), base) if link is not None else None


def _date(element: Element) -> str:
    """What machines are told (`<time datetime>`), else what people read."""
    return str(element.get("datetime") or element.get("content") or "") or markup.words_of(element)
