"""Notices as feeds and as a calendar: pure writers, from the public form of a notice to bytes."""
