"""The kinds of things that institutions say, of institutions, and for whom; with their names for people."""

from enum import StrEnum


class NoticeKind(StrEnum):
    NEWS = "news"
    MEETING = "meeting"
    CALL = "call"
    TENDER = "tender"
    CONSULTATION = "consultation"
    OFFER = "offer"
    NEED = "need"
    GOOD_PRACTICE = "good_practice"
    RESEARCH = "research"
    JOB = "job"
    CONSORTIUM = "consortium"
    INFRASTRUCTURE = "infrastructure"


class EventType(StrEnum):
    PUBLISHED = "published"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"
    REMINDER = "reminder"


class InstitutionKind(StrEnum):
    UNIVERSITY = "university"
    COMPANY = "company"
    BUSINESS_SUPPORT = "business_support"
    LOCAL_GOVERNMENT = "local_government"
    NGO = "ngo"
    CLUSTER = "cluster"
    MEDIA = "media"


class Audience(StrEnum):
    COMPANY = "company"
    UNIVERSITY = "university"
    RESEARCHER = "researcher"
    STUDENT = "student"
    SCHOOL = "school"
    LOCAL_GOVERNMENT = "local_government"
    BUSINESS_SUPPORT = "business_support"
    NGO = "ngo"
    CLUSTER = "cluster"
    MEDIA = "media"
    CITIZEN = "citizen"


KINDS = tuple(kind.value for kind in NoticeKind)
AUDIENCES = tuple(audience.value for audience in Audience)
INSTITUTION_KINDS = tuple(kind.value for kind in InstitutionKind)

_LABELS: dict[str, tuple[str, str]] = {
    "news": ("aktualność", "news"),
    "meeting": ("spotkanie", "meeting"),
    "call": ("nabór", "call for applications"),
    "tender": ("przetarg", "tender"),
    "consultation": ("konsultacje", "consultation"),
    "offer": ("oferta", "offer"),
    "need": ("potrzeba", "need"),
    "good_practice": ("dobra praktyka", "good practice"),
    "research": ("badania", "research"),
    "job": ("praca", "job"),
    "consortium": ("konsorcjum", "consortium"),
    "infrastructure": ("infrastruktura", "infrastructure"),
}


def kind_label(kind: str, locale: str) -> str:
    """The name of a kind for people; a kind of a later version is shown as it is."""
    return _label(KIND_LABELS, kind, locale)


def audience_label(audience: str, locale: str) -> str:
    """The name of those a notice is for, in the plural."""
    return _label(AUDIENCE_LABELS, audience, locale)


def institution_kind_label(kind: str, locale: str) -> str:
    return _label(INSTITUTION_LABELS, kind, locale)


def _label(labels: dict[str, tuple[str, str]], value: str, locale: str) -> str:
    polish, english = labels.get(value, (value, value))
    return polish if locale.startswith("pl") else english
