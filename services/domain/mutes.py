"""What can be muted. Stored as text and part of the reasons in the accounts (`muted_word`): never renamed."""

from enum import StrEnum


class MuteKind(StrEnum):
    INSTITUTION = "institution"
    WORD = "word"
    STORY = "story"
    INTEREST = "interest"
