# SPDX-License-Identifier: MIT
"""The JSON routes of the hub: what a repository says of itself, and lists."""

import base64
import json
import time
import typing
import urllib.parse

import hub_errors
from hub_evil import evil_entries
from hub_http import Answer
from hub_moods import Where
from hub_repos import date_text

JSON_TYPE = "application/json; charset=utf-8"
TREE_PAGE = 1000
EXPANDED_PAGE = 50
LIST_PAGE = 1000
XET_LIFE_S = 3600

EXPANDABLE = (
    "author", "baseModels", "cardData", "childrenModelCount", "config",
    "createdAt", "disabled", "downloads", "downloadsAllTime", "evalResults",
    "gated", "gguf", "inference", "inferenceProviderMapping", "lastModified",
    "library_name", "likes", "mask_token", "model-index", "pipeline_tag",
    "private", "resourceGroup", "safetensors", "sha", "siblings", "spaces",
    "tags", "transformersInfo", "trendingScore", "usedStorage", "widgetData")
LISTED = ("_id", "id", "modelId", "author", "private", "downloads", "likes",
          "tags", "createdAt", "pipeline_tag", "library_name",
          "trendingScore")
LISTED_FULL = (*LISTED, "lastModified", "sha", "gated", "siblings")
SORTS = ("lastModified", "trendingScore", "createdAt", "downloads", "likes")


class Call(typing.NamedTuple):
    """A request to a repository's JSON route."""
    world: object
    moods: object
    request: object
    where: object
    target: object
    repo: object
    commit: object

    @property
    def query(self):
        return urllib.parse.parse_qs(self.request.query)


def flag(query, name):
    return query.get(name, ["false"])[0].lower() in ("true", "1")


def json_answer(value, headers=(), status=200):
    content = json.dumps(value).encode()
    return Answer.of_bytes(status, content,
                           [("Content-Type", JSON_TYPE), *headers])


def bad_request(message):
    raise hub_errors.Refused(hub_errors.refusal(True, 400, None, message))


# ---- pages ----

def cursor_of(offset):
    return base64.urlsafe_b64encode(b"from:%d" % offset).decode()


def offset_of(query):
    if "cursor" not in query:
        return 0
    try:
        word, _, offset = base64.urlsafe_b64decode(
            query["cursor"][0]).partition(b":")
        return int(offset) if word == b"from" else bad_request("bad cursor")
    except ValueError:
        return bad_request("bad cursor")


def page_limit(query, most):
    try:
        limit = int(query.get("limit", [most])[0])
    except ValueError:
        limit = 0
    return min(limit, most) if limit > 0 else bad_request("bad limit")


def next_link(request, offset, base=None):
    """The same request for what follows; absolute, as the client knows us."""
    query = [pair for pair in urllib.parse.parse_qsl(
        request.query, keep_blank_values=True) if pair[0] != "cursor"]
    if offset:
        query.append(("cursor", cursor_of(offset)))
    text = "?" + urllib.parse.urlencode(query) if query else ""
    return ("Link", '<%s%s%s>; rel="next"' % (
        base or request.base, request.path, text))


def page_answer(world, moods, request, where, values, limit, headers=()):
    """One page of @values; moods may lie about where the next one is."""
    start = offset_of(urllib.parse.parse_qs(request.query))
    stop = start + limit
    headers = list(headers)
    if moods.take("next_link_loop", where):
        headers.append(next_link(request, start))
    elif stop < len(values):
        other = moods.take("next_link_elsewhere", where)
        headers.append(next_link(request, stop,
                                 world.cdn_url if other else None))
    elif moods.take("next_link_elsewhere", where):
        headers.append(next_link(request, stop, world.cdn_url))
    return json_answer(values[start:stop], headers)


# ---- a repository's description ----

def siblings(commit, blobs):
    def one(path, file):
        told = {"rfilename": path}
        if blobs:
            told.update(size=file.size, blobId=file.oid)
            if file.sha256:
                told["lfs"] = {"sha256": file.sha256, "size": file.size,
                               "pointerSize": len(file.pointer)}
        return told
    return [one(path, file) for path, file in sorted(commit.files.items())]


def description(repo, commit, blobs=False):
    about = repo.about
    told = {
        "_id": "%024x" % repo.number, "id": repo.id, "modelId": repo.id,
        "author": repo.author, "sha": commit.sha,
        "lastModified": date_text(commit.stamp),
        "createdAt": date_text(repo.number), "private": repo.private,
        "gated": repo.gated, "disabled": repo.disabled,
        "downloads": about.get("downloads", 0),
        "likes": about.get("likes", 0), "tags": about.get("labels", []),
        "trendingScore": 0, "cardData": {}, "config": {}, "spaces": [],
        "usedStorage": sum(f.size for f in commit.files.values()),
        "siblings": siblings(commit, blobs), **about.get("info", {}),
    }
    if repo.kind != "models":
        del told["modelId"]
    return told


def chosen(told, expand):
    """Only what was asked for, which excludes nothing's identity."""
    for name in expand:
        if name not in EXPANDABLE:
            bad_request("cannot expand " + name)
    return {name: told[name] for name in ("_id", "id", *expand)
            if name in told}


def info(call):
    query, blobs = call.query, flag(call.query, "blobs")
    told = description(call.repo, call.commit, blobs)
    if "expand" in query:
        if blobs:
            bad_request("expand cannot be mixed with blobs")
        told = chosen(told, query["expand"])
    elif flag(query, "securityStatus"):
        told["securityRepoStatus"] = {"scansDone": True, "filesWithIssues": []}
    return json_answer(told)


