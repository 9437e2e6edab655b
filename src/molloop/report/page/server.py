"""A page that follows a run: for one reader, on this machine, unless told otherwise."""

import asyncio
import json
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from math import inf
from urllib.parse import urlencode

import uvicorn
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from molloop.errors import MolloopError
from molloop.report.page import render
from molloop.report.page.feed import Feed, Run
from molloop.report.status import RUNNING, UNKNOWN

LOOK_PERIOD_S = 0.5
EVERYWHERE = ("0.0.0.0", "::")  # addresses to listen at that are no names
CLOSE_TIMEOUT_S = 1
SIGN_OF_LIFE_S = 10.0  # page.js connects anew where it misses three
FIGURE_SHARE = 0.002  # of the machine's time that drawing may take
MIN_FIGURE_PERIOD_S = 2.0
GOES_ON = (RUNNING, UNKNOWN)
HTTP_PORT = 80  # stands in no Host header
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
        self._looked_s = self._drawn_s = -inf
        self._drawing_s = 0.0
        self._drawing: asyncio.Task[None] | None = None
        self._is_stale = True
        self.number = 0
        self.shown: dict[str, tuple[int, str]] = {}  # name -> number of its last change, text
        self._show(render.texts(feed.run))

    @property
    def has_ended(self) -> bool:
        """Whether nothing comes unless the run is resumed."""
        is_drawn = not self._is_stale and self._drawing is None
        return is_drawn and self._feed.run.state not in GOES_ON

    async def look(self) -> None:
        """Read what is new, at most so often, however many readers there are."""
        async with self._lock:
            if time.monotonic() - self._looked_s >= LOOK_PERIOD_S:
                self._looked_s = time.monotonic()
                try:
                    is_new = self._feed.read()
                except MolloopError as error:
                    self._show({"trouble": escape(error)})
                    return
                if is_new:
                    self._is_stale = True
                    self._show(render.texts(self._feed.run))
                self._show({"trouble": ""})
                self._draw_if_due()

    def _draw_if_due(self) -> None:
        share = FIGURE_SHARE * (os.cpu_count() or 1)
        wait_s = max(MIN_FIGURE_PERIOD_S, self._drawing_s / share)
        has_ended = self._feed.run.state not in GOES_ON
        is_due = has_ended or time.monotonic() - self._drawn_s >= wait_s
        if self._is_stale and is_due and self._drawing is None:
            self._is_stale = False
            # what is drawn does not change meanwhile
            self._drawing = asyncio.create_task(self._draw(copy(self._feed.run)))

    async def _draw(self, run: Run) -> None:
        try:
            self._drawing_s, drawn = await asyncio.to_thread(_drawn, run)
            self._show(drawn | {"drawn": f"Figures as of {render.duration(run.time_s)}"})
        except Exception as error:  # noqa: BLE001  # the words go on
            self._show({"drawn": escape(f"The figures cannot be drawn: {error}")})
        finally:
            self._drawn_s = time.monotonic()
            self._drawing = None

    def _show(self, sections: Mapping[str, str]) -> None:
        self.number += 1
        for name, text in sections.items():
            if name not in self.shown or self.shown[name][1] != text:
                self.shown[name] = (self.number, text)

    def since(self, number: int) -> dict[str, str]:
        """Return the sections that have changed since a number."""
        return {name: text for name, (when, text) in self.shown.items() if when > number}


def _drawn(run: Run) -> tuple[float, dict[str, Markup]]:
    """Return the figures, and the processor time that they took."""
    began_s = time.thread_time()
    drawn = render.figures(run) | render.about(run)
    return time.thread_time() - began_s, drawn


