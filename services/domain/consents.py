"""What people agree to when they sign up; raise the version with every change of those words."""

TEXT_VERSION = "1"
