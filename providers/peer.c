/* SPDX-License-Identifier: MIT */
#include "providers/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/annot.h"

static bool ipv4_is_private(const uint8_t bytes[4])
{
	static const struct {
		uint32_t net, mask;
	} nets[] = {
		{ 0x00000000, 0xff000000 }, /* this network */
		{ 0x0a000000, 0xff000000 }, /* 10/8 */
		{ 0x64400000, 0xffc00000 }, /* 100.64/10 */
		{ 0x7f000000, 0xff000000 }, /* loopback */
		{ 0xa9fe0000, 0xffff0000 }, /* link-local */
		{ 0xac100000, 0xfff00000 }, /* 172.16/12 */
		{ 0xc0000000, 0xffffff00 }, /* 192.0.0/24 */
		{ 0xc0a80000, 0xffff0000 }, /* 192.168/16 */
		{ 0xc6120000, 0xfffe0000 }, /* 198.18/15 */
		{ 0xe0000000, 0xe0000000 }, /* multicast, reserved */
	};
	uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			   (uint32_t)bytes[2] << 8 | bytes[3];

	for (size_t i = 0; i < ARRAY_LEN(nets); i++)
		if ((address & nets[i].mask) == nets[i].net)
			return true;
	return false;
}

static bool ipv6_is_private(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t zero[12];

	if (!memcmp(bytes, mapped, 12) || !memcmp(bytes, nat64, 12))
		return ipv4_is_private(bytes + 12);
	if (!memcmp(bytes, zero, 12))
		return true;
	return (bytes[0] & 0xfe) == 0xfc || bytes[0] == 0xff ||
	       (bytes[0] == 0xfe && bytes[1] >= 0x80);
}

bool peer_is_private(const struct sockaddr *address, size_t len)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, address, sizeof(v4));
		return ipv4_is_private((const uint8_t *)&v4.sin_addr);
	}
	if (address->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, address, sizeof(v6));
		return ipv6_is_private(v6.sin6_addr.s6_addr);
	}
	return true;
}

bool peer_text_is_private(const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return ipv4_is_private(bytes);
	return inet_pton(AF_INET6, text, bytes) == 1 && ipv6_is_private(bytes);
}