class Guard:
    """Lets those read who have the token, and says in every answer what a page may not do."""

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str], cookie: str) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._instead(Request(scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _instead(self, request: Request) -> Response | None:
        if request.headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("This is not the host of the link.\n", 421)
        given = request.query_params.get("token")
        if given is not None and request.url.path == "/":
            if not self._is_token(given):
                return PlainTextResponse(REFUSED, 403)
            found = RedirectResponse("/", 303)
            found.set_cookie(self._cookie, self._token, httponly=True, samesite="lax")
            return found
        if not self._is_token(request.cookies.get(self._cookie, "")):
            return PlainTextResponse(REFUSED, 403)
        return None

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())


def application(
    feed: Feed,
    token: str,
    hosts: Iterable[str],
    cookie: str,
    is_ending: Callable[[], bool],
    on_start: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    token
        Who has it may read: in the link at first, in a cookie from then on.
    hosts
        What the header Host may be, in lower case.
    cookie
        Name of the cookie.
    is_ending
        Whether readers are to be let go.
    on_start
        Called when it is served.
    """
    sections = Sections(feed)

    async def page(_: Request) -> Response:
        await sections.look()
        shown = {name: text for name, (_, text) in sections.shown.items()}
        return HTMLResponse(render.live_document(feed.run, shown))

    async def events(_: Request) -> Response:
        return StreamingResponse(_events(sections, is_ending), media_type="text/event-stream")

    def static(name: str, media_type: str) -> Route:
        text = (render.STATIC / name).read_text(encoding="utf-8")
        return Route(f"/{name}", lambda _: Response(text, media_type=media_type))

    routes = [
        Route("/", page),
        Route("/events", events),
        static("page.css", "text/css"),
        static("page.js", "text/javascript"),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        on_start()
        yield

    return Guard(Starlette(routes=routes, lifespan=lifespan), token, hosts, cookie)


async def _events(sections: Sections, is_ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Send what changes for as long as the reader stays; a run that has ended may go on."""
    number, told, told_s = 0, "", -inf
    while not is_ending():
        await sections.look()
        changed = sections.since(number)
        number = sections.number
        if changed:
            yield f"event: sections\ndata: {json.dumps(changed)}\n\n"
        state = "The run has ended" if sections.has_ended else "Live"
        if state != told or time.monotonic() - told_s >= SIGN_OF_LIFE_S:
            told, told_s = state, time.monotonic()
            yield f"event: state\ndata: {json.dumps(state)}\n\n"
        await asyncio.sleep(LOOK_PERIOD_S)
    yield "event: closed\ndata: {}\n\n"


def listen(host: str, port: int) -> socket.socket:
    """Return what listens at an address: a link to it can be opened from now on.

    Parameters
    ----------
    port
        0 is a free one.

    Raises
    ------
    OSError, TypeError, UnicodeError
        It cannot be had; the name is none.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def serve(feed: Feed, host: str, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Serve the page until a signal comes.

    Parameters
    ----------
    host
        Of which the listener is.
    say
        Called with the link.
    """
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    name = f"[{host}]" if ":" in host else host
    names = {name, "127.0.0.1", "localhost"}
    if host in EVERYWHERE:
        name = socket.gethostname().lower()
        names |= {name, socket.getfqdn().lower(), *_addresses()}
    hosts = {f"{one}:{port}" for one in names} | (names if port == HTTP_PORT else set())
    servers: list[uvicorn.Server] = []
    link = f"http://{name}:{port}/?{urlencode({'token': token})}"
    app = application(
        feed,
        token,
        hosts,
        f"molloop-{port}",
        lambda: any(one.should_exit for one in servers),
        lambda: say(link),  # from now on a signal ends it in order
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=CLOSE_TIMEOUT_S,  # readers stay for as long as they may
    )
    servers.append(uvicorn.Server(config))
    servers[0].run(sockets=[listener])


def _addresses() -> set[str]:
    """Return this host's addresses, as they stand in links."""
    import psutil

    found = [one for some in psutil.net_if_addrs().values() for one in some]
    ipv4 = {one.address for one in found if one.family is socket.AF_INET}
    ipv6 = {one.address for one in found if one.family is socket.AF_INET6}
    return ipv4 | {f"[{one.partition('%')[0]}]" for one in ipv6}
