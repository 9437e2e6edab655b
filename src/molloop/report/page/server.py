"""A page that follows a run: for one reader, on this machine, unless told otherwise."""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from molloop.report.page import render
from molloop.report.page.feed import Feed
from molloop.report.status import RUNNING, UNKNOWN

LOOK_PERIOD_S = 0.5
FIGURE_SHARE = 0.01  # of a core's time that drawing may take
MIN_FIGURE_PERIOD_S = 2.0
GOES_ON = (RUNNING, UNKNOWN)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
REFUSED = "Open the link that `molloop watch` has printed.\n"


class Sections:
    """The page's sections as they last were; made anew only where a reader asks for them."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._lock = asyncio.Lock()
        self._looked_s = self._drawn_s = -1e9
        self._drawing_s = 0.0
        self._is_stale = True
        self.number = 0
        self.shown: dict[str, tuple[int, str]] = {}  # name -> number of its last change, text

    @property
    def goes_on(self) -> bool:
        """Whether anything may still come."""
        return self._feed.run.state in GOES_ON or self._is_stale

    async def look(self) -> None:
        """Read what is new, at most so often, however many readers there are."""
        async with self._lock:
            if time.monotonic() - self._looked_s >= LOOK_PERIOD_S:
                await asyncio.to_thread(self._look)

    def _look(self) -> None:
        self._looked_s = time.monotonic()
        run = self._feed.run
        if self._feed.read() or not self.shown:
            self._is_stale = True
            self._show(render.texts(run))
        wait_s = max(MIN_FIGURE_PERIOD_S, self._drawing_s / FIGURE_SHARE)
        is_due = time.monotonic() - self._drawn_s >= wait_s or run.state not in GOES_ON
        if self._is_stale and is_due:
            began_s = time.thread_time()
            self._show(render.figures(run) | render.about(run))
            self._drawing_s, self._drawn_s = time.thread_time() - began_s, time.monotonic()
            self._is_stale = False

    def _show(self, sections: Mapping[str, str]) -> None:
        self.number += 1
        for name, text in sections.items():
            if name not in self.shown or self.shown[name][1] != text:
                self.shown[name] = (self.number, text)

    def since(self, number: int) -> dict[str, str]:
        """Return the sections that have changed since a number."""
        return {name: text for name, (when, text) in self.shown.items() if when > number}


def application(feed: Feed, token: str, hosts: Iterable[str], cookie: str) -> Starlette:
    """Return the application.

    Parameters
    ----------
    token
        Who has it may read: in the link at first, in a cookie from then on.
    hosts
        What the header Host may be.
    cookie
        Name of the cookie.
    """
    sections = Sections(feed)
    allowed = frozenset(hosts)

    async def guard(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await _refuse(request) or await call_next(request)
        response.headers.update(HEADERS)
        return response

    async def _refuse(request: Request) -> Response | None:
        if request.headers.get("host", "") not in allowed:
            return PlainTextResponse("This is not the host of the link.\n", 421)
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/":
            if not secrets.compare_digest(given.encode(), token.encode()):
                return PlainTextResponse(REFUSED, 403)
            found = RedirectResponse("/", 303)
            found.set_cookie(cookie, token, httponly=True, samesite="strict")
            return found
        if not secrets.compare_digest(request.cookies.get(cookie, "").encode(), token.encode()):
            return PlainTextResponse(REFUSED, 403)
        return None

    async def page(_: Request) -> Response:
        await sections.look()
        shown = {name: text for name, (_, text) in sections.shown.items()}
        return HTMLResponse(render.live_document(feed.run, shown))

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(request, sections), media_type="text/event-stream")

    def static(name: str, media_type: str) -> Route:
        text = (render.STATIC / name).read_text(encoding="utf-8")
        return Route(f"/{name}", lambda _: Response(text, media_type=media_type))

    routes = [
        Route("/", page),
        Route("/events", events),
        static("page.css", "text/css"),
        static("page.js", "text/javascript"),
    ]
    return Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)])


async def _events(request: Request, sections: Sections) -> AsyncIterator[str]:
    number = 0
    while not await request.is_disconnected():
        await sections.look()
        changed = sections.since(number)
        number = sections.number
        if changed:
            yield f"event: sections\ndata: {json.dumps(changed)}\n\n"
        if not sections.goes_on:
            yield "event: ended\ndata: {}\n\n"
            return
        await asyncio.sleep(LOOK_PERIOD_S)


def serve(feed: Feed, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the page until a signal comes.

    Parameters
    ----------
    host, port
        To listen at; port 0 is a free one.
    say
        Called with the link once it can be opened.

    Raises
    ------
    OSError
        The port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        port = listener.getsockname()[1]
        token = secrets.token_urlsafe(32)
        name = f"[{host}]" if ":" in host else host
        names = {name, "127.0.0.1", "localhost"}
        app = application(feed, token, (f"{one}:{port}" for one in names), f"molloop-{port}")
        say(f"http://{name}:{port}/?{urlencode({'token': token})}")
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
