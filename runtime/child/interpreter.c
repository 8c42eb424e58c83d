#include "child/interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* BINPRM_BUF_SIZE of the kernel. */
#define LINE_MAX_BYTES 256

/* Hostile, as all of the container's files are: not a FIFO that would be waited for, and not a device. */
static ssize_t read_beginning(const char *program, char bytes[static LINE_MAX_BYTES])
{
	AUTO_CLOSE int fd = open(program, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	return read(fd, bytes, LINE_MAX_BYTES - 1);
}

static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"')
			return false;
	}
	return length > 0;
}

static void name_interpreter(char *line, char text[static INTERPRETER_TEXT_MAX])
{
	char *name = line + strspn(line, " \t");
	size_t length = strcspn(name, " \t\n");
	bool has_return = length > 0 && name[length - 1] == '\r';

	name[length] = '\0';
	if (!is_printable(name, length - has_return))
		strcpy(text, "the interpreter that its first line names does not exist");
	else if (has_return)
		snprintf(text, INTERPRETER_TEXT_MAX,
			 "the interpreter \"%.*s\\r\" that its first line names does not exist (the line ends in a carriage return: "
			 "save the file with line feeds alone)",
			 (int)length - 1, name);
	else if (access(name, F_OK) < 0)
		snprintf(text, INTERPRETER_TEXT_MAX, "the interpreter \"%s\" that its first line names does not exist",
			 name);
	else
		snprintf(text, INTERPRETER_TEXT_MAX,
			 "what the interpreter \"%s\" that its first line names is run by does not exist", name);
}

const char *interpreter_missing(const char *program, char text[static INTERPRETER_TEXT_MAX])
{
	char bytes[LINE_MAX_BYTES] = { 0 };
	ssize_t n = read_beginning(program, bytes);

	if (n == -ENOENT)
		return NULL;
	if (n >= 2 && bytes[0] == '#' && bytes[1] == '!')
		name_interpreter(bytes + 2, text);
	else if (n >= 4 && memcmp(bytes, "\177ELF", 4) == 0)
		strcpy(text, "the dynamic loader that it names does not exist");
	else
		strcpy(text, "its interpreter or loader does not exist");
	return text;
}
