"""Who may read the page, and what a page may not do."""

import secrets
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from molloop.report.page.connections import LET_IN

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
ONLY_READ = "This page can be read, and nothing else.\n"
WRONG_HOST = "This is not the host of the link.\n"


class Guard:
    """Lets those read who have the token, and says in every answer what a page may not do.

    Who is refused loses the connection.
    """

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
            return _refusal(WRONG_HOST, 421)
        if request.method not in ("GET", "HEAD"):
            return _refusal(ONLY_READ, 405)
        given = request.query_params.get("token")
        is_link = given is not None and request.url.path == "/"
        shown = given if is_link else request.cookies.get(self._cookie, "")
        if not self._is_token(shown or ""):
            return _refusal(REFUSED, 403)
        if let_in := request.scope.get("state", {}).get(LET_IN):
            let_in()
        if not is_link:
            return None
        found = RedirectResponse("/", 303)
        found.set_cookie(self._cookie, self._token, httponly=True, samesite="lax")
        return found

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())


def _refusal(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, {"Connection": "close"})
