"""What providers tell us: SendGrid's signed events about letters. Nothing unsigned or stale is taken."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from services.api.deps import RawBody, Rt
from services.api.described import told
from services.api.errors import Malformed
from services.errors import BadInput, Forbidden, NotFound, TooLarge
from services.pipeline import intake

router = APIRouter(tags=["providers"])

_EVENTS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}
Signed = Annotated[str, Header(max_length=1_000)]


@router.post(
    "/hooks/sendgrid",
    status_code=204,
    openapi_extra=_EVENTS,
    responses=told(Malformed, TooLarge, Forbidden, NotFound, BadInput),
)
def sendgrid_events(
    rt: Rt,
    body: RawBody,
    x_twilio_email_event_webhook_signature: Signed = "",
    x_twilio_email_event_webhook_timestamp: Signed = "",
) -> Response:
    """SendGrid's Event Webhook: signed (ECDSA), at most five minutes old; told twice, it counts once."""
    try:
        intake.take_events(
            rt,
            body,
            signature=x_twilio_email_event_webhook_signature,
            timestamp=x_twilio_email_event_webhook_timestamp,
        )
    except BadInput as exc:
        raise Malformed(exc.message) from exc
    return Response(status_code=204)
