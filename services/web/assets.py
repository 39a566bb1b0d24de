"""Style sheets, scripts and pictures of the pages: read once, served from memory, named by their content.

Serves only the files that stood in the folder at the start, so that no path can lead out of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
A_YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    media_type: str
    version: str


class Assets:
    """Every file of one folder; `url(name)` changes when the file does, so it may be kept for a year."""

    def __init__(self, folder: Path) -> None:
        self._by_name = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}

    def url(self, name: str) -> str:
        return f"/static/{name}?v={self._by_name[name].version}"

    def answer(self, request: Request, name: str) -> Response | None:
        """The file as a response, 304 when the visitor has it already; None where there is none."""
        asset = self._by_name.get(name)
        if asset is None:
            return None
        headers = {
            "ETag": f'"{asset.version}"',
            "Cache-Control": _cache_rule(request, asset),
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)


def _cache_rule(request: Request, asset: Asset) -> str:
    if request.query_params.get("v") == asset.version:
        return f"public, max-age={A_YEAR_S}, immutable"
    return "no-cache"


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12])
