"""The page at `/docs`: the OpenAPI document as plain HTML that a person can read, search and print.

Promises: one file, nothing from elsewhere; its style and its few lines of script are allowed by their hashes, everything else is not.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, cast

import msgspec

Json = dict[str, Any]  # Any: a JSON document

_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_page(document: Json) -> bytes:
    """Return the page."""
    info = document["info"]
    tags = [tag["name"] for tag in document.get("tags", [])]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body><main>",
        f'<h1>{escape(info["title"])}</h1><p class="soft">Version {escape(info["version"])} · <a href="/openapi.json">openapi.json</a></p>',
        _prose(info.get("description", "")),
        '<input id="find" type="search" placeholder="Find a route, a parameter, an error" aria-label="Find">',
    ]
    operations = list(_operations(document))
    for tag in tags:
        parts.append(f"<section><h2>{escape(tag)}</h2>")
        parts += [_operation(method, path, each) for method, path, each in operations if tag in each.get("tags", [])]
        parts.append("</section>")
    parts.append("<section><h2>Shapes</h2>")
    parts += [_shape(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    parts.append(f"</section></main><script>{_SCRIPT}</script></body></html>")
    return "".join(parts).encode()


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _operation(method: str, path: str, operation: Json) -> str:
    name = escape(operation["operationId"])
    parts = [
        f'<details id="{name}"><summary><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code>',
        f' <span class="soft">{escape(operation.get("summary", ""))}</span></summary>',
        _prose(operation.get("description", "")),
    ]
    if parameters := operation.get("parameters"):
        parts.append("<h4>Parameters</h4><table>")
        parts += [_parameter(parameter) for parameter in parameters]
        parts.append("</table>")
    if body := operation.get("requestBody"):
        parts.append("<h4>Body</h4>")
        parts += [_content(media_type, content) for media_type, content in body["content"].items()]
    parts.append("<h4>Answers</h4><table>")
    parts += [_answer(status, response) for status, response in operation["responses"].items()]
    parts.append("</table></details>")
    return "".join(parts)


def _parameter(parameter: Json) -> str:
    need = "required" if parameter.get("required") else "optional"
    schema = cast("Json", parameter.get("schema", {}))
    default = f"; default {schema['default']}" if schema.get("default") is not None else ""
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}, {need}{escape(str(default))}</td>"
        f"<td>{_inline(parameter.get('description', ''))} {_type(schema)}</td></tr>"
    )


def _content(media_type: str, content: Json) -> str:
    shown = ""
    if "example" in content:
        example = content["example"]
        text = (
            example
            if isinstance(example, str)
            else msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
        )
        shown = f"<pre>{escape(text)}</pre>"
    return f"<p><code>{escape(media_type)}</code> {_type(content.get('schema', {}))}</p>{shown}"


def _answer(status: str, response: Json) -> str:
    contents = response.get("content", {})
    types = ", ".join(
        f"<code>{escape(name)}</code> {_type(content.get('schema', {}))}" for name, content in contents.items()
    )
    return f"<tr><td>{escape(status)}</td><td>{_inline(response.get('description', ''))}</td><td>{types}</td></tr>"


def _shape(name: str, schema: Json) -> str:
    parts = [
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>',
        _prose(schema.get("description", "")),
    ]
    required = schema.get("required", [])
    if members := schema.get("properties"):
        parts.append("<table>")
        for member, described in members.items():
            need = "required" if member in required else "optional"
            says = f"{_type(described)} {_inline(described.get('description', ''))}"
            parts.append(f"<tr><td><code>{escape(member)}</code></td><td>{need}</td><td>{says}</td></tr>")
        parts.append("</table>")
    parts.append("</details>")
    return "".join(parts)


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(_type(each) for each in schema[word])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(cast('Json', schema.get('items', {})))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    kinds = cast("list[str]", kind) if isinstance(kind, list) else [str(kind)]
    return f'<span class="soft">{escape(", ".join(kinds))}</span>'


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))
