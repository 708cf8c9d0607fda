"""Asks servers over HTTP: at a polite pace, again where it may help, and with little trust."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from bnnkg.errors import SourceError
from bnnkg.ingest.modeldb.addresses import shown
from bnnkg.ingest.modeldb.failures import AbsentError, PassingError, UnansweredError, check_size
from bnnkg.ingest.modeldb.manners import Manners, Pace, retry_after_s

USER_AGENT = f"bnnkg/{version('bnnkg')} (reads models of neurons into a graph)"
MAX_JSON_BYTES = 32 * 2**20
MAX_REDIRECTS = 5

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class Web:
    """One connection to the servers that hold models.

    Args:
        manners: How politely they are asked.
        pace_file: Shared by all processes that are to keep one pace.

    Raises:
        SourceError: The proxy that the environment names cannot be used.
    """

    def __init__(self, manners: Manners, pace_file: Path) -> None:
        self._manners = manners
        self._pace = Pace(pace_file, manners.requests_per_s)
        self._is_silent = False
        try:
            self._client = httpx.Client(
                timeout=manners.timeout_s,
                limits=httpx.Limits(max_connections=1),
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
            )
        except (ImportError, ValueError, httpx.HTTPError) as error:
            raise SourceError(
                "the proxy of the environment cannot be used",
                found=str(error),
                hint="see HTTP_PROXY, HTTPS_PROXY and ALL_PROXY",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def json(self, url: str) -> object:
        """What an address answers, as JSON.

        Raises:
            AbsentError: There is nothing there.
            UnansweredError: It was asked in vain.
            SourceError: The answer is no JSON, or too large.
        """
        content = self.trying(lambda: self._read(url))
        if content.lstrip()[:1] == b"<":
            raise _not_json(url, "a web page")
        try:
            value: object = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _not_json(url, f"{len(content)} bytes: {error}") from error
        return value

    def _read(self, url: str) -> bytes:
        content = bytearray()
        with self.answer(url) as response:
            for part in response.iter_bytes():
                content += part
                check_size(len(content), MAX_JSON_BYTES, shown(url))
        return bytes(content)

    def trying(self, attempt: Callable[[], _Result]) -> _Result:
        """Makes attempts until one succeeds, or fails for good.

        A server that stayed silent is asked only once for what comes next, until it answers: a
        long list is not waited for item by item while the network is down.

        Raises:
            UnansweredError: The last attempt failed too, or the server asks to wait too long.
        """
        failures = 0
        while True:
            try:
                return attempt()
            except PassingError as error:
                failures = 1 if error.got_further else failures + 1
                wait_s = max(self._manners.wait_s(failures), error.retry_after_s or 0.0)
                if failures >= self._most_attempts or wait_s > self._manners.longest_wait_s:
                    self._is_silent = not error.was_heard
                    raise _in_vain(error, failures) from error
                _log.info("%s: %s; asked again in %.1f s", error.where, error.what, wait_s)
                time.sleep(wait_s)

    @property
    def _most_attempts(self) -> int:
        return 1 if self._is_silent else self._manners.attempts

    @contextlib.contextmanager
    def answer(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        statuses: Collection[int] = (200,),
    ) -> Iterator[httpx.Response]:
        """One answer, its content still to be read; redirects are followed where they may lead.

        Args:
            url: The address.
            headers: What is asked besides.
            statuses: Those that are an answer.

        Raises:
            PassingError: The connection failed, fell silent or broke, now or while reading; or the
                server is busy or broken.
            AbsentError: There is nothing there.
            SourceError: The address or a redirect leads nowhere that is allowed.
        """
        where, was_heard = shown(url), False
        try:
            with contextlib.closing(self._follow(url, headers or {})) as response:
                was_heard = True
                self._is_silent = False
                if response.status_code not in statuses:
                    raise _no_answer(response, where)
                yield response
        except httpx.TimeoutException as error:
            what = f"it was silent for {self._manners.timeout_s:g} s"
            raise PassingError(what, where=where, was_heard=was_heard) from error
        except (
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
            httpx.DecodingError,
            UnicodeError,  # a name that no host can have
        ) as error:
            raise SourceError("this cannot be fetched", where=where, found=str(error)) from error
        except httpx.TransportError as error:
            what = str(error) or type(error).__name__
            raise PassingError(what, where=where, was_heard=was_heard) from error

    def _follow(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        for _ in range(MAX_REDIRECTS + 1):
            self._pace.wait()
            request = self._client.build_request("GET", url, headers=dict(headers))
            response = self._client.send(request, stream=True, follow_redirects=False)
            if not response.has_redirect_location:
                return response
            response.close()
            url = _redirected(request.url, response.headers["Location"])
        raise SourceError(
            "the address redirects without end",
            where=shown(url),
            expected=f"at most {MAX_REDIRECTS} redirects",
        )


def _redirected(url: httpx.URL, location: str) -> str:
    """Where a redirect leads: to the same host, or to one that is reached by https."""
    target = url.join(location)
    stays = target.scheme == url.scheme == "http" and target.host == url.host
    if target.scheme != "https" and not stays:
        raise SourceError(
            "the address redirects to where no model is fetched from",
            where=shown(str(url)),
            expected="the same host, or https",
            found=shown(str(target)),
        )
    return str(target)


def _no_answer(response: httpx.Response, where: str) -> SourceError:
    """The error for a status that is no answer: for good, or perhaps not."""
    status = response.status_code
    found = f"status {status} {response.reason_phrase[:60]}".strip()
    if status in (408, 429) or status >= 500:
        wait_s = retry_after_s(response.headers.get("Retry-After"))
        return PassingError(found, where=where, retry_after_s=wait_s)
    if status in (401, 403, 404, 410, 451):
        return AbsentError("there is nothing for everyone there", where=where, found=found)
    return SourceError(
        "the server answers otherwise than asked", where=where, expected="status 200", found=found
    )


def _in_vain(error: PassingError, failures: int) -> UnansweredError:
    times = "once" if failures == 1 else f"{failures} times"
    asks = f", it asks to wait {error.retry_after_s:.0f} s" if error.retry_after_s else ""
    return UnansweredError(
        "the server gives no proper answer",
        where=error.where,
        expected="status 200 and all of the content",
        found=f"{error.what} (asked {times}{asks})",
        hint="try again later; what was fetched so far is kept",
    )


def _not_json(url: str, found: str) -> SourceError:
    return SourceError(
        "the answer is no JSON",
        where=shown(url),
        expected="JSON, as the API of ModelDB gives it",
        found=found,
        hint="check the address of ModelDB, and whether a proxy or a login page answers instead",
    )
