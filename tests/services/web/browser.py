"""A real browser against the real application on loopback. Fetches nothing from elsewhere."""

import contextlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_S = 10.0


def chromium() -> str:
    """The browser's path. Where none is found the test is skipped, in CI it fails."""
    found = os.environ.get("GONIEC_CHROMIUM") or shutil.which("chromium")
    if found:
        return found
    message = "no Chromium: set GONIEC_CHROMIUM to its path, or install `chromium`"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def free_socket() -> Iterator[socket.socket]:
    """A listening address of its own on loopback."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        yield listener


@contextlib.contextmanager
def served(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """The application answering on `listener`, in a thread that ends with the block."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until = time.monotonic() + WAIT_S
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
