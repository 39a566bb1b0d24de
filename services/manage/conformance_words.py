"""What each check of a receiver sends, what it expects, and what to do where it fails, in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    sent: str
    expected: str
    advice: str


WORDS = {
    "good": Words(
        "A test event, signed as every call will be.",
        "A status of 2xx.",
        "Check that the secret is the one that you were given last, that you sign id.timestamp.body over the "
        "bytes as they came, and that nothing before your program changes them.",
    ),
    "signature": Words(
        "One call signed with another secret, and one whose body was changed after it was signed.",
        "A status of 4xx, best 401.",
        "Whoever knows your address can tell you anything: compute the signature over the raw body, and "
        "compare it before you read what is in it.",
    ),
    "unsigned": Words(
        "One call without its signature, and one with none of the three webhook headers.",
        "A status of 4xx.",
        "A missing header must count as a wrong signature, not as a call that needs none.",
    ),
    "timestamp": Words(
        "Two well signed calls, one ten minutes old and one ten minutes ahead.",
        "A status of 4xx.",
        "Refuse what is more than five minutes away from your clock: else a call that somebody caught can be "
        "played to you again for ever.",
    ),
    "rotation": Words(
        "Two calls with two signatures each, one of them yours: once last, once first.",
        "A status of 2xx.",
        "Split webhook-signature at its spaces and take the call when any entry fits: while a secret is "
        "rotated there are two.",
    ),
    "doubled": Words(
        "The same call twice, with the same webhook-id.",
        "A status of 2xx both times; you act on it once.",
        "A call that you know already is no error: answer 2xx and do nothing, or it will be sent again.",
    ),
    "large": Words(
        "A call of 200 KB.",
        "A status of 2xx.",
        "Raise the limit on bodies of your program or of the proxy before it to 1 MB.",
    ),
    "unknown": Words(
        "A well signed event of a type that there is not yet.",
        "A status of 2xx.",
        "Ignore types that you do not know: new ones may come, and an error makes them come again.",
    ),
    "content_type": Words(
        "A well signed body that is no JSON, as text/plain.",
        "A status of 2xx or 4xx.",
        "Your program broke on what it could not read: catch that, and answer 400 or 415.",
    ),
    "slow": Words(
        "Nothing more: the slowest answer to the calls above counts.",
        "An answer within 5 seconds.",
        "Put the event in a queue, answer, and work afterwards: after 20 seconds a call counts as failed.",
    ),
}
