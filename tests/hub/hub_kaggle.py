# SPDX-License-Identifier: MIT
"""www.kaggle.com: Kaggle Models, by its REST interface, by the calls of its
own SDK, and the pages where tfhub.dev leads."""

import base64
import json

import hub_google
from hub_host_site import (HostSite, credential, decoded_path, json_answer,
                           moved, page, query_of)
from hub_moods import Where
from hub_repos import date_text

PAGE_FILES_MAX = 25
CALLS = {  # of the SDK -> route
    "ListModels": "list", "GetModel": "info", "GetModelInstance": "info",
    "ListModelInstanceVersionFiles": "tree",
    "DownloadModelInstanceVersion": "download",
}
CONSENT = "User has not consented to terms of use."

# What a mood's error is here.
ERRORS = {
    "anonymous": (401, None, "Unauthorized"),
    "bad_token": (401, None, "Unauthorized"),
    "gated": (403, None, CONSENT),
    "gated_anonymous": (403, None, CONSENT),
    "scope": (403, None, "Permission 'models.get' was denied"),
}


def page_token(offset):
    return base64.urlsafe_b64encode(b"at:%d" % offset).decode()


def offset_of(token):
    return int(base64.urlsafe_b64decode(token)[3:]) if token else 0


def page_handle(parts):
    """The handle of a page's path, in either of its forms."""
    if len(parts) >= 8 and parts[2::2] == ["frameworks", "variations",
                                           "versions"]:
        parts = [*parts[:2], *parts[3::2]]
    if len(parts) == 5:
        parts[2] = parts[2][:1].lower() + parts[2][1:]
    return parts


class Asked:
    """@parts: owner, model, framework, variation, version; @rest: a file."""

    def __init__(self, parts=(), rest="", options=None):
        self.parts = list(parts)
        self.rest = rest
        self.options = options or {}

    @property
    def handle(self):
        return "/".join(self.parts)


