"""A page that follows a run: for one reader, on this machine, unless told otherwise."""

import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from molloop.report.page import render
from molloop.report.page.connections import (
    DOOR,
    REQUEST_BYTES,
    Connection,
    Door,
    Limits,
    Places,
)
from molloop.report.page.feed import Feed
from molloop.report.page.guard import Guard
from molloop.report.page.quiet import quiet
from molloop.report.page.sections import Sections, events

EVERYWHERE = ("0.0.0.0", "::")  # addresses to listen at that are no names
CLOSE_TIMEOUT_S = 1
HTTP_PORT = 80  # stands in no Host header
N_QUEUED = 1024  # connections that the system keeps until the server takes them
N_STREAMS = 16  # readers who are told what changes
EVENTS = "text/event-stream"


def application(
    feed: Feed,
    token: str,
    hosts: Iterable[str],
    cookie: str,
    is_ending: Callable[[], bool],
    on_start: Callable[[], None] = lambda: None,
    state: Mapping[str, Any] | None = None,
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
    state
        What the server's connections are told.
    """
    sections = Sections(feed)
    streams: Places[object] = Places(N_STREAMS)

    async def page(_: Request) -> Response:
        await sections.look()
        shown = {name: text for name, (_, text) in sections.shown.items()}
        return HTMLResponse(render.live_document(feed.run, shown))

    async def stream(request: Request) -> Response:
        if request.method == "HEAD":  # has no end, and nobody reads it
            return Response(media_type=EVENTS)
        return StreamingResponse(events(sections, streams, is_ending), media_type=EVENTS)

    def static(name: str, media_type: str) -> Route:
        text = (render.STATIC / name).read_text(encoding="utf-8")
        return Route(f"/{name}", lambda _: Response(text, media_type=media_type))

    routes = [
        Route("/", page),
        Route("/events", stream),
        static("page.css", "text/css"),
        static("page.js", "text/javascript"),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        on_start()
        yield dict(state or {})

    return Guard(Starlette(routes=routes, lifespan=lifespan), token, hosts, cookie)


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
    limits = Limits.of_process()
    servers: list[uvicorn.Server] = []
    link = f"http://{name}:{port}/?{urlencode({'token': token})}"
    app = application(
        feed,
        token,
        hosts,
        f"molloop-{port}",
        lambda: any(one.should_exit for one in servers),
        lambda: say(link),  # from now on a signal ends it in order
        {DOOR: Door(limits)},
    )
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",  # would take connections over
        workers=1,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=limits.n_at_once,
        h11_max_incomplete_event_size=REQUEST_BYTES,
        timeout_graceful_shutdown=CLOSE_TIMEOUT_S,  # readers stay for as long as they may
    )
    servers.append(_Server(config))
    with quiet(("uvicorn.error", "asyncio")):
        servers[0].run(sockets=[listener])


class _Server(uvicorn.Server):
    """Takes few connections at a time, and has many wait meanwhile."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)  # says the first to the system, too
        for one in sockets or []:
            one.listen(N_QUEUED)


def _addresses() -> set[str]:
    """Return this host's addresses, as they stand in links."""
    import psutil

    found = [one for some in psutil.net_if_addrs().values() for one in some]
    ipv4 = {one.address for one in found if one.family is socket.AF_INET}
    ipv6 = {one.address for one in found if one.family is socket.AF_INET6}
    return ipv4 | {f"[{one.partition('%')[0]}]" for one in ipv6}
