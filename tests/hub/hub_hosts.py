# SPDX-License-Identifier: MIT
"""The other hosts that are imitated, each an origin of its own."""

# host -> what it counts as for moods: one that refers, or one that has bytes
HOSTS = {
    "www.kaggle.com": "hub",
    "tfhub.dev": "hub",
    "github.com": "hub",
    "api.github.com": "hub",
    "raw.githubusercontent.com": "cdn",
    "media.githubusercontent.com": "cdn",
    "codeload.github.com": "cdn",
    "release-assets.githubusercontent.com": "cdn",
    "storage.googleapis.com": "cdn",
    "download.pytorch.org": "cdn",
    "torchserve.pytorch.org": "cdn",
}
