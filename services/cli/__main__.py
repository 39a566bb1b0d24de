"""`python -m services.cli` is `goniec`: what the parent of all parts starts them with."""

from services.cli.app import main

if __name__ == "__main__":
    main()
