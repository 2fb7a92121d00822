"""The two documents of the API: for programs at `/openapi.json`, for people at `/docs`; both made once, both without the internet."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, MediaType, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from .auth import open_to_all
from .docs_page import CONTENT_SECURITY_POLICY, docs_page


class Documents:
    """The document and its two renderings; filled once the routes are known."""

    def __init__(self) -> None:
        self.json = b""
        self.page = b""

    def fill(self, document: dict[str, Any]) -> None:  # Any: a JSON document
        """Render."""
        self.json = msgspec.json.encode(document)
        self.page = docs_page(document)


class DocumentController(Controller):
    """The API's documents; they say nothing of what is stored."""

    path = "/"
    include_in_schema = False

    @get("/openapi.json", opt=open_to_all(), sync_to_thread=False)
    def openapi(self, documents: NamedDependency[Documents]) -> Response[bytes]:
        """Answer the OpenAPI 3.1 document."""
        return Response(documents.json, media_type=MediaType.JSON)

    @get("/docs", opt=open_to_all(), sync_to_thread=False)
    def docs(self, documents: NamedDependency[Documents]) -> Response[bytes]:
        """Answer the same for people."""
        return Response(
            documents.page, media_type=MediaType.HTML, headers={"content-security-policy": CONTENT_SECURITY_POLICY}
        )

    @get("/", opt=open_to_all(), sync_to_thread=False)
    def home(self) -> Redirect:
        """Show the way to the documents."""
        return Redirect("/docs", status_code=307)
