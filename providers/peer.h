/* SPDX-License-Identifier: MIT */
/*
 * providers/peer.h - which addresses a hub of the Internet may send us to.
 *
 * Pure.  Loopback, private, link-local, shared, multicast and reserved
 * addresses, also as IPv6 spells those of IPv4 (RFC 6890): a redirect
 * there would make this program ask what only its machine can reach.
 */
#ifndef PROVIDERS_PEER_H
#define PROVIDERS_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>

/* True also of what is no Internet address. */
bool peer_is_private(const struct sockaddr *address, size_t len);

/* The same of its text.  False: not the text of an address. */
bool peer_text_is_private(const char *text);

#endif
