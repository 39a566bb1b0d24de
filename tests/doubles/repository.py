"""A repository that speaks OAI-PMH 2.0 on loopback: pages by token, dates, deleted records, errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from tests.doubles.web import Answer, Received

XML = (("Content-Type", "text/xml; charset=utf-8"),)


@dataclass
class Repository:
    """Script it as a path's answer: `web.answer("/oai", repository)`.

    `records` holds identifier → (day, title); a title of None is a deleted record.
    """

    today: str = "2026-11-23"
    records: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    per_page: int = 2
    asked: list[Mapping[str, str]] = field(default_factory=list)
    lost_tokens: bool = False
    prefix: str = "oai_dc"

    def __call__(self, request: Received) -> Answer:
        told = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(told)
        return Answer(headers=XML, body=self._said(told).encode())

    def _said(self, told: Mapping[str, str]) -> str:
        if told.get("verb") != "ListRecords":
            return self._document('<error code="badVerb">Illegal verb</error>')
        since, start = told.get("from", ""), 0
        if token := told.get("resumptionToken"):
            if self.lost_tokens or set(told) != {"verb", "resumptionToken"}:
                return self._document('<error code="badResumptionToken">expired</error>')
            since, _, place = token.partition("!")
            start = int(place)
        elif told.get("metadataPrefix") != self.prefix:
            return self._document('<error code="cannotDisseminateFormat">another</error>')
        chosen = [(name, *said) for name, said in sorted(self.records.items()) if said[0] >= since]
        if not chosen:
            return self._document('<error code="noRecordsMatch"/>')
        page = "".join(self._record(*one) for one in chosen[start : start + self.per_page])
        end = start + self.per_page
        rest = f"{since}!{end}" if end < len(chosen) else ""
        token = f"<resumptionToken>{rest}</resumptionToken>" if rest or start else ""
        return self._document(f"<ListRecords>{page}{token}</ListRecords>")

    def _record(self, name: str, day: str, title: str | None) -> str:
        gone = ' status="deleted"' if title is None else ""
        head = f"<header{gone}><identifier>{name}</identifier><datestamp>{day}</datestamp></header>"
        if title is None:
            return f"<record>{head}</record>"
        return (
            f"<record>{head}<metadata><oai_dc:dc xmlns:oai_dc='http://www.openarchives.org/OAI/2.0/oai_dc/' "
            f"xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>{escape(title)}</dc:title>"
            "<dc:creator>Kowalska, Anna</dc:creator><dc:subject>nauka; zdrowie</dc:subject>"
            f"<dc:identifier>{name}</dc:identifier><dc:identifier>https://rep.example/{name}</dc:identifier>"
            "</oai_dc:dc></metadata></record>"
        )

    def _document(self, inside: str) -> str:
        return (
            '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
            f"<responseDate>{self.today}T10:00:00Z</responseDate><request>x</request>{inside}</OAI-PMH>"
        )
