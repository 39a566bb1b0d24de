"""`goniec up --demo`: a small region that lives while one watches, through the true pipeline.

Forty notices come in by the feeds of their institutions and by one institution's push; nothing is put
behind the pipeline's back. Never part of a production run.
"""
