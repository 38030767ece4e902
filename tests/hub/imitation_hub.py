#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An imitation of the Hugging Face hub and its CDN, and of other hubs' hosts.

  imitation_hub.py --port 8080 --cdn-port 8081 --control-port 8082 --state DIR
                   [--host www.kaggle.com=8083 ...]

It prints "ready" when all ports listen.  What it serves comes over
the control port; hub_process.py has the client of that.
"""

import argparse
import os
import sys
import threading

import hub_control
import hub_http
from hub_answers import HubSite
from hub_cdn import CdnSite
from hub_github import GithubSite
from hub_github_api import ApiSite
from hub_github_bytes import AssetSite, CodeloadSite, MediaSite, RawSite
from hub_google import GoogleSite
from hub_kaggle import KaggleSite
from hub_site import new_records
from hub_tfhub import TfhubSite
from hub_torch import DownloadSite, ServeSite

OTHER_SITES = (KaggleSite, TfhubSite, GoogleSite, GithubSite, ApiSite,
               RawSite, MediaSite, CodeloadSite, AssetSite, DownloadSite,
               ServeSite)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cdn-port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--host", action="append", default=[],
                        metavar="NAME=PORT", help="also imitate this host")
    parser.add_argument("--state", required=True,
                        help="a file, or a folder that gets state.jsonl")
    parser.add_argument("--with-stdin", action="store_true",
                        help="end when standard input does")
    return parser.parse_args()


def local_url(port):
    return "http://127.0.0.1:%d" % port


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def main():
    args = arguments()
    state = args.state
    if os.path.isdir(state):
        state = os.path.join(state, "state.jsonl")
    listeners = [hub_http.listen(port) for port in
                 (args.port, args.cdn_port, args.control_port)]
    records = new_records()
    hosts = {name: int(port) for name, _, port in
             (host.partition("=") for host in args.host)}
    world = hub_control.World(
        local_url(args.cdn_port),
        {name: local_url(port) for name, port in hosts.items()},
        os.path.dirname(os.path.abspath(state)))
    control = hub_control.Control(world, records, state)
    in_thread(hub_http.serve_forever, listeners[0], HubSite(world, records))
    in_thread(hub_http.serve_forever, listeners[1], CdnSite(world, records))
    for site in OTHER_SITES:
        if site.origin in hosts:
            in_thread(hub_http.serve_forever,
                      hub_http.listen(hosts[site.origin]),
                      site(world, records))
    last = in_thread(control.serve_forever, listeners[2])
    print("ready", flush=True)
    if args.with_stdin:
        sys.stdin.buffer.read()
        return
    try:
        last.join()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
