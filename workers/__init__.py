"""Processes that do the pipeline's work: a worker answers the doorbell, the scheduler rings it.

They must hold no rules: each actor calls one stage.
"""
