"""One visitor's request and the way to answer it: language, page, headers.

Every page leaves with a policy that lets it load nothing from elsewhere and run no script of its own text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.runtime import Runtime
from services.web import language
from services.web.assets import A_YEAR_S, Assets
from services.web.guards import MAX_FIELDS, Form, form_of

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
OPEN = {"Referrer-Policy": "same-origin", "Cache-Control": "private, no-cache"}
PRIVATE = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
MAX_VALUE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Switch:
    """One language in the switch; `url` shows the same page in it."""

    code: str
    name: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """One request; `rt` is what its answer is made from."""

    rt: Runtime
    request: Request

    @property
    def locale(self) -> str:
        catalogues = self.rt.renderer.catalogues
        return language.spoken(self.request, known=catalogues.locales, default=catalogues.default)

    @property
    def asked(self) -> Form:
        """The parameters of the address, read like a form."""
        pairs = self.request.query_params.multi_items()[:MAX_FIELDS]
        return Form([(name, value[:MAX_VALUE_CHARS]) for name, value in pairs])

    def show(
        self,
        name: str,
        context: Mapping[str, object] | None = None,
        *,
        status: int = 200,
        private: bool = False,
    ) -> Response:
        """The page `web/<name>.html`; a `private` one is told to nobody and kept nowhere."""
        html = self.part(name, context)
        answer = HTMLResponse(html, status, headers={**HEADERS, **(PRIVATE if private else OPEN)})
        return self._remembering(answer)

    def part(self, name: str, context: Mapping[str, object] | None = None) -> str:
        """The rendered template alone."""
        return self.rt.renderer.page(name, self.locale, {**self._frame(), **(context or {})})

    def go(self, path: str) -> Response:
        """After a form: the next page is asked for anew, so that going back sends nothing twice."""
        return RedirectResponse(path, 303, headers={**HEADERS, **PRIVATE})

    def _frame(self) -> dict[str, object]:
        """What the layout of every page needs."""
        assets: Assets = self.request.app.state.assets
        return {
            "asset": assets.url,
            "path": self.request.url.path,
            "switches": self._switches(),
            "shows_outbox": self.rt.settings.mail == "outbox",
        }

    def _switches(self) -> list[Switch]:
        known = self.rt.renderer.catalogues.locales
        kept = [pair for pair in self.request.query_params.multi_items() if pair[0] != language.CHOICE]
        return [
            Switch(
                code,
                language.NAMES.get(code, code),
                f"{self.request.url.path}?{urlencode([*kept, (language.CHOICE, code)])}",
                code == self.locale,
            )
            for code in sorted(known, key=lambda code: language.NAMES.get(code, code))
        ]

    def _remembering(self, answer: Response) -> Response:
        answer.headers["Content-Language"] = self.locale
        answer.headers["Vary"] = "Accept-Language, Cookie"
        choice = language.chosen(self.request, known=self.rt.renderer.catalogues.locales)
        if choice:
            secure = self.rt.settings.base_url.startswith("https:")
            answer.set_cookie(
                language.CHOICE, choice, max_age=A_YEAR_S, samesite="lax", httponly=True, secure=secure
            )
        return answer


def visit_of(request: Request) -> Visit:
    return Visit(request.app.state.rt, request)


Here = Annotated[Visit, Depends(visit_of)]
Sent = Annotated[Form, Depends(form_of)]
