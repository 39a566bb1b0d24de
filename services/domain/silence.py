"""How long a person who shows no sign of life is waited for, once the operator wants them asked.

A sign of life is a button that the person pressed, or a change by their own key. That a page or a link was
looked at is none: mail programs and scanners look too, and nobody's reading is watched.
"""

from datetime import timedelta

REMIND_AFTER = timedelta(days=16)  # after the letter that asks has gone out
END_AFTER = timedelta(days=14)  # after its reminder has gone out
ANSWER_WITHIN = REMIND_AFTER + END_AFTER
A_MONTH_DAYS = 30
