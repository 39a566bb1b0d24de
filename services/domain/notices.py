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
OPERATION = "operation"  # what Goniec tells its operator; no institution may say it
AUDIENCES = tuple(audience.value for audience in Audience)
INSTITUTION_KINDS = tuple(kind.value for kind in InstitutionKind)

_KIND_LABELS: dict[str, tuple[str, str]] = {
    NoticeKind.NEWS: ("aktualność", "news"),
    NoticeKind.MEETING: ("spotkanie", "meeting"),
    NoticeKind.CALL: ("nabór", "call for applications"),
    NoticeKind.TENDER: ("przetarg", "tender"),
    NoticeKind.CONSULTATION: ("konsultacje", "consultation"),
    NoticeKind.OFFER: ("oferta", "offer"),
    NoticeKind.NEED: ("potrzeba", "need"),
    NoticeKind.GOOD_PRACTICE: ("dobra praktyka", "good practice"),
    NoticeKind.RESEARCH: ("badania", "research"),
    NoticeKind.JOB: ("praca", "job"),
    NoticeKind.CONSORTIUM: ("konsorcjum", "consortium"),
    NoticeKind.INFRASTRUCTURE: ("infrastruktura", "infrastructure"),
    OPERATION: ("działanie Gońca", "operation"),
}

_AUDIENCE_LABELS: dict[str, tuple[str, str]] = {
    Audience.COMPANY: ("firmy", "companies"),
    Audience.UNIVERSITY: ("uczelnie", "universities"),
    Audience.RESEARCHER: ("naukowcy", "researchers"),
    Audience.STUDENT: ("studenci", "students"),
    Audience.SCHOOL: ("szkoły", "schools"),
    Audience.LOCAL_GOVERNMENT: ("samorządy", "local governments"),
    Audience.BUSINESS_SUPPORT: ("instytucje otoczenia biznesu", "business support bodies"),
    Audience.NGO: ("organizacje pozarządowe", "NGOs"),
    Audience.CLUSTER: ("klastry", "clusters"),
    Audience.MEDIA: ("media", "media"),
    Audience.CITIZEN: ("mieszkańcy", "citizens"),
}

_INSTITUTION_LABELS: dict[str, tuple[str, str]] = {
    InstitutionKind.UNIVERSITY: ("uczelnia", "university"),
    InstitutionKind.COMPANY: ("firma", "company"),
    InstitutionKind.BUSINESS_SUPPORT: ("instytucja otoczenia biznesu", "business support body"),
    InstitutionKind.LOCAL_GOVERNMENT: ("samorząd", "local government"),
    InstitutionKind.NGO: ("organizacja pozarządowa", "NGO"),
    InstitutionKind.CLUSTER: ("klaster", "cluster"),
    InstitutionKind.MEDIA: ("media", "media"),
}


def kind_label(kind: str, locale: str) -> str:
    """The name of a kind for people; a kind of a later version is shown as it is."""
    return _label(_KIND_LABELS, kind, locale)


def audience_label(audience: str, locale: str) -> str:
    """The name of those a notice is for, in the plural."""
    return _label(_AUDIENCE_LABELS, audience, locale)


def institution_kind_label(kind: str, locale: str) -> str:
    return _label(_INSTITUTION_LABELS, kind, locale)


def _label(labels: dict[str, tuple[str, str]], value: str, locale: str) -> str:
    polish, english = labels.get(value, (value, value))
    return polish if locale.startswith("pl") else english
