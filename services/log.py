"""What the processes say: one event name, facts as keys, ids always (structlog).

An address, a token or a password that slips into a line or a traceback is masked before it is written.
"""

import logging
import re
import sys
from typing import Literal, TextIO

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars
from structlog.typing import FilteringBoundLogger, Processor

__all__ = ["bind_contextvars", "bound_contextvars", "clear_contextvars", "configure", "get", "masked"]

MASKS = (
    (re.compile(r"[\w.+%'-]+@([\w-]+(\.[\w-]+)+|localhost)"), "<address>"),
    (re.compile(r"\b(gon|whsec)_[\w+/-]{20,}=*"), r"\1_<secret>"),
    (re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]*@"), "<credentials>@"),
    (re.compile(r"(?i)(?<=bearer )[^\s\"']+"), "<token>"),
    (re.compile(r"(?<=/)(u|manage|confirm|issues|private|less|held|stay)/[\w.~-]+"), r"\1/<token>"),
    # Words that other sites' addresses have too, and the id of an endpoint: only what is as long as a right.
    (
        re.compile(
            r"(?<=/)(endpoints|topics|health|revisions|consents|websub)/(?![0-9a-f]{8}-[0-9a-f]{4}-)[\w-]{30,}"
        ),
        r"\1/<token>",
    ),
)
QUIET = {"uvicorn.access": logging.WARNING, "dramatiq": logging.WARNING, "alembic": logging.WARNING}


def configure(shape: Literal["json", "text"], *, stream: TextIO | None = None) -> None:
    """Send every line, the libraries' too, to `stream` (standard error when not given), one per event."""
    target = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(_Formatter(foreign_pre_chain=shared, processors=_endings(shape, target)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module, named after it; silent about DEBUG."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def masked(text: str) -> str:
    """The text without addresses, passwords in URLs, and tokens."""
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Masks the finished line, so that a traceback is covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _endings(shape: Literal["json", "text"], target: TextIO) -> list[Processor]:
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if shape == "json":
        return [strip, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.ConsoleRenderer(
        colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [strip, plain]
