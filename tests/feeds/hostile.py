"""Documents that mean harm, one for each way that is known: what each wants is in its name.

Made in any size, because what is quadratic hurts only in a large one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from feeds.types import Door

FULL = 4_900_000  # bytes; just below what is read


@dataclass(frozen=True, slots=True)
class Attack:
    """A document of about so many bytes, the door it stands at, and the editor's rules for that door."""

    make: Callable[[int], str | bytes]
    door: Door = Door.FEED
    rules: dict[str, str] = field(default_factory=dict)

    def body(self, size: int = FULL) -> bytes:
        made = self.make(size)
        return made if isinstance(made, bytes) else made.encode()


def repeated(piece: str, size: int) -> str:
    return piece * (size // len(piece.encode()))


def numbered(piece: str, size: int) -> str:
    """`piece` with a number for its `#`, over and over."""
    made: list[str] = []
    length = 0
    while length < size:
        made.append(piece.replace("#", str(len(made))))
        length += len(made[-1].encode())
    return "".join(made)


def nested(opening: str, closing: str, inside: str, size: int) -> str:
    depth = size // (len(opening) + len(closing))
    return opening * depth + inside + closing * depth


def rss(inside: str, *, doctype: str = "", root: str = "") -> str:
    head = f'<?xml version="1.0"?>{doctype}<rss version="2.0"{root}><channel><title>Miasto</title>'
    return f"{head}{inside}</channel></rss>"


def item(more: str = "", *, title: str = "Nabór", guid: str = "a") -> str:
    return f"<item><title>{title}</title><guid>{guid}</guid>{more}</item>"


def html(markup: str, guid: str = "a") -> str:
    """An entry with this body."""
    return item(f"<description><![CDATA[{markup}]]></description>", guid=guid)


def entities(*lines: str) -> str:
    return f"<!DOCTYPE rss [{''.join(lines)}]>"


def external(target: str) -> Attack:
    """What a parser must not fetch: as an entity, as a parameter, as the document type itself."""
    lines = (f'<!ENTITY x SYSTEM "{target}">', f'<!ENTITY % p SYSTEM "{target}"> %p;')
    doctype = f'<!DOCTYPE rss SYSTEM "{target}" [{"".join(lines)}]>'
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{target}"/>'
    return Attack(lambda _: rss(item(include, title="przed &x; po"), doctype=doctype))


def calendar(*events: str) -> str:
    inside = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}END:VCALENDAR\r\n"


