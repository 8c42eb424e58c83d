/* session_key [COMMAND...]: with a command, runs it with a session keyring that holds a key; without, says whether it can use that
 * key. */
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME "brig-test-secret"

int main(int argc, char **argv)
{
	if (argc == 1) {
		puts(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", NAME, 0) < 0 ? "none"
												       : "found");
		return 0;
	}
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", NAME, "x", 1L, KEY_SPEC_SESSION_KEYRING) < 0) {
		perror("session keyring");
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
