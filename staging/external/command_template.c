/* SPDX-License-Identifier: MIT */
#include "staging/external/command_template.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static const char *const names[] = { "snapshot", "out", "task" };
enum { SNAPSHOT, OUT, TASK };

void command_release(struct command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->words[i]);
	free(command->words);
	*command = (struct command){ 0 };
}

static int add_word(struct command *command, struct str *word)
{
	char **words = mem_resize(command->words, command->count + 2,
				  sizeof(*words));
	char *copy = mem_strdup(str_text(word));

	if (words)
		command->words = words;
	if (!words || !copy) {
		free(copy);
		return -ENOMEM;
	}
	words[command->count++] = copy;
	words[command->count] = NULL;
	str_clear(word);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* One word, up to the blank or the end after it; *@text is moved there. */
static int take_word(const char **text, struct str *word, struct str *why)
{
	const char *at = *text;
	char quote = '\0';
	int r = 0;

	for (; r == 0 && *at && (quote || !is_blank(*at)); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '\'' || *at == '"'))
			quote = *at;
		else
			r = str_append_char(word, *at);
	}
	*text = at;
	if (r == 0 && quote)
		return str_explain(why, -EINVAL, "a quote has no end");
	return r == -EFBIG ? str_explain(why, -EINVAL, "it is too long") : r;
}

static int split(const char *text, struct command *out, struct str *why)
{
	auto_str struct str word;
	int r = 0;

	str_init(&word, CONVERT_COMMAND_MAX);
	while (is_blank(*text))
		text++;
	while (r == 0 && *text) {
		if (out->count == CONVERT_WORDS_MAX)
			return str_explain(why, -EINVAL,
					   "it has too many words");
		r = take_word(&text, &word, why);
		if (r == 0)
			r = add_word(out, &word);
		while (is_blank(*text))
			text++;
	}
	return r;
}

/* The number of the name in braces at @at ("{out}"), and its length. */
static bool find_name(const char *at, size_t *name, size_t *len)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t name_len = strlen(names[i]);

		if (strncmp(at + 1, names[i], name_len) != 0 ||
		    at[1 + name_len] != '}')
			continue;
		*name = i;
		*len = name_len + 2;
		return true;
	}
	return false;
}

/* -EINVAL: an unknown name.  @seen: a bit for each name that came. */
static int fill_word(const char *word, const char *const *values,
		     unsigned int *seen, struct str *out)
{
	size_t name, len;
	int r = 0;

	while (r == 0 && *word) {
		if (*word == '{' && word[1] == '{') {
			r = str_append_char(out, '{');
			word += 2;
		} else if (*word == '{') {
			if (!find_name(word, &name, &len))
				return -EINVAL;
			*seen |= 1u << name;
			r = str_append_text(out, values[name]);
			word += len;
		} else {
			r = str_append_char(out, *word++);
		}
	}
	return r;
}

static int check(const struct command *command, struct str *why)
{
	const unsigned int needed = 1u << SNAPSHOT | 1u << OUT;
	unsigned int seen = 0;

	if (command->count == 0)
		return str_explain(why, -EINVAL, "it is empty");
	for (size_t i = 0; i < command->count; i++) {
		auto_str struct str word;
		int r;

		str_init(&word, CONVERT_COMMAND_MAX);
		r = fill_word(command->words[i], names, &seen, &word);
		if (r == -EINVAL)
			return str_explain(why, r,
					   "\"%s\" has a name in braces that "
					   "is not known",
					   command->words[i]);
		if (r < 0)
			return r;
	}
	if ((seen & needed) != needed)
		return str_explain(why, -EINVAL,
				   "it must have {snapshot} and {out} in it");
	return 0;
}

int command_parse(const char *text, struct command *out, struct str *why)
{
	auto_command struct command command = { 0 };
	int r = split(text, &command, why);

	r = r ?: check(&command, why);
	if (r < 0)
		return r;
	*out = command;
	command = (struct command){ 0 };
	return 0;
}

int command_fill(const struct command *template,
		 const struct command_values *values, struct command *out)
{
	const char *const texts[] = { values->snapshot, values->out,
				      values->task };
	auto_command struct command command = { 0 };
	unsigned int seen = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < template->count; i++) {
		auto_str struct str word;

		str_init(&word, CONVERT_COMMAND_MAX + 3 * PATH_BYTES_MAX);
		r = fill_word(template->words[i], texts, &seen, &word);
		r = r ?: add_word(&command, &word);
	}
	if (r < 0)
		return r;
	*out = command;
	command = (struct command){ 0 };
	return 0;
}
