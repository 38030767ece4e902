/* SPDX-License-Identifier: MIT */
#include "tools/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/annot.h"
#include "base/clock.h"

#define BAR_WIDTH 30
#define REDRAW_NS (100 * NS_PER_MS)

const char *progress_size(uint64_t bytes, char *text)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(text, PROGRESS_SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return text;
}

void progress_start(struct progress *progress, const char *name, uint64_t total)
{
	*progress = (struct progress){
		.name = name,
		.total = total,
		.began_ns = clock_now_ns(),
		.on = isatty(STDERR_FILENO),
	};
}

static void progress_draw(const struct progress *progress, uint64_t done,
			  uint64_t now_ns)
{
	double part = progress->total ? (double)done / (double)progress->total
				      : 1;
	double seconds = (double)(now_ns - progress->began_ns) / NS_PER_S;
	int full = (int)(part * BAR_WIDTH);
	char size[PROGRESS_SIZE_TEXT];
	char speed[PROGRESS_SIZE_TEXT];

	progress_size(done, size);
	progress_size((uint64_t)((double)done / (seconds + 1e-9)), speed);
	fprintf(stderr, "\r%s [%.*s%.*s] %3.0f %%  %s  %s/s\033[K",
		progress->name, full, "##############################",
		BAR_WIDTH - full, "..............................", part * 100,
		size, speed);
	fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t done)
{
	uint64_t now_ns = clock_now_ns();

	if (!progress->on ||
	    (now_ns - progress->shown_ns < REDRAW_NS && done < progress->total))
		return;
	progress->shown_ns = now_ns;
	progress_draw(progress, done, now_ns);
}

void progress_end(struct progress *progress)
{
	if (progress->on && progress->shown_ns)
		fputc('\n', stderr);
}
