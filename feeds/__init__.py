"""Feeds read rightly, politely and safely: an address or bytes in, entries out.

A library of its own: it must never know a database, a queue, settings or a clock.
"""
