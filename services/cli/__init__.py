"""The command `goniec`: what an operator types. It asks `manage` and `pipeline`, and holds no rules."""
