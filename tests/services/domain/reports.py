"""Mail that comes back, as real servers write it, for one delivery."""

import uuid

from services.domain import verp

SECRET = "a secret for tests that nobody else knows"
DELIVERY = uuid.UUID("0190a1b2c3d44e5f8a9b0c1d2e3f4a5b")


def bounce_address(delivery: uuid.UUID = DELIVERY, secret: str = SECRET) -> str:
    return verp.envelope_sender(secret, delivery, "goniec.example")


def dsn(
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "smtp; 550 5.1.1 <anna@mail.example>: Recipient address rejected: User unknown",
    *,
    delivery: uuid.UUID = DELIVERY,
    to: str | None = None,
) -> bytes:
    """A delivery status notification as Postfix writes it (RFC 3464)."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {to or bounce_address(delivery)}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Tue, 24 Nov 2026 07:00:00 +0100 (CET)

Final-Recipient: rfc822; anna@mail.example
Original-Recipient: rfc822;anna@mail.example
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example
Diagnostic-Code: {diagnostic}

--B
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: Goniec <goniec@goniec.example>
To: anna@mail.example
Message-ID: <{delivery.hex}@goniec.example>
Subject: Nabor

Tresc

--B--
""".replace("\n", "\r\n").encode()


def arf(kind: str = "abuse", *, delivery: uuid.UUID = DELIVERY) -> bytes:
    """A complaint of a provider (RFC 5965): the reader's address is blacked out, as they do."""
    return f"""From: <feedback@provider.example>
To: abuse@goniec.example
Subject: complaint about message from 192.0.2.1
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="A"

--A
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--A
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <redacted@goniec.example>
Arrival-Date: Tue, 24 Nov 2026 07:00:00 +0100
Source-IP: 192.0.2.1

--A
Content-Type: text/rfc822-headers

From: Goniec <goniec@goniec.example>
To: <redacted>
Message-ID: <{delivery.hex}@goniec.example>
Subject: Nabor

--A--
""".encode()


def qmail() -> bytes:
    return f"""Return-Path: <>
From: MAILER-DAEMON@old.example
To: {bounce_address()}
Subject: failure notice

Hi. This is the qmail-send program at old.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<anna@mail.example>:
Sorry, no mailbox here by that name. (#5.1.1)
""".encode()


def exim() -> bytes:
    return f"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@exim.example>
To: {bounce_address()}
X-Failed-Recipients: anna@mail.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered to one or more of its recipients.

  anna@mail.example
    host mail.example [192.0.2.9]
    SMTP error from remote mail server after RCPT TO:<anna@mail.example>:
    552 Mailbox quota exceeded
""".encode()


def holiday() -> bytes:
    return f"""Return-Path: <>
From: Anna <anna@mail.example>
To: {bounce_address()}
Subject: Out of office
Auto-Submitted: auto-replied

I am away. Error 550 is my favourite number, user unknown.
""".encode()
