"""A small Hugging Face Hub on the loopback address, for tests: repositories in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Repository:
    """Commits, oldest first, and names for them."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        before = self.commits.get(self.names.get(branch, ""), {})
        whole = {**before, **files}
        digest = hashlib.sha1(repr((len(self.commits), sorted(whole.items()))).encode()).hexdigest()
        self.commits[digest] = whole
        self.names[branch] = digest
        return digest

    def find(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.names.get(revision)


class LoopbackHub:
    """Serves ``repositories`` at ``endpoint``; ``requests`` holds what was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.failing: int | None = None  # status that every request gets
        self.sizes: dict[str, int] = {}  # sizes that are claimed of files
        handler = type("Handler", (Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Handler(BaseHTTPRequestHandler):
    """The routes that push and pull need."""

    protocol_version = "HTTP/1.1"
    hub: LoopbackHub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._resolve()

    def do_GET(self) -> None:
        if self._note():
            return
        match = re.fullmatch(
            r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/?]+)(\?.*)?", self.path
        )
        if match is None:
            self._resolve(noted=True)
            return
        repository = self.hub.repositories.get(match[1])
        commit = repository.find(unquote(match[3])) if repository else None
        if repository is None or commit is None:
            self._missing("RepoNotFound" if repository is None else "RevisionNotFound")
            return
        files = repository.commits[commit]
        if match[2] == "tree":
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
                for name, data in files.items()
            ]
            self._json(entries)
        else:
            siblings = [{"rfilename": name} for name in files]
            self._json({"id": match[1], "sha": commit, "siblings": siblings})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._note():
            return
        if self.headers.get("Authorization") != "Bearer hf_looptest":
            self._json({"error": "Invalid credentials"}, 401)
            return
        if self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        else:
            self._change(body)

    def _create(self, asked: dict[str, str]) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        about = {"url": f"{self.hub.endpoint}/{name}", "id": name, "name": name}
        known = name in self.hub.repositories
        if not known:
            self.hub.repositories[name] = Repository()
            self.hub.repositories[name].commit("main", {".gitattributes": b""})
        self._json(about, 409 if known else 200)

    def _change(self, body: bytes) -> None:
        match = re.fullmatch(
            r"/api/models/([^/]+/[^/]+)/(preupload|commit|tag)/([^/?]+)(\?.*)?", self.path
        )
        repository = self.hub.repositories.get(match[1]) if match else None
        if match is None or repository is None:
            self._missing("RepoNotFound")
            return
        revision = unquote(match[3])
        if match[2] == "preupload":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif match[2] == "tag":
            commit = repository.find(revision)
            repository.names[json.loads(body)["tag"]] = str(commit)
            self._json({})
        else:
            lines = [json.loads(line) for line in body.splitlines()]
            files = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            commit = repository.commit(revision, files)
            url = f"{self.hub.endpoint}/{match[1]}/commit/{commit}"
            self._json({"commitUrl": url, "commitOid": commit})

    def _resolve(self, noted: bool = False) -> None:
        if not noted and self._note():
            return
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        repository = self.hub.repositories.get(match[1]) if match else None
        if match is None or repository is None:
            self._missing("RepoNotFound")
            return
        commit = repository.find(unquote(match[2]))
        if commit is None:
            self._missing("RevisionNotFound")
            return
        data = repository.commits[commit].get(match[3])
        if data is None:
            self._missing("EntryNotFound")
            return
        size = self.hub.sizes.get(match[3], len(data))
        headers = {"ETag": f'"{_etag(data)}"', "X-Repo-Commit": commit}
        self._send(200, headers, data, size if self.command == "HEAD" else len(data))

    def _note(self) -> bool:
        """Write a request down; True if it was refused, as all are while the hub fails."""
        self.hub.requests.append(f"{self.command} {self.path}")
        if self.hub.failing is None:
            return False
        self._send(self.hub.failing, {}, b"out of order", None)
        return True

    def _missing(self, code: str) -> None:
        self._send(404, {"X-Error-Code": code}, b"not here", None)

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, {"Content-Type": "application/json"}, json.dumps(value).encode(), None)

    def _send(self, status: int, headers: dict[str, str], data: bytes, size: int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if size is None else size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
