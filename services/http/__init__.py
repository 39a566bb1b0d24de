"""HTTP, for every address that a stranger may have given: the one home of libcurl.

Never dials an address that the guard refuses (it is asked at the moment of dialling), never follows a
redirect unchecked, never reads past a cap, keeps no cookies, and takes nothing from the environment.
"""

from services.http.client import Client
from services.http.values import Answer, Failure, FailureKind, Hop, Phases, Request, Response

__all__ = ["Answer", "Client", "Failure", "FailureKind", "Hop", "Phases", "Request", "Response"]