# ---- trees ----

def expanded(repo, entry, changed):
    last = repo.commits[changed[1]]
    told = {**entry, "lastCommit": {"id": last.sha, "title": last.title,
                                    "date": date_text(last.stamp)}}
    if entry["type"] == "file":
        told["securityFileStatus"] = {
            "status": "safe", "avScan": None, "pickleImportScan": None}
    return told


def shown(repo, pairs, expand):
    if expand:
        return [expanded(repo, *pair) for pair in pairs]
    return [entry for entry, _ in pairs]


def tree(call):
    query, moods, where = call.query, call.moods, call.where
    expand = flag(query, "expand")
    pairs = call.commit.children(call.target.rest, flag(query, "recursive"))
    header = ("X-Repo-Commit", call.commit.sha)
    if pairs is None:
        hub_errors.refuse(True, "entry", headers=[header])
    entries = shown(call.repo, pairs, expand)
    evil = moods.take("evil_entries", where)
    if evil and not call.target.rest:
        entries += evil_entries(evil, entries)
    page = moods.find("tree_page", where)
    most = page["entries"] if page else \
        EXPANDED_PAGE if expand else TREE_PAGE
    answer = page_answer(call.world, moods, call.request, where, entries,
                         page_limit(query, most), [header])
    move_branch(call)
    return answer


def move_branch(call):
    """Behind this page, the default branch is at another commit."""
    move = call.moods.take("moved_between_pages", call.where)
    if move and move["commit"] in call.repo.commits:
        ref = "refs/heads/" + call.repo.branch
        call.repo.refs[ref] = move["commit"]


def asked_paths(request):
    kind = request.header("Content-Type") or ""
    if kind.startswith("application/json"):
        asked = json.loads(request.body)
        return asked.get("paths", []), bool(asked.get("expand"))
    form = urllib.parse.parse_qs(request.body.decode())
    return form.get("paths", []), flag(form, "expand")


def paths_info(call):
    paths, expand = asked_paths(call.request)
    entries = call.commit.entries
    pairs = [entries[path] for path in paths if path in entries]
    return json_answer(shown(call.repo, pairs, expand),
                       [("X-Repo-Commit", call.commit.sha)])


# ---- refs, commits, tokens ----

def refs(call):
    told = {"branches": [], "converts": [], "tags": []}
    groups = {"heads": "branches", "convert": "converts", "tags": "tags"}
    if flag(call.query, "include_prs"):
        groups["pr"] = "pullRequests"
        told["pullRequests"] = []
    for ref, sha in sorted(call.repo.refs.items()):
        _, group, name = ref.split("/", 2)
        if group in groups:
            told[groups[group]].append({
                "name": ref if group == "pr" else name, "ref": ref,
                "targetCommit": sha})
    return json_answer(told)


def commits(call):
    history = [{"id": commit.sha, "title": commit.title, "message": "",
                "authors": [{"user": "imitation"}],
                "date": date_text(commit.stamp)}
               for commit in call.repo.history(call.commit)]
    return page_answer(call.world, call.moods, call.request, call.where,
                       history, page_limit(call.query, EXPANDED_PAGE),
                       [("X-Total-Count", len(history))])


def xet_read_token(call):
    until = int(time.time()) + XET_LIFE_S
    told = {"accessToken": "imitation", "exp": until,
            "casUrl": call.world.cdn_url}
    return json_answer(told, [("X-Xet-Access-Token", told["accessToken"]),
                              ("X-Xet-Token-Expiration", until),
                              ("X-Xet-Cas-Url", told["casUrl"])])


def whoami(token):
    return json_answer({
        "type": "user", "id": "%024x" % 1, "name": "imitation-user",
        "fullname": "Imitation User", "orgs": [], "isPro": False,
        "auth": {"type": "access_token", "accessToken": {
            "displayName": token[:4], "role": "read"}}})


# ---- lists ----

def is_listed(told, query):
    """Does a repository match every filter?"""
    def value(name):
        return query[name][0] if name in query else None

    author, search, gated = value("author"), value("search"), value("gated")
    task = value("pipeline_tag")
    return ((author is None or told["author"] == author) and
            (search is None or search.lower() in told["id"].lower()) and
            (task is None or told.get("pipeline_tag") == task) and
            (gated is None or bool(told["gated"]) == flag(query, "gated")) and
            all(tag in told["tags"] for tag in query.get("filter", [])))


def listed(told, query):
    if "expand" in query:
        return chosen(told, query["expand"])
    names = LISTED_FULL if flag(query, "full") else LISTED
    return {name: told[name] for name in names if name in told}


def list_repos(world, moods, request, target, token):
    query = urllib.parse.parse_qs(request.query)
    where = Where("hub", "list", "api")
    sort = query.get("sort", ["trendingScore"])[0]
    if sort not in SORTS:
        bad_request("cannot sort by " + sort)
    told = [description(repo, repo.head) for repo in
            world.repos.all(target.kind)
            if not repo.private or world.repos.may(token, repo.id)]
    told = [one for one in told if is_listed(one, query)]
    told.sort(key=lambda one: (one[sort], one["id"]), reverse=True)
    return page_answer(world, moods, request, where,
                       [listed(one, query) for one in told],
                       page_limit(query, LIST_PAGE))