def events(size: int, *lines: str) -> str:
    one = ["SUMMARY:Sesja", "DTSTART:19700101T100000Z", *lines]
    length = len("\r\n".join(one)) + 40
    return calendar(*("\r\n".join([f"UID:{n}", *one]) for n in range(size // length)))


def repository(inside: str) -> str:
    return (
        f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{inside}</ListRecords></OAI-PMH>'
    )


def page(inside: str) -> str:
    return f"<!doctype html><html><head><title>Urząd</title></head><body>{inside}</body></html>"


def json_ld(inside: str) -> str:
    return page(f'<script type="application/ld+json">{inside}</script>')


def json_feed(items: str) -> str:
    return f'{{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{items}]}}'


def _laughs(_: int) -> str:
    lines = (f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    return rss(item(title="&l11;"), doctype=entities(*lines))


def _quadratic_entity(size: int) -> str:
    return rss(
        item(title=repeated("&big;", size // 2)), doctype=entities(f'<!ENTITY big "{"x" * (size // 2)}">')
    )


def _flat_entities(size: int) -> str:
    """Every entity is as short as those that are kept, and is used often."""
    many = (f'<!ENTITY e{n} "{"y" * 64}">' for n in range(300))
    return rss(item(title=repeated("&e7;", size)), doctype=entities(*many))


def _multiplying(size: int) -> str:
    """Formatting that is closed by nobody and put anew into every paragraph: a hundred kilobytes become
    gigabytes."""
    each = min(size, 99_000)
    body = f"<p>{numbered('<b id=#>', each)}{repeated('</p><p>x', each)}"
    return rss("".join(html(body, str(number)) for number in range(max(1, size // 200_000))))


def _shallow(size: int) -> str:
    """Titles as deep as a parser lets by."""
    deep = nested("<b>", "</b>", "y", 1_680)
    return rss("".join(item(guid=str(number), title=deep) for number in range(size // 1_720)))


RULES = {"item": "li", "title": "a", "date": "time"}
NEVER = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYSETPOS=3"
DENSE = f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}"
THING = '{"@type":"Event","name":"x","startDate":"2026-12-01T10:00"}'
ONE_EVENT = "UID:1\r\nSUMMARY:x\r\nDTSTART:19700101T100000Z\r\n"

ATTACKS: dict[str, Attack] = {
    "billion laughs": Attack(_laughs),
    "quadratic entity": Attack(_quadratic_entity),
    "flat entities, often": Attack(_flat_entities),
    "attributes": Attack(lambda n: rss("<item><title>x</title><x" + numbered(" a#='1'", n) + "/></item>")),
    "attributes of a broken feed": Attack(
        lambda n: "<rss><channel><item><title>&</title><x" + numbered(" a#='1'", n) + "/></item"
    ),
    "namespaces": Attack(lambda n: rss(item(), root=numbered(' xmlns:n#="http://n.example/#"', n))),
    "a namespace for each element": Attack(
        lambda n: rss(item(numbered('<n#:x xmlns:n#="http://n.example/#"/>', n)))
    ),
    "prefixes never declared": Attack(lambda n: rss(item(numbered("<n#:x>", n)))),
    "deep nesting": Attack(lambda n: rss(item(repeated("<x>", n)))),
    "deep nesting, closed": Attack(lambda n: rss(item(nested("<x>", "</x>", "y", n)))),
    "deep titles": Attack(lambda n: rss(item(title=nested("<b>", "</b>", "y", n)))),
    "deep titles, each within the limit": Attack(_shallow),
    "a huge text": Attack(lambda n: rss(item(title=repeated("ż", n)))),
    "a huge body": Attack(lambda n: rss(html(repeated("słowo ", n)))),
    "entries without number": Attack(lambda n: rss(numbered("<item><title>#</title></item>", n))),
    "entries of one identifier": Attack(
        lambda n: rss(numbered("<item><guid>a</guid><title>#</title></item>", n))
    ),
    "remarks that never end": Attack(lambda n: rss(html(repeated("<!--", n)))),
    "remarks before the root": Attack(lambda n: repeated("<!-- x -->", n) + rss(item())),
    "scripts that never end": Attack(lambda n: rss(html(repeated("<script", n)))),
    "tags that never end": Attack(lambda n: rss(html(repeated("<a ", n)))),
    "less-than signs": Attack(lambda n: rss(html("<script>" + repeated("<", n) + "</script>x"))),
    "ampersands": Attack(lambda n: rss(item(title=repeated("&", n)))),
    "named signs": Attack(lambda n: rss(item(repeated("&NotEqualTilde;", n)))),
    "formatting that multiplies": Attack(_multiplying),
    "tables in tables": Attack(lambda n: rss(html(repeated("<table><tr><td>", n)))),
    "deep HTML": Attack(
        lambda n: rss("".join(html(repeated("<div>", 199_000), str(one)) for one in range(n // 199_000)))
    ),
    "numbers like counters": Attack(lambda n: rss(html(repeated("1 ", n)))),
    "gaps like counters": Attack(lambda n: rss(html(repeated("views: ( ( (", n)))),
    "sums of money": Attack(lambda n: rss(html(repeated("1 000 ", n)))),
    "reference numbers": Attack(
        lambda n: rss("".join(html(repeated("A.", 199_000), str(one)) for one in range(n // 199_000)))
    ),
    "one word": Attack(lambda n: rss(html(repeated("a", n)))),
    "dates that backtrack": Attack(
        lambda n: rss(numbered("<item><title>#</title><pubDate>" + "1 " * 45 + "x</pubDate></item>", n))
    ),
    "a long date": Attack(lambda n: rss(item("<pubDate>" + repeated("1", n) + "</pubDate>"))),
    "marks that combine": Attack(lambda n: rss(item(title="a" + repeated("\u0301\u0316", n)))),
    "an address that never ends": Attack(
        lambda n: rss(item("<link>http://" + repeated("a.", n) + "</link>"))
    ),
    "percent signs": Attack(lambda n: rss(item("<link>http://a.example/" + repeated("%", n) + "</link>"))),
    "relative links": Attack(lambda n: rss(html(repeated("<a href='x'>", n)))),
    "quotes that never end": Attack(lambda n: rss(html(repeated("href='", n)))),
    "spaces": Attack(lambda n: rss(html("x" + repeated(" ", n) + "x"))),
    "spaces before the root": Attack(lambda n: repeated(" ", n) + "<"),
    "categories": Attack(lambda n: rss(item(numbered("<category>#</category>", n)))),
    "enclosures": Attack(lambda n: rss(item(numbered('<enclosure url="http://a.example/#"/>', n)))),
    "bases in bases": Attack(
        lambda n: rss('<x xml:base="a/">' * 240 + numbered(item(guid="#"), n) + "</x>" * 240)
    ),
    "a document type that never ends": Attack(lambda n: "<!DOCTYPE rss [" + repeated("<!ENTITY a ", n)),
    "declarations": Attack(lambda n: repeated("<?xml ", n) + rss(item())),
    "zero bytes": Attack(lambda n: bytes(n)),
    "noise": Attack(lambda n: bytes(range(1, 256)) * (n // 255)),
    "a wide alphabet": Attack(lambda n: rss(html(repeated("\U0001f642", n)))),
    "JSON in depth": Attack(lambda n: json_feed(repeated("[", n))),
    "JSON, a number without end": Attack(lambda n: json_feed('{"id":' + repeated("9", n) + "}")),
    "JSON, empty entries": Attack(lambda n: json_feed(repeated("{},", n) + "{}")),
    "rules that are never met": Attack(lambda n: events(n // 7, NEVER), Door.CALENDAR),
    "rules for every minute": Attack(lambda n: events(n // 7, DENSE), Door.CALENDAR),
    "rules of great counts": Attack(
        lambda n: events(n // 7, "RRULE:FREQ=HOURLY;COUNT=99999999"), Door.CALENDAR
    ),
    "a rule for each second": Attack(lambda _: events(200, "RRULE:FREQ=SECONDLY"), Door.CALENDAR),
    "dates of repetitions": Attack(
        lambda n: calendar(ONE_EVENT + "RDATE:" + repeated("20261201T100000Z,", n) + "20261201T100000Z"),
        Door.CALENDAR,
    ),
    "events without number": Attack(lambda n: events(n), Door.CALENDAR),
    "events in events": Attack(
        lambda n: (
            "BEGIN:VCALENDAR\r\n" + nested("BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "", n) + "END:VCALENDAR"
        ),
        Door.CALENDAR,
    ),
    "a line of parameters": Attack(
        lambda n: calendar(ONE_EVENT + "X-A" + numbered(";P#=1", n) + ":x"), Door.CALENDAR
    ),
    "folded lines": Attack(
        lambda n: calendar(ONE_EVENT + "DESCRIPTION:x" + repeated("\r\n x", n)), Door.CALENDAR
    ),
    "records without number": Attack(
        lambda n: repository(numbered("<record><header><identifier>#</identifier></header></record>", n)),
        Door.OAI,
    ),
    "records in records": Attack(
        lambda n: repository(nested("<record>", "</record>", "", 4_250) * (n // 4_250)), Door.OAI
    ),
    "a token without end": Attack(
        lambda n: repository("<resumptionToken>" + repeated("t", n) + "</resumptionToken>"), Door.OAI
    ),
    "items in items": Attack(lambda n: page(repeated("<li>", n)), Door.PAGE, RULES),
    "items without number": Attack(
        lambda n: page(numbered("<li><a href='#'>x</a></li>", n)), Door.PAGE, RULES
    ),
    "deep items": Attack(
        lambda n: page(nested("<li>", "</li>", "x", 1_800) * (n // 1_800)), Door.PAGE, RULES
    ),
    "a page that multiplies": Attack(
        lambda n: page("<ul><li><p>" + numbered("<font size=#>", n // 2) + repeated("</p><p>x", n // 2)),
        Door.PAGE,
        RULES,
    ),
    "a rule that looks everywhere": Attack(
        lambda n: page(repeated("<p><b>", n)), Door.PAGE, {"item": "* * * * * b", "title": "* ~ * ~ *"}
    ),
    "JSON-LD in depth": Attack(lambda n: json_ld(repeated("[", n)), Door.JSONLD),
    "JSON-LD in depth, closed": Attack(lambda n: json_ld(nested('{"@graph":[', "]}", "", n)), Door.JSONLD),
    "JSON-LD without number": Attack(
        lambda n: json_ld("[" + repeated(THING + ",", n) + THING + "]"), Door.JSONLD
    ),
    "blocks of JSON-LD": Attack(
        lambda n: page(repeated('<script type="application/ld+json">{</script>', n)), Door.JSONLD
    ),
}