class KaggleSite(HostSite):
    origin = "www.kaggle.com"

    def __init__(self, world, records):
        super().__init__(world, records)
        self.routes = {"list": self.list, "info": self.info,
                       "tree": self.files, "download": self.download,
                       "page": self.page}

    def methods_of(self, route):
        return ("GET", "HEAD", "POST")

    def refuse_as(self, status, code=None, message=None, headers=()):
        known = {404: "Not found", 405: "Method not allowed",
                 429: "Too many requests"}
        return json_answer(status, {
            "code": status, "message": message or
            known.get(status, "Kaggle is not well")}, headers)

    def error(self, where, name):
        return ERRORS.get(name) or super().error(where, name)

    # ---- what is asked for ----

    def locate(self, request):
        path = decoded_path(request)
        if path.startswith("api/v1/models."):
            route, asked = self.call(request, path.rpartition("/")[2])
        elif path.startswith("api/v1/models/"):
            route, asked = self.rest(path.split("/")[3:], query_of(request))
        elif path.split("/")[0] == "models":
            route, asked = "page", Asked(page_handle(path.split("/")[1:]),
                                         options=query_of(request))
        else:
            route, asked = "other", Asked()
        repo = self.find(asked)
        bucket = "pages" if route in ("page", "other") else "api"
        return Where(self.origin, route, bucket,
                     repo.id if repo else asked.handle, asked.rest), asked

    @staticmethod
    def rest(parts, query):
        if parts == ["list"]:
            return "list", Asked(options=query)
        if parts[-1] == "get" and len(parts) in (3, 5):
            return "info", Asked(parts[:-1], options=query)
        if len(parts) == 6 and parts[5] == "files":
            return "tree", Asked(parts[:5], options=query)
        if len(parts) >= 6 and parts[5] == "download":
            return "download", Asked(parts[:5], "/".join(parts[6:]), query)
        return "other", Asked()

    @staticmethod
    def call(request, method):
        """A call of the SDK: the names are in the body."""
        body = json.loads(request.body or b"{}")
        names = ("ownerSlug", "modelSlug", "framework", "instanceSlug",
                 "versionNumber")
        parts = [str(body[name]) for name in names if name in body]
        options = {"page_size": body.get("pageSize"),
                   "page_token": body.get("pageToken"), **body}
        return CALLS.get(method, "other"), Asked(
            parts, body.get("path", ""), options)

    def find(self, asked):
        return len(asked.parts) == 5 and self.world.repos.find(
            "kaggle", asked.handle) or None

    def version(self, request, asked):
        """The version asked for, if who asks may have it."""
        repo = self.find(asked)
        if not repo:
            self.refuse(404)
        if repo.private and not self.world.repos.may(credential(request),
                                                     repo.id):
            self.refuse(403, ERRORS["scope"][2])
        return repo

    def respond(self, request, where, target):
        who = credential(request)
        if who is not None and who not in self.world.repos.tokens:
            return self.refuse_as(401, None, "Unauthorized")
        return super().respond(request, where, target)

    # ---- descriptions ----

    def visible(self, request):
        who = credential(request)
        return [repo for repo in self.world.repos.all("kaggle")
                if not repo.private or self.world.repos.may(who, repo.id)]

    def newest(self, request, prefix):
        """The newest version of each variation whose handle begins so."""
        found = {}
        for repo in self.visible(request):
            variation, _, number = repo.id.rpartition("/")
            if (variation + "/").lower().startswith(prefix.lower() + "/"):
                old = found.get(variation)
                if not old or int(number) > int(old.id.rpartition("/")[2]):
                    found[variation] = repo
        return list(found.values())

    def info(self, request, where, asked):
        found = self.newest(request, asked.handle)
        if not found:
            return self.refuse_as(404)
        if len(asked.parts) == 4:
            return json_answer(200, self.instance(found[0]))
        return json_answer(200, self.model(asked.parts, found))

    def list(self, request, where, asked):
        models = {}
        for repo in self.newest_of_all(request):
            owner, name = repo.id.split("/")[:2]
            models.setdefault((owner, name), []).append(repo)
        owner = asked.options.get("owner")
        search = (asked.options.get("search") or "").lower()
        found = [self.model(names, repos) for names, repos in models.items()
                 if owner in (None, "", names[0]) and
                 search in "/".join(names).lower()]
        start = offset_of(asked.options.get("pageToken"))
        size = int(asked.options.get("pageSize") or 20)
        size = self.page_size(where, size)
        answer = {"models": found[start:start + size],
                  "totalResults": len(found),
                  "nextPageToken": page_token(start + size)
                  if start + size < len(found) else ""}
        return json_answer(200, answer)

    def newest_of_all(self, request):
        owners = {repo.id.split("/")[0] for repo in self.visible(request)}
        return [repo for owner in sorted(owners)
                for repo in self.newest(request, owner)]

    @staticmethod
    def model(names, repos):
        ref = "/".join(repos[0].id.split("/")[:2])
        return {"id": repos[0].number, "ref": ref, "title": names[1],
                "subtitle": "", "author": names[0], "slug": names[1],
                "isPrivate": repos[0].private, "description": "# Model\n",
                "instances": [KaggleSite.instance(repo) for repo in repos],
                "tags": [], "publishTime": date_text(0),
                "provenanceSources": "", "modelVersionLinks": [],
                "url": "https://www.kaggle.com/models/" + ref}

    @staticmethod
    def instance(repo):
        _, _, framework, slug, number = repo.id.split("/")
        size = sum(file.size for file in repo.head.files.values())
        return {"id": hub_google.instance_number(repo), "slug": slug,
                "framework": framework, "fineTunable": False, "overview": "",
                "usage": "", "downloadUrl": "/api/v1/models/%s/download"
                % repo.id, "versionId": hub_google.version_number(repo),
                "versionNumber": int(number), "trainingData": [],
                "url": "https://www.kaggle.com/models/" +
                repo.id.rpartition("/")[0], "licenseName": "Apache 2.0",
                "modelInstanceType": "unspecified",
                "baseModelInstanceInformation": None,
                "externalBaseModelUrl": "", "totalUncompressedBytes": size,
                **repo.about.get("info", {})}

    def page_size(self, where, asked):
        mood = self.moods.find("tree_page", where)
        return min(asked, mood["entries"]) if mood else asked

    def files(self, request, where, asked):
        repo = self.version(request, asked)
        size = self.page_size(where, int(asked.options.get("page_size") or
                                         PAGE_FILES_MAX))
        start = offset_of(asked.options.get("page_token"))
        files = sorted(repo.head.files.items())
        told = [{"name": name, "size": file.size,
                 "creationDate": date_text(repo.number)}
                for name, file in files[start:start + size]]
        more = start + size < len(files)
        if more and self.moods.take("next_link_loop", where):
            size = 0
        return json_answer(200, {
            "files": told,
            "nextPageToken": page_token(start + size) if more else ""},
            [("X-Kaggle-HubVersion", "0.4.3")])

    # ---- bytes ----

    def download(self, request, where, asked):
        repo = self.version(request, asked)
        if repo.gated and not self.world.repos.may(credential(request),
                                                   repo.id):
            self.refuse(403, CONSENT)
        if not asked.rest:
            return self.bundle(where, repo)
        if asked.rest not in repo.head.files:
            return self.refuse_as(404)
        name = asked.rest
        if self.moods.take("auto_zip", where):
            name += ".zip"
        return moved(302, hub_google.signed_file(self.world, where, repo,
                                                 name))

    def bundle(self, where, repo):
        if not self.world.repos.find("kaggle-bundle", repo.id):
            return self.refuse_as(404)
        return moved(302, hub_google.signed_bundle(self.world, where, repo))

    def page(self, request, where, asked):
        """A page is for people, but for one who wants it as a file."""
        repo = self.find(asked)
        if repo and asked.options.get("tf-hub-format") == "compressed":
            return self.download(request, where, asked)
        if len(asked.parts) == 5 and not repo:
            return page(404, "Kaggle: not found")
        return page(200, "Kaggle Models")
