"""A letter with everything in it; tests say what differs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.channels.base import Letter

ORDINARY = Letter(
    delivery_id="d-42",
    to="reader@mail.example",
    from_="Goniec – Bydgoszcz i Toruń <goniec@goniec.example>",
    envelope_from="bounce+d-42.abcdef@goniec.example",
    subject="Zażółć gęślą jaźń: nabór wniosków dla małych i średnich przedsiębiorstw z regionu",
    text="Dzień dobry,\n\nto jest treść.\n",
    html='<!doctype html><html lang="pl"><body><h1>Dzień dobry</h1><p>to jest treść</p></body></html>\n',
    language="pl",
    date=datetime(2026, 11, 24, 6, 30, tzinfo=UTC),
    list_id="alerts.goniec.example",
    unsubscribe_url="https://goniec.example/u/eyJhbGciOi",
    archive_url="https://goniec.example/n/17",
    feedback_id="alert:goniec",
    in_reply_to="<d-7@goniec.example>",
)


def letter(**changes: Any) -> Letter:
    return replace(ORDINARY, **changes)
